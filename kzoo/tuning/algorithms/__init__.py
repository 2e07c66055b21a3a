"""The algorithms that propose what a search tries next: one a file, behind one protocol.

An algorithm is a file of its name here that has a class `Proposer`, and an entry in
`kzoo.spec.tune.ALGORITHMS`.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, cast

from kzoo.spec.tune import ALGORITHMS, TuneSpec
from kzoo.tuning.known import KnownFirst
from kzoo.tuning.proposer import Proposer as Proposer
from kzoo.tuning.space import count_points, encode

# Of an algorithm that has no end of its own.
_USUAL_TRIALS = 20


def make_proposer(
    tune: TuneSpec, *, seed: int, epochs: int, known: Sequence[dict[str, Any]] = ()
) -> Proposer:
    """Return the proposer of a search, nothing asked of it yet.

    Args:
        tune: The search.
        seed: Of the proposals.
        epochs: Of a full training.
        known: Points to try first, all different, from spec paths to values.
    """
    module = importlib.import_module(f"{__name__}.{tune.algorithm}")
    proposer = cast("Proposer", module.Proposer(tune, seed=seed, epochs=epochs))
    if not known:
        return proposer
    algorithm = ALGORITHMS[tune.algorithm]
    grid = algorithm.lists_values
    # Whether it comes to every point of the space, for a full training.
    tries_all = not algorithm.sets_epochs and proposer.points == count_points(tune.space, grid=grid)
    among = [tries_all and encode(tune.space, point, grid=grid) is not None for point in known]
    return KnownFirst(proposer, known, more=among.count(False))


def count_trials(tune: TuneSpec, proposer: Proposer, *, more: int = 0) -> int:
    """Return the number of trials that a search has at most.

    Args:
        tune: The search.
        proposer: Its proposer.
        more: How many it has beside the usual number where nobody says how many.
    """
    own = proposer.limit
    wanted = tune.max_trials
    if wanted is None and not (ALGORITHMS[tune.algorithm].is_whole and own is not None):
        wanted = _USUAL_TRIALS + more
    return min(count for count in (wanted, own) if count is not None)
