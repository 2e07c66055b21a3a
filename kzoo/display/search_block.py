"""What is drawn again and again of a search: the table of its trials, and a bar below it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from kzoo.display.bars import LABEL_WIDTH, SHORTEST_BAR, WIDEST, draw_bar, fit_phrases
from kzoo.display.header import replaced
from kzoo.display.metrics import format_seconds
from kzoo.display.search_rows import choose_final_rows, choose_rows
from kzoo.display.search_state import SearchState
from kzoo.display.search_table import SearchTable
from kzoo.display.search_words import count_trials, format_values, short_names
from kzoo.errors import one_line

# Lines of the window that are not for trials: two of titles, the best's values, the failed, the
# bar, the prompt's own.
_OTHER_LINES = 6
# An error can be as long as a file.
_LONGEST_NOTE = 400
# What a terminal writes at the cursor when it is interrupted: it must not begin another line.
_ECHO = "^C"


class SearchBlock:
    """The trials and a bar; when the search has ended, the best trials and a summary.

    Args:
        take: Gives the search as it stands.
    """

    def __init__(self, take: Callable[[], SearchState]) -> None:
        self.ended = False
        self._take = take

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give the lines; while the search goes on, no more of them than the window has."""
        state = self._take()
        yield from self._draw_trials(state, max(console.height - _OTHER_LINES, 3), options)
        if state.failed:
            yield self._note(_failures(state), "red", options)
        if self.ended:
            yield Text(_summary(state))
        else:
            yield from _draw_bar(state, console, options)

    def _draw_trials(
        self, state: SearchState, room: int, options: ConsoleOptions
    ) -> Iterator[Text]:
        rows = choose_final_rows(state) if self.ended else choose_rows(state, room)
        if not rows.trials:
            return
        table = SearchTable(state, rows.trials, options)
        yield from table.titles()
        yield from map(table.line, rows.above)
        if rows.hidden:
            dots = "..." if options.ascii_only else "\N{HORIZONTAL ELLIPSIS}"
            yield Text(f"  {dots} {count_trials(rows.hidden, 'more')}", style="dim")
        yield from map(table.line, rows.below)
        if state.best and not table.complete:
            values = format_values(state.best.values, short_names(state.parameters))
            yield self._note(f"best: {values}", "green", options)

    def _note(self, text: str, style: str, options: ConsoleOptions) -> Text:
        """Return a text as one line that fits, or whole when the search has ended."""
        longest = _LONGEST_NOTE if self.ended else options.max_width
        note = Text(replaced(one_line(text), options.encoding), style=style)
        if note.cell_len > longest:
            dots = ".." if options.ascii_only else "\N{HORIZONTAL ELLIPSIS}"
            note.truncate(longest - len(dots), overflow="crop")
            note.append(dots)
        return note


def _failures(state: SearchState) -> str:
    first = state.failed[0]
    if len(state.failed) == 1:
        return f"trial {first.name} failed: {first.error}"
    return f"{len(state.failed)} trials failed; the first, {first.name}: {first.error}"


def _summary(state: SearchState) -> str:
    kept = sum(trial.kept for trial in state.finished)
    earlier = f", {kept} of them in an earlier session" if kept else ""
    return f"{count_trials(len(state.finished))} in {format_seconds(state.elapsed)}{earlier}"


def _draw_bar(state: SearchState, console: Console, options: ConsoleOptions) -> RenderResult:
    done, left = len(state.finished), state.seconds_left
    phrases = [f"  {done}/{state.total}" if state.total else f"  {done} finished"]
    if left is not None:
        phrases.append(f"  {format_seconds(left)} left")
    phrases.append(f"  {format_seconds(state.elapsed)} elapsed")
    width = min(options.max_width - len(_ECHO), WIDEST)
    figures = fit_phrases(phrases, width - LABEL_WIDTH - SHORTEST_BAR)
    bar = width - LABEL_WIDTH - len(figures)
    yield from draw_bar(console, options, "trials", done, state.total, bar, figures)
