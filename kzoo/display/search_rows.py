"""Which trials of a search get a line where there are more than lines."""

from __future__ import annotations

from dataclasses import dataclass

from kzoo.display.search_state import SearchState, Trial

# The trials finished last that are shown even if they are not among the best.
_LATEST = 3
# Those that are listed when the search has ended.
_TOP = 10


@dataclass(frozen=True)
class Rows:
    """What is listed.

    Attributes:
        above: The best, and the failed if there is room for all.
        hidden: How many are left out below them.
        below: Those finished last, then those that run.
    """

    above: list[Trial]
    hidden: int = 0
    below: tuple[Trial, ...] = ()

    @property
    def trials(self) -> list[Trial]:
        """All that get a line."""
        return [*self.above, *self.below]


def choose_rows(state: SearchState, room: int) -> Rows:
    """Return what is listed on `room` lines, at least 3, while the search goes on."""
    finished, running = [*state.done, *state.failed], state.running
    if len(finished) + len(running) <= room:
        return Rows([*finished, *running])
    room -= 1
    runs = running[-max(room // 2, room - len(finished)) :]
    left = room - len(runs)
    recent = min(_LATEST, left // 2)
    above = finished[: left - recent]
    others = [trial for trial in state.finished if trial not in above]
    latest = others[len(others) - recent :]
    hidden = len(finished) + len(running) - len(above) - len(latest) - len(runs)
    return Rows(above, hidden, (*latest, *runs))


def choose_final_rows(state: SearchState) -> Rows:
    """Return what is listed when the search has ended: the failed are counted elsewhere."""
    done = state.done
    return Rows(done[:_TOP], len(done[_TOP:]) + len(state.running))
