"""What the algorithms share that ask an oracle of keras-tuner."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Iterator
from typing import Any, ClassVar

from kzoo.runs.trial import Trial
from kzoo.spec.tune import ALGORITHMS, TuneSpec
from kzoo.start import keras_tuner
from kzoo.tuning.space import count_points, declare, rarest_share

# Of a seed that numpy takes; and 0 would be no seed to keras-tuner.
_SEEDS = 2**32 - 1
# Draws of points that were tried, before a space counts as exhausted.
_MOST_COLLISIONS = 10_000_000


class InMemory:
    """An oracle that writes no files, to be inherited before one of keras-tuner's."""

    def save(self) -> None:
        """Write nothing: a search keeps its own record."""

    def _save_trial(self, trial: Any) -> None:
        pass


class OracleProposer:
    """Proposes what an oracle of keras-tuner does; see `kzoo.tuning.algorithms.Proposer`.

    Attributes:
        oracle_type: The oracle, one that is `InMemory`.
    """

    oracle_type: ClassVar[Any]
    continues_trials: ClassVar[bool] = False

    def __init__(self, tune: TuneSpec, *, seed: int, epochs: int) -> None:
        self._space = tune.space
        self._lists_values = ALGORITHMS[tune.algorithm].lists_values
        self._metric = tune.objective.metric
        self.points = count_points(self._space, grid=self._lists_values)
        with _without_warnings():
            parameters = keras_tuner.HyperParameters()
            declare(parameters, self._space, grid=self._lists_values)
            self._oracle = self._make_oracle(
                epochs,
                objective=keras_tuner.Objective(self._metric, tune.objective.direction),
                hyperparameters=parameters,
                allow_new_entries=False,
                tune_new_entries=False,
                seed=1 + seed % _SEEDS,
                max_consecutive_failed_trials=math.inf,
            )
        self._oracle.verbose = 0
        # keras-tuner gives a space up after 20 draws of points that were tried.
        share = rarest_share(self._space) if self.points else 0.01
        self._oracle._max_collisions = min(100 / share, _MOST_COLLISIONS)
        self.limit = self._count_trials()
        self.exhausted = False
        # From the oracle's names of trials to ours: it also counts some that are never run.
        self._numbers: dict[str, str] = {}
        self._asked: dict[str, Any] = {}
        self._in_flight: set[str] = set()
        self._failed: set[str] = set()

    def _make_oracle(self, epochs: int, **arguments: Any) -> Any:
        """Return the oracle, without a limit of trials of its own."""
        return self.oracle_type(max_trials=None, **arguments)

    def _count_trials(self) -> int | None:
        """Return how many trials there can be; None for no end of them."""
        return self.points

    def ask(self) -> Trial | None:
        """Return a trial to run, and None where there is none, for now or for ever."""
        number = f"{len(self._numbers):04d}"
        if len(self._numbers) == self.limit:
            self.exhausted = True
            return None
        with _without_warnings():
            asked = self._oracle.create_trial(number)
            if asked.status != "RUNNING":
                self.exhausted = asked.status == "STOPPED" or not self._in_flight
                return None
            values = declare(asked.hyperparameters, self._space, grid=self._lists_values)
        self._numbers[asked.trial_id] = number
        self._asked[number] = asked
        self._in_flight.add(number)
        own = asked.hyperparameters.values
        parent = own.get("tuner/trial_id")
        return Trial(
            number,
            values,
            epochs=own.get("tuner/epochs"),
            parent=None if parent is None else self._numbers[parent],
        )

    def tell(self, trial: Trial) -> None:
        """End a trial, or a failed one again.

        Raises:
            KeyError: there is no such trial, or it has a score.
        """
        number, score = trial.number, trial.score
        told = self._asked[number]
        if number in self._failed:
            self._failed.remove(number)
            # What was told of the failure must not be averaged in.
            told.metrics = type(told.metrics)()
        else:
            self._in_flight.remove(number)
        failed = score is None or not math.isfinite(score)
        if failed:
            self._failed.add(number)
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
