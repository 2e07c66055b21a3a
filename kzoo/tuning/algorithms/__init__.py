"""The algorithms that propose what a search tries next: one a file, behind one protocol.

An algorithm is a file of its name here that has a class `Proposer`, and an entry in
`kzoo.spec.tune.ALGORITHMS`.
"""

from __future__ import annotations

import importlib
from typing import ClassVar, Protocol, cast

from kzoo.runs.trial import Trial
from kzoo.spec.tune import ALGORITHMS, TuneSpec

# Of an algorithm that has no end of its own.
_USUAL_TRIALS = 20


class Proposer(Protocol):
    """A search's next trials, given the scores of those before; the same each time.

    It is made of a spec's ``tune`` section, the seed of the search and the epochs of a full
    training. As it is told and asked again in the same order, it gives the same trials.

    Attributes:
        continues_trials: Whether a trial may go on with the training of an earlier one.
        points: How many different points the space has for this algorithm; None for no end.
        limit: The number of trials that there can be; None where there is no end of them.
        exhausted: Whether there will never be another trial; known once `ask` has given None.
    """

    continues_trials: ClassVar[bool]
    points: int | None
    limit: int | None
    exhausted: bool

    def ask(self) -> Trial | None:
        """Return a trial to run, and None where there is none, for now or for ever."""

    def tell(self, trial: Trial) -> None:
        """End a trial that `ask` gave, or a failed one again, which was tried once more.

        A trial without a score has failed, and so has one whose score is not finite.

        Raises:
            KeyError: there is no such trial, or it has a score.
        """


def make_proposer(tune: TuneSpec, *, seed: int, epochs: int) -> Proposer:
    """Return the proposer of a search, nothing asked of it yet.

    Args:
        tune: The search.
        seed: Of the proposals.
        epochs: Of a full training.
    """
    module = importlib.import_module(f"{__name__}.{tune.algorithm}")
    return cast("Proposer", module.Proposer(tune, seed=seed, epochs=epochs))


def count_trials(tune: TuneSpec, proposer: Proposer) -> int:
    """Return the number of trials that a search has at most.

    Args:
        tune: The search.
        proposer: Its proposer.
    """
    own = proposer.limit
    wanted = tune.max_trials
    if wanted is None and not (ALGORITHMS[tune.algorithm].is_whole and own is not None):
        wanted = _USUAL_TRIALS
    return min(count for count in (wanted, own) if count is not None)
