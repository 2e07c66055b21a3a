"""What a search tries next: ask for a trial, tell its score."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kzoo.spec.tune import TuneSpec
from kzoo.start import import_keras
from kzoo.tuning.space import Values, count_points, declare


@dataclass(frozen=True)
class Proposal:
    """A trial to run.

    Attributes:
        trial: Its running number, as "0000".
        values: From spec paths to the values to put there.
        epochs: How long to train in all, where the search decides that.
        parent: The trial whose training it goes on with.
    """

    trial: str
    values: Values
    epochs: int | None = None
    parent: str | None = None


class Proposals:
    """A search's next trials, given the scores of those before; the same each time.

    Args:
        tune: The search.
        seed: Of the search.
        epochs: Of a full training.

    Attributes:
        exhausted: Whether there will never be another trial; known once `ask` has given None.
        limit: The number of trials at most.
    """

    def __init__(self, tune: TuneSpec, *, seed: int, epochs: int) -> None:
        self._space = tune.space
        self._grid = tune.algorithm == "grid"
        self._metric = tune.objective.metric
        with _without_warnings():
            import_keras()
            from kzoo.tuning.oracles import create_oracle

            self._oracle = create_oracle(tune, seed=seed, epochs=epochs)
        points = count_points(self._space, grid=self._grid)
        own = self._oracle.count_trials() if tune.algorithm == "hyperband" else points
        self.limit = tune.max_trials if own is None else min(tune.max_trials, own)
        self.exhausted = False
        # From the oracle's names of trials to ours: it also counts some that are never run.
        self._names: dict[str, str] = {}
        self._in_flight: dict[str, Any] = {}

    def ask(self) -> Proposal | None:
        """Return a trial to run, and None where there is none, for now or for ever."""
        name = f"{len(self._names):04d}"
        if len(self._names) == self.limit:
            self.exhausted = True
            return None
        with _without_warnings():
            trial = self._oracle.create_trial(name)
            if trial.status != "RUNNING":
                self.exhausted = trial.status == "STOPPED" or not self._in_flight
                return None
            values = declare(trial.hyperparameters, self._space, grid=self._grid)
        self._names[trial.trial_id] = name
        self._in_flight[name] = trial
        own = trial.hyperparameters.values
        parent = own.get("tuner/trial_id")
        return Proposal(
            name,
            values,
            epochs=own.get("tuner/epochs"),
            parent=None if parent is None else self._names[parent],
        )

    def tell(self, trial: str, score: float | None) -> None:
        """End a trial.

        Args:
            trial: Its number.
            score: Its value of the objective; None where it failed, as is one that is not finite.

        Raises:
            KeyError: there is no such trial under way.
        """
        told = self._in_flight.pop(trial)
        failed = score is None or not math.isfinite(score)
        with _without_warnings():
            if not failed:
                self._oracle.update_trial(told.trial_id, {self._metric: score})
            told.status = "FAILED" if failed else "COMPLETED"
            self._oracle.end_trial(told)


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
    """Keep to itself what keras-tuner and scikit-learn have to say to their own developers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
