"""The loop of a search: ask for values, have them tried, tell the score."""

from __future__ import annotations

import contextlib
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic, time
from typing import Any

from kzoo.display import SearchProgress
from kzoo.errors import BrokenOffError, ClusterLostError, RunError, WorkerError, describe_error
from kzoo.runs import Run, directory
from kzoo.runs.trial import Trial, preference
from kzoo.spec import Spec
from kzoo.spec.sampled import put_values
from kzoo.spec.tune import TuneSpec
from kzoo.tuning.algorithms import Proposer
from kzoo.tuning.executors import InProcess, TrialExecutor, is_worker_death
from kzoo.tuning.front import pareto_front
from kzoo.tuning.log import SearchLog
from kzoo.tuning.needs import Needs
from kzoo.tuning.pruning import Curve
from kzoo.tuning.search import TRIALS
from kzoo.tuning.seeds import with_seed
from kzoo.tuning.standing import Standings
from kzoo.tuning.trial_runs import LogTroubles, runs_of
from kzoo.tuning.worker import STOPPED, Job, failed, run_trial

# Seconds between two looks at the clock and at the number of workers.
_PATIENCE = 0.5
# A trial whose workers die so often is what kills them.
MOST_DEATHS = 3
# So many trials that all fail, and none that does not, are no bad luck.
MOST_FAILURES = 3


