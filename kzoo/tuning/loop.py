"""The loop of a search: ask for values, have them tried, tell the score."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic, time

from kzoo.display import SearchProgress
from kzoo.errors import BrokenOffError, ClusterLostError, WorkerError, describe_error
from kzoo.runs.trial import Trial
from kzoo.spec import Spec
from kzoo.spec.sampled import trial_tree
from kzoo.spec.tune import TuneSpec
from kzoo.tuning.algorithms import Proposer
from kzoo.tuning.ended import EndedTrials, refuse_failures
from kzoo.tuning.executors import InProcess, TrialExecutor, is_worker_death
from kzoo.tuning.log import SearchLog
from kzoo.tuning.needs import Needs
from kzoo.tuning.search import TRIALS
from kzoo.tuning.seeds import with_seed
from kzoo.tuning.standing import Standings
from kzoo.tuning.trial_runs import LogTroubles
from kzoo.tuning.worker import Job, failed, run_trial

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
    ended: EndedTrials
    standings: Standings
    logged_to: tuple[str, ...] = ()
    confirms: int = 0
    _running: dict[Future[Trial], Trial] = field(default_factory=dict)
    _deaths: Counter[str] = field(default_factory=Counter)
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
    def _is_over(self) -> bool:
        return self.is_late or self.ended.is_good_enough

    @property
    def _breaks_off(self) -> bool:
        """Whether trials under way are left: what is to be confirmed still needs the workers."""
        return self.is_late or (self.ended.is_good_enough and not self.confirms)

    @property
    def is_broken_off(self) -> bool:
        """Whether trials were left under way."""
        return bool(self._running or self.waiting)

    def _next(self) -> Trial | None:
        if self._is_over or len(self.ended.trials) + len(self._running) >= self.limit:
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
            curves=self.ended.curves(),
            keeps_checkpoint=self.proposer.continues_trials,
            heeds_signals=isinstance(self.executor, InProcess),
            log=self.logged_to,
            seeds=self.tune.seeds_per_trial,
            others=self.ended.scores(),
            also=self.tune.also.metric if self.tune.also else None,
            is_watched=self.progress.moves,
        )

    def _until(self) -> float | None:
        """Return when the search ends by the clock that all machines share."""
        return None if self.deadline is None else time() + self.deadline - monotonic()

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
        self.ended.trials.append(trial)
        self.proposer.tell(trial)
        self._may_ask = True
        self.progress.ended(trial)
        self.ended.drop_weights()
        if trial.run and self.logged_to:
            for line in LogTroubles(self.path / TRIALS / trial.run).lines():
                self.progress.say(f"trial {trial.number}: {line}")
        if len(self.ended.trials) == MOST_FAILURES:
            refuse_failures(self.ended.trials)
