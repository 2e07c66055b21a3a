"""The trials of a search that have ended: what others are compared with, whose weights are kept."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kzoo.errors import RunError
from kzoo.runs import Run, directory
from kzoo.runs.trial import Trial, contenders, is_good_enough
from kzoo.spec.tune import TuneSpec
from kzoo.tuning.front import pareto_front
from kzoo.tuning.pruning import Curve
from kzoo.tuning.trial_runs import runs_of
from kzoo.tuning.worker import STOPPED


@dataclass
class EndedTrials:
    """The trials that ended, in this session of a search and in those before.

    Attributes:
        folder: Where the runs of trials lie.
        tune: The search's section of the spec.
        trials: In the order in which they ended.
    """

    folder: Path
    tune: TuneSpec
    trials: list[Trial]
    _known_curves: dict[str, Curve] = field(default_factory=dict)
    _known_whole: dict[str, bool] = field(default_factory=dict)

    @property
    def is_good_enough(self) -> bool:
        """Whether a trial that can win has reached the target."""
        tune = self.tune
        return is_good_enough(
            self.trials, tune.target, tune.objective.direction, tune.seeds_per_trial
        )

    def curves(self) -> tuple[Curve, ...]:
        """Return the scores by epoch of each trial, if trials are pruned."""
        if self.tune.prune is None:
            return ()
        for trial in self.trials:
            if trial.run and trial.number not in self._known_curves:
                history = Run(self.folder / trial.run).history
                self._known_curves[trial.number] = tuple(history[self.tune.objective.metric])
        return tuple(self._known_curves.values())

    def scores(self) -> tuple[tuple[float, ...], ...]:
        """Return the scores by seed of each trial, if each has several.

        A score of fewer epochs than a whole training's is none to compare with.
        """
        if self.tune.seeds_per_trial == 1:
            return ()
        return tuple(trial.scores for trial in self.trials if self._is_whole(trial))

    def _is_whole(self, trial: Trial) -> bool:
        """Return whether a trial was trained to its end with its first seed."""
        if trial.state != "stopped" or trial.run is None:
            return True
        if trial.number not in self._known_whole:
            metrics = Run(self.folder / trial.run).metrics
            self._known_whole[trial.number] = not metrics.get(STOPPED)
        return self._known_whole[trial.number]

    def drop_weights(self) -> None:
        """Delete the trained weights of all but the best trials, and those of the front."""
        direction = self.tune.objective.direction
        scored = contenders(self.trials, direction)
        front = pareto_front(scored, direction)
        for trial in scored[self.tune.keep_weights :]:
            if self.tune.keep_weights and trial in front:
                continue
            drop_weights(self.folder, trial.number)


def drop_weights(folder: Path, number: str) -> None:
    """Delete the trained weights of a trial, those of each of its seeds."""
    for run in runs_of(folder, number):
        for name in (directory.MODEL, directory.WEIGHTS):
            # What cannot be deleted takes room, no more.
            with contextlib.suppress(OSError):
                (run / name).unlink(missing_ok=True)


def refuse_failures(ended: Sequence[Trial]) -> None:
    """Refuse to go on with a search of which nothing has come.

    Raises:
        RunError: all trials failed.
    """
    if ended and all(trial.score is None for trial in ended):
        first = min(ended, key=lambda trial: trial.number)
        count = "the only trial" if len(ended) == 1 else f"the first {len(ended)} trials all"
        raise RunError(f"{count} failed, so the search ends; trial {first.number}: {first.error}")
