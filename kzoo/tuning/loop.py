"""The loop of a search: ask for values, have them tried, tell the score."""

from __future__ import annotations

from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kzoo.display import SearchProgress
from kzoo.errors import RunError
from kzoo.runs.trial import Trial
from kzoo.spec import Spec
from kzoo.spec.tree import put_all
from kzoo.spec.tune import TuneSpec
from kzoo.tuning.executors import TrialExecutor, is_worker_death
from kzoo.tuning.log import SearchLog, Told
from kzoo.tuning.proposals import Proposal, Proposals
from kzoo.tuning.trial import Job, Outcome, describe_error, run_trial

# A trial whose workers die so often is what kills them.
MOST_DEATHS = 3
# So many trials that all fail, and none that does not, are no bad luck.
MOST_FAILURES = 3


@dataclass
class Loop:
    """A search under way.

    Attributes:
        spec: What is tuned.
        tune: Its search section.
        folder: Where the trials' runs lie.
        proposals: Asked and told.
        log: Hears of both first.
        executor: Runs the trials.
        progress: Shows them.
        waiting: Trials that were proposed to an earlier session and did not end there.
        told: How trials ended, in this session and in those before.
        resume: The command that goes on with the search.
        in_process: The trials run in this process, and end in good order when a signal comes.
    """

    spec: Spec
    tune: TuneSpec
    folder: Path
    proposals: Proposals
    log: SearchLog
    executor: TrialExecutor
    progress: SearchProgress
    waiting: deque[Proposal]
    told: list[Told]
    resume: str
    in_process: bool
    _running: dict[Future[Outcome], Proposal] = field(default_factory=dict)
    _deaths: Counter[str] = field(default_factory=Counter)
    _may_ask: bool = True

    def run(self) -> None:
        """Try what the search proposes until it has no more.

        Raises:
            RunError: the first trials all failed, or nothing more can be tried or written down.
        """
        while True:
            while len(self._running) < max(self.executor.capacity, 1):
                proposal = self._next()
                if proposal is None:
                    break
                self._start(proposal)
            if not self._running:
                return
            done, _ = wait(self._running, timeout=1.0, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=lambda future: self._running[future].trial):
                self._end(self._running.pop(future), future)

    def _next(self) -> Proposal | None:
        if self.waiting:
            return self.waiting.popleft()
        asked = len(self.told) + len(self._running)
        if not self._may_ask or asked >= self.proposals.limit:
            return None
        proposal = self.proposals.ask()
        if proposal is None:
            # Another can only come when a trial has ended.
            self._may_ask = False
            self.log.idle()
        else:
            self.log.asked(proposal)
        return proposal

    def _start(self, proposal: Proposal) -> None:
        self.progress.started(Trial(proposal.trial, proposal.values, epochs=proposal.epochs))
        job = Job(
            trial=proposal.trial,
            spec=trial_tree(self.spec, proposal.values),
            metric=self.tune.objective.metric,
            folder=str(self.folder),
            until=proposal.epochs,
            parent=proposal.parent,
            keeps_checkpoint=self.tune.algorithm == "hyperband",
            resume=self.resume if self.in_process else None,
        )
        self._running[self.executor.submit(run_trial, job)] = proposal

    def _end(self, proposal: Proposal, future: Future[Outcome]) -> None:
        try:
            outcome = future.result()
        except CancelledError:
            raise RunError(f"the cluster has gone; go on with: {self.resume}") from None
        except Exception as error:
            if not is_worker_death(error):
                raise
            self._deaths[proposal.trial] += 1
            deaths = self._deaths[proposal.trial]
            if deaths < MOST_DEATHS:
                self.progress.say(f"trial {proposal.trial}: its worker died; it is run again")
                self.waiting.appendleft(proposal)
                return
            text = f"its worker died {deaths} times ({describe_error(error)})"
            outcome = Outcome(0.0, error=text)
        self._tell(proposal, outcome)

    def _tell(self, proposal: Proposal, outcome: Outcome) -> None:
        told = Told(
            trial=proposal.trial,
            status="failed" if outcome.score is None else "completed",
            score=outcome.score,
            epochs=outcome.epochs,
            seconds=outcome.seconds,
            run=outcome.run,
            error=outcome.error,
        )
        self.log.told(told)
        self.told.append(told)
        self.proposals.tell(told.trial, told.score)
        self._may_ask = True
        show(self.progress, told, proposal.values)
        if len(self.told) == MOST_FAILURES:
            refuse_failures(self.told)


def show(
    progress: SearchProgress, told: Told, values: dict[str, Any], *, kept: bool = False
) -> None:
    """Show how a trial ended, now or in an earlier session."""
    trial = Trial(
        told.trial,
        values,
        told.status,
        told.score,
        told.epochs,
        told.seconds,
        error=None if told.score is not None else told.error or "no score",
    )
    progress.ended(trial, kept=kept)


def refuse_failures(told: list[Told]) -> None:
    """Refuse to go on with a search of which nothing has come.

    Raises:
        RunError: all trials failed.
    """
    if told and all(end.score is None for end in told):
        first = min(told, key=lambda end: end.trial)
        count = "the only trial" if len(told) == 1 else f"the first {len(told)} trials all"
        raise RunError(f"{count} failed, so the search ends; trial {first.trial}: {first.error}")


def trial_tree(spec: Spec, values: dict[str, Any]) -> dict[str, Any]:
    """Return a trial's complete spec: the searched one with these values, as JSON data."""
    kept = spec.model_copy(update={"tune": None, "expected": None, "found": None})
    tree = kept.to_dict()
    put_all(tree, values)
    return tree
