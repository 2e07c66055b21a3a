"""The best of a search trained again, with seeds that no trial had."""

from __future__ import annotations

import statistics
from collections.abc import Mapping

from kzoo.display.text import count_fresh_seeds, with_deviation
from kzoo.runs.search_status import CONFIRMED
from kzoo.tuning.ended import drop_weights
from kzoo.tuning.loop import Loop
from kzoo.tuning.search import TRIALS, Search


def confirm_best(loop: Loop, search: Search, known: Mapping[str, tuple[float, ...]]) -> None:
    """Train the best again with fresh seeds, and write down what they come to.

    Args:
        loop: Its trials have ended.
        search: Of the loop.
        known: The scores of those that an earlier session confirmed, by their numbers.
    """
    seeds, best = loop.confirms, search.contenders[:CONFIRMED]
    waiting = {trial.number: trial for trial in best if len(known.get(trial.number, ())) < seeds}
    for trial, again in [] if loop.is_late else loop.confirm([*waiting.values()]):
        scores = again.scores or ((again.score,) if again.score is not None else ())
        if len(scores) < seeds and again.error is None:
            continue
        del waiting[trial.number]
        if again.error is not None:
            loop.log.confirmed(trial.number, ())
            loop.progress.say(f"trial {trial.number}: cannot be confirmed: {again.error}")
            continue
        loop.log.confirmed(trial.number, scores)
        # Only its scores are wanted.
        drop_weights(loop.path / TRIALS, again.number)
        words = with_deviation(statistics.fmean(scores), scores)
        fresh = count_fresh_seeds(seeds)
        loop.progress.say(
            f"trial {trial.number}: {words} with {fresh}, {trial.score:.4f} when it was chosen"
        )
    if waiting:
        numbers = ", ".join(waiting)
        loop.progress.say(f"there was no time to confirm {numbers}; --resume SEARCH does it")
