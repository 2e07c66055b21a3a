"""The protocol of what proposes the trials of a search."""

from __future__ import annotations

from typing import Protocol

from kzoo.runs.trial import Trial


class Proposer(Protocol):
    """A search's next trials, given the scores of those before; the same each time.

    It is made of a spec's ``tune`` section, the seed of the search and the epochs of a full
    training. As it is told and asked again in the same order, it gives the same trials.
    """

    @property
    def continues_trials(self) -> bool:
        """Whether a trial may go on with the training of an earlier one."""

    @property
    def points(self) -> int | None:
        """How many different points the space has for this algorithm; None for no end."""

    @property
    def limit(self) -> int | None:
        """The number of trials that there can be; None where there is no end of them."""

    @property
    def exhausted(self) -> bool:
        """Whether there will never be another trial; known once `ask` has given None."""

    def ask(self) -> Trial | None:
        """Return a trial to run, and None where there is none, for now or for ever."""

    def tell(self, trial: Trial) -> None:
        """End a trial that `ask` gave, or a failed one again, which was tried once more.

        A trial without a score has failed, and so has one whose score is not finite.

        Raises:
            KeyError: there is no such trial, or it has a score.
        """