@dataclass
class Loop:
    """A search under way.

    Attributes:
        path: Its directory.
        spec: What is tuned.
        tune: Its `tune` section.
        proposer: Asked and told.
        log: Hears of both first.
        executor: Runs the trials.
        needs: What a worker has to have.
        limit: Trials at most, those that ended before included.
        deadline: When to end, on the clock of `time.monotonic`; None for no limit.
        progress: Shows them.
        waiting: Trials that were proposed to an earlier session and did not end there.
        ended: The trials that ended, in this session and in those before.
        standings: How far those have come that run.
        logged_to: The names of the libraries that trials are logged to.
        confirms: Fresh seeds with which the best are trained again afterwards.
    """

    path: Path
    spec: Spec
    tune: TuneSpec
    proposer: Proposer
    log: SearchLog
    executor: TrialExecutor
    needs: Needs
    limit: int
    deadline: float | None
    progress: SearchProgress
    waiting: deque[Trial]
    ended: list[Trial]
    standings: Standings
    logged_to: tuple[str, ...] = ()
    confirms: int = 0
    _running: dict[Future[Trial], Trial] = field(default_factory=dict)
    _deaths: Counter[str] = field(default_factory=Counter)
    _known_curves: dict[str, Curve] = field(default_factory=dict)
    _known_whole: dict[str, bool] = field(default_factory=dict)
    _may_ask: bool = True
    _has_workers: bool = True

    def run(self) -> None:
        """Try what the search proposes until it has no more, or no time.

        Trials that run when there is no more time are broken off: they stay under way in the log.

        Raises:
            RunError: the first trials all failed, or nothing more can be tried or written down.
            ClusterLostError: the cluster is gone.
        """
        while True:
            while len(self._running) < self._room():
                trial = self._next()
                if trial is None:
                    break
                self._start(trial)
            if not self._running:
                return
            done, _ = wait(self._running, timeout=_PATIENCE, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=lambda future: self._running[future].number):
                self._end(self._running.pop(future), future)
            if self._breaks_off and self._running:
                self.executor.stop()
                return

    def confirm(self, trials: Sequence[Trial]) -> Iterator[tuple[Trial, Trial]]:
        """Train trials again, whole, with `confirms` seeds each that no trial had.

        It is for a loop that was not broken off.

        Args:
            trials: Which.

        Yields:
            A trial, and what it came to with the fresh seeds; those that there was no time for are
            left out.
        """
        waiting = deque(trials)
        while waiting or self._running:
            while waiting and not self.is_late and len(self._running) < self._room():
                trial = waiting.popleft()
                self._running[self.executor.submit(run_trial, self._fresh(trial))] = trial
            if not self._running:
                return
            done, _ = wait(self._running, timeout=_PATIENCE, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=lambda future: self._running[future].number):
                trial = self._running.pop(future)
                again = self._result(trial, future)
                if again is None:
                    waiting.appendleft(trial)
                else:
                    yield trial, again
            if self.is_late and self._running:
                self.executor.stop()
                return

    def _fresh(self, trial: Trial) -> Job:
        job = self._job(replace(trial, number=f"{trial.number}c", epochs=None, parent=None))
        # After those of the trials; none is given up.
        spec = with_seed(job.spec, self.tune.seeds_per_trial)
        return replace(
            job,
            spec=spec,
            seeds=self.confirms,
            others=(),
            seconds=None,
            prune=None,
            keeps_checkpoint=False,
            is_watched=False,
        )

    def _room(self) -> int:
        """Return how many trials run at once, now; say so where there is nobody to run one."""
        workers = self.executor.capacity
        if self._has_workers and not workers:
            self.progress.say("there are no workers any more; the search waits for new ones")
        self._has_workers = workers > 0
        return max(workers, 1)

    @property
    def is_late(self) -> bool:
        """Whether the time is over."""
        return self.deadline is not None and monotonic() >= self.deadline

    @property
    def is_good_enough(self) -> bool:
        """Whether a trial has reached the target."""
        target, sign = self.tune.target, self._sign
        return target is not None and any(
            sign * trial.score >= sign * target for trial in self.ended if trial.score is not None
        )

    @property
    def _sign(self) -> int:
        return 1 if self.tune.objective.direction == "max" else -1

    @property
    def _is_over(self) -> bool:
        return self.is_late or self.is_good_enough

    @property
    def _breaks_off(self) -> bool:
        """Whether trials under way are left: what is to be confirmed still needs the workers."""
        return self.is_late or (self.is_good_enough and not self.confirms)

    @property
    def is_broken_off(self) -> bool:
        """Whether trials were left under way."""
        return bool(self._running or self.waiting)

    def _next(self) -> Trial | None:
        if self._is_over or len(self.ended) + len(self._running) >= self.limit:
            return None
        if self.waiting:
            return self.waiting.popleft()
        if not self._may_ask:
            return None
        trial = self.proposer.ask()
        if trial is None:
            # Another can only come when a trial has ended.
            self._may_ask = False
            self.log.idle()
        else:
            self.log.asked(trial)
        return trial

    def _start(self, trial: Trial) -> None:
        self.progress.started(trial)
        self._running[self.executor.submit(run_trial, self._job(trial))] = trial

    def _job(self, trial: Trial) -> Job:
        return Job(
            trial,
            spec=trial_tree(self.spec, trial.values),
            metric=self.tune.objective.metric,
            folder=self.path / TRIALS,
            needs=self.needs,
            seconds=self.tune.trial_seconds,
            until=self._until(),
            prune=self.tune.prune,
            direction=self.tune.objective.direction,
            curves=self._curves(),
            keeps_checkpoint=self.proposer.continues_trials,
            heeds_signals=isinstance(self.executor, InProcess),
            log=self.logged_to,
            seeds=self.tune.seeds_per_trial,
            others=self._scores(),
            also=self.tune.also.metric if self.tune.also else None,
            is_watched=self.progress.moves,
        )

    def _until(self) -> float | None:
        """Return when the search ends by the clock that all machines share."""
        return None if self.deadline is None else time() + self.deadline - monotonic()

    def _curves(self) -> tuple[Curve, ...]:
        """Return the scores by epoch of the trials that have ended, if trials are pruned."""
        if self.tune.prune is None:
            return ()
        for trial in self.ended:
            if trial.run and trial.number not in self._known_curves:
                history = Run(self.path / TRIALS / trial.run).history
                self._known_curves[trial.number] = tuple(history[self.tune.objective.metric])
        return tuple(self._known_curves.values())

    def _scores(self) -> tuple[tuple[float, ...], ...]:
        """Return the scores by seed of the trials that have ended, if each has several.

        A score of fewer epochs than a whole training's is none to compare with.
        """
        if self.tune.seeds_per_trial == 1:
            return ()
        return tuple(trial.scores for trial in self.ended if self._is_whole(trial))

    def _is_whole(self, trial: Trial) -> bool:
        """Return whether a trial that has ended was trained to its end with its first seed."""
        if trial.state != "stopped" or trial.run is None:
            return True
        if trial.number not in self._known_whole:
            metrics = Run(self.path / TRIALS / trial.run).metrics
            self._known_whole[trial.number] = not metrics.get(STOPPED)
        return self._known_whole[trial.number]

    def _end(self, trial: Trial, future: Future[Trial]) -> None:
        self.standings.forget(trial.number)
        ended = self._result(trial, future)
        if ended is None:
            self.waiting.appendleft(trial)
        else:
            self._tell(ended)

    def _result(self, trial: Trial, future: Future[Trial]) -> Trial | None:
        """Return how a trial ended; None where it is to be run again.

        Raises:
            BrokenOffError: this one cannot be run as things are.
            ClusterLostError: nothing more can be run.
        """
        try:
            return future.result()
        except CancelledError:
            raise ClusterLostError from None
        except WorkerError as error:
            if self._breaks_off:
                return None
            # No verdict on the values: they are tried again.
            raise BrokenOffError(f"trial {trial.number}: {error}", self.path) from error
        except Exception as error:
            if not is_worker_death(error):
                raise
            self._deaths[trial.number] += 1
            deaths = self._deaths[trial.number]
            if deaths < MOST_DEATHS:
                self.progress.say(f"trial {trial.number}: its worker died; it is run again")
                return None
            return failed(trial, f"its worker died {deaths} times ({describe_error(error)})")

    def _tell(self, trial: Trial) -> None:
        self.log.told(trial)
        self.ended.append(trial)
        self.proposer.tell(trial)
        self._may_ask = True
        self.progress.ended(trial)
        self._drop_weights()
        if trial.run and self.logged_to:
            for line in LogTroubles(self.path / TRIALS / trial.run).lines():
                self.progress.say(f"trial {trial.number}: {line}")
        if len(self.ended) == MOST_FAILURES:
            refuse_failures(self.ended)

    def _drop_weights(self) -> None:
        """Delete the trained weights of all but the best trials, and those of the front."""
        direction = self.tune.objective.direction
        scored = [trial for trial in self.ended if trial.score is not None]
        scored.sort(key=lambda trial: preference(trial, direction))
        front = pareto_front(scored, direction)
        for trial in scored[self.tune.keep_weights :]:
            if self.tune.keep_weights and trial in front:
                continue
            # With several seeds it has several runs.
            for run in runs_of(self.path / TRIALS, trial.number):
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


def trial_tree(spec: Spec, values: dict[str, Any]) -> dict[str, Any]:
    """Return a trial's complete spec: the searched one with these values, as JSON data."""
    kept = spec.model_copy(update={"tune": None, "expected": None, "found": None})
    tree = kept.to_dict()
    put_values(tree, values)
    return tree
