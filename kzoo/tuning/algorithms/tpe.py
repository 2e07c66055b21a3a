"""Tree-structured Parzen estimator, by Optuna. Source: Bergstra et al., NeurIPS 2011."""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from kzoo.errors import RunError, how_to_install
from kzoo.runs.trial import Trial
from kzoo.spec.tune import TuneSpec
from kzoo.tuning.space import Values, count_points, declare, encode, every_point

# Draws from the model, which may insist on points that were tried; then draws by chance.
_MODEL_DRAWS = 8
_CHANCE_DRAWS = 1000
# Where a space has an end, what was not tried is listed then, so many points at most. One of these
# is taken: of a space that is no larger instead of draws by chance, of others after fewer.
_MOST_LISTED = 1000
_FEW_DRAWS = 50


class Proposer:
    """Tries what is more likely among the best trials so far than among the others.

    Each draw has a sampler of its own, with a seed that follows from those of the search and the
    trial: what is proposed depends on what was asked and told, and on nothing else.
    """

    continues_trials: ClassVar[bool] = False

    def __init__(self, tune: TuneSpec, *, seed: int, epochs: int) -> None:
        del epochs  # Those of every trial are the spec's.
        self._optuna = _import_optuna()
        self._space = tune.space
        self._seed = seed
        self.points = self.limit = count_points(tune.space)
        self.exhausted = False
        direction = "maximize" if tune.objective.direction == "max" else "minimize"
        with self._quietly():
            self._study = self._optuna.create_study(direction=direction)
        # From points, as text, to the numbers of their trials; None of one that it only heard of.
        self._tried: dict[str, str | None] = {}
        # From our numbers to Optuna's.
        self._running: dict[str, int] = {}
        self._failed: set[str] = set()
        self._asked = 0

    def ask(self) -> Trial | None:
        """Return a trial to run, and None where there is none, for now or for ever."""
        number = f"{self._asked:04d}"
        with self._quietly():
            found = self._draw()
        if found is None:
            self.exhausted = True
            return None
        self._running[number], values = found
        self._tried[_text(values)] = number
        self._asked += 1
        return Trial(number, values)

    def tell(self, trial: Trial) -> None:
        """End a trial, or a failed one again.

        Raises:
            KeyError: there is no such trial, or it has a score.
        """
        with self._quietly():
            if trial.number not in self._failed:
                self._end(self._running.pop(trial.number), trial.score)
            elif _is_score(trial.score):
                self._failed.remove(trial.number)
                self._add(trial)
        if not _is_score(trial.score):
            self._failed.add(trial.number)

    def learn(self, trial: Trial) -> None:
        """Hear what a point came to that it did not propose."""
        text = _text(trial.values)
        # Of one that it has proposed since, it is told by that trial.
        is_told = self._tried.get(text) in self._running
        if is_told or not _is_score(trial.score) or encode(self._space, trial.values) is None:
            return
        self._tried.setdefault(text)
        with self._quietly():
            self._add(trial)

    def _sampler(self, seed: int) -> Any:
        # What all trials have is drawn together, what a value of a choice brings each by itself;
        # Optuna's experimental groups came to the same on a tree of three choices. Trials that run
        # count as bad ones, so that several workers do not try the same.
        return self._optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True)

    def _draw(self) -> tuple[int, Values] | None:
        """Return a point that was not tried and Optuna's number of its trial, which runs."""
        missed: list[int] = []
        found = None
        for draw, seed in enumerate(self._seeds()):
            sampler = self._sampler if draw < _MODEL_DRAWS else self._optuna.samplers.RandomSampler
            number, values = self._suggest(sampler(seed=seed))
            if _text(values) not in self._tried:
                found = number, values
                break
            # It runs until another is found: that makes it less likely in the next draw.
            missed.append(number)
        for number in missed:
            self._end(number, None)
        return found or self._take_left()

    def _seeds(self) -> Iterator[int]:
        """Yield the seeds of the draws of the next trial."""
        if len(self._tried) == self.points:
            return
        chance = _CHANCE_DRAWS
        if self.points is not None:
            chance = _FEW_DRAWS if self.points > _MOST_LISTED else 0
        source = np.random.SeedSequence([self._seed, self._asked])
        yield from map(int, source.generate_state(_MODEL_DRAWS + chance))

    def _take_left(self) -> tuple[int, Values] | None:
        """As `_draw`, of a space with an end of which draws find nothing more."""
        if self.points is None:
            return None
        every = (point for point in every_point(self._space) if _text(point) not in self._tried)
        left = list(itertools.islice(every, _MOST_LISTED))
        if not left:
            return None
        source = np.random.default_rng([self._seed, self._asked])
        return self._suggest(
            self._optuna.samplers.RandomSampler(seed=0), left[source.integers(len(left))]
        )

    def _suggest(self, sampler: Any, values: Values | None = None) -> tuple[int, Values]:
        """Begin a trial of Optuna; return its number and its values, those given if any are."""
        self._study.sampler = sampler
        if values is not None:
            self._study.enqueue_trial(encode(self._space, values))
        begun = self._study.ask()
        return begun.number, declare(_Suggested(begun), self._space)

    def _add(self, trial: Trial) -> None:
        """Begin and end a trial of Optuna that has the values and the score of one of ours."""
        number, _ = self._suggest(self._optuna.samplers.RandomSampler(seed=0), trial.values)
        self._end(number, trial.score)

    def _end(self, number: int, score: float | None) -> None:
        if _is_score(score):
            self._study.tell(number, score)
        else:
            self._study.tell(number, state=self._optuna.trial.TrialState.FAIL)

    @contextlib.contextmanager
    def _quietly(self) -> Iterator[None]:
        """Keep to itself what Optuna logs, and what it warns its own developers of."""
        logging = self._optuna.logging
        before = logging.get_verbosity()
        logging.set_verbosity(logging.ERROR)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        finally:
            logging.set_verbosity(before)


class _Suggested:
    """A trial of Optuna, asked as keras-tuner's parameters are."""

    def __init__(self, trial: Any) -> None:
        self._trial = trial
        self._chosen: dict[str, str] = {}
        self._is_there = True

    def Choice(self, name: str, values: Sequence[str]) -> str | None:  # noqa: N802
        if not self._is_there:
            return None
        chosen: str = self._trial.suggest_categorical(name, values)
        self._chosen[name] = chosen
        return chosen

    def Int(  # noqa: N802
        self, name: str, low: int, high: int, sampling: str = "linear"
    ) -> int | None:
        if not self._is_there:
            return None
        value: int = self._trial.suggest_int(name, low, high, log=sampling == "log")
        return value

    def Float(  # noqa: N802
        self, name: str, low: float, high: float, sampling: str = "linear"
    ) -> float | None:
        if not self._is_there:
            return None
        value: float = self._trial.suggest_float(name, low, high, log=sampling == "log")
        return value

    @contextlib.contextmanager
    def conditional_scope(self, name: str, values: Sequence[str]) -> Iterator[None]:
        before = self._is_there
        self._is_there = before and self._chosen.get(name) in values
        try:
            yield
        finally:
            self._is_there = before


def _import_optuna() -> Any:
    """Return the library.

    Raises:
        RunError: it is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise RunError(
            "tune.algorithm: tpe needs Optuna, which is not installed; install it with: "
            f"{how_to_install('optuna')}"
        ) from error
    return optuna


def _text(values: Values) -> str:
    return json.dumps(values, sort_keys=True)


def _is_score(score: float | None) -> bool:
    return score is not None and math.isfinite(score)
