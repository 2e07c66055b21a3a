"""What is drawn of a search: the table of its trials, and a bar below it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from kzoo.display.bars import Bar, draw_bars
from kzoo.display.forms import Picture
from kzoo.display.search_state import SearchState, written_score
from kzoo.display.table import Column, fit_columns
from kzoo.display.text import (
    count_trials,
    dots,
    format_cost,
    format_duration,
    format_parameter,
    format_seconds,
    format_value,
    format_values,
    printable,
    short_name,
    short_names,
    star,
)
from kzoo.runs.trial import SCORED

if TYPE_CHECKING:
    from kzoo.runs.trial import Trial

    # Trials that get a line, and how many are left out between the first and the others.
    _Rows = tuple[list[Trial], int, list[Trial]]

# Lines of the window that are not for trials: two of titles, the best's values, the failed, the
# bar, the prompt's own.
_OTHER_LINES = 6
# The trials that ended last that are shown even if they are not among the best.
_LATEST = 3
# Those that are listed when the search has ended.
_TOP = 10
# An error can be as long as a file.
_LONGEST_NOTE = 400
# What a terminal writes at the cursor when it is interrupted: it must not begin another line.
_ECHO = "^C"
_STYLES = {"running": "cyan", "failed": "red", "stopped": "", "completed": ""}


class SearchPicture(Picture):
    """The trials and a bar; when the search is over, the best trials and a summary.

    Args:
        take: Gives the search as it stands.
    """

    def __init__(self, take: Callable[[], SearchState]) -> None:
        self._take = take

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give the lines; while the search goes on, no more of them than the window has."""
        state = self._take()
        room = max(console.height - _OTHER_LINES, 3)
        rows = _choose_last(state) if state.is_over else _choose(state, room)
        yield from _draw_trials(state, rows, console)
        if state.failed:
            yield _note(_failures(state), "red", state, console)
        if state.is_over:
            yield Text(_summary(state))
        else:
            yield from draw_bars(console, options, [_bar(state)], options.max_width - len(_ECHO))


def _choose(state: SearchState, room: int) -> _Rows:
    """Return what is listed on `room` lines, at least 3, while the search goes on.

    That is the best, and the failed if there is room for all; those that ended last; those that
    run.
    """
    ended, running = [*state.completed, *state.failed], state.running
    if len(ended) + len(running) <= room:
        return [*ended, *running], 0, []
    room -= 1
    runs = running[-max(room // 2, room - len(ended)) :]
    left = room - len(runs)
    recent = min(_LATEST, left // 2)
    above = ended[: left - recent]
    others = [trial for trial in state.ended if trial not in above]
    latest = others[len(others) - recent :]
    hidden = len(ended) + len(running) - len(above) - len(latest) - len(runs)
    return above, hidden, [*latest, *runs]


def _choose_last(state: SearchState) -> _Rows:
    """Return what is listed when the search is over: the failed are counted elsewhere."""
    completed = state.completed
    return completed[:_TOP], len(completed[_TOP:]) + len(state.running), []


def _draw_trials(state: SearchState, rows: _Rows, console: Console) -> RenderResult:
    above, hidden, below = rows
    trials, best, names = [*above, *below], state.best, short_names(state.parameters)
    if not trials:
        return
    table = fit_columns(_columns(state, trials, console), console, may_fold=True)
    yield from table.titles("dim")
    lines = [
        table.row(index, "bold green" if trial is best else _STYLES[trial.state])
        for index, trial in enumerate(trials)
    ]
    if hidden:
        mark = "..." if console.options.ascii_only else dots(ascii_only=False)
        more = Text(f"  {mark} {count_trials(hidden, 'more')}", style="dim")
        lines.insert(len(above), [more])
    for line in lines:
        yield from line
    if best and not {column.title for column in table.columns}.issuperset(names.values()):
        yield _note(f"best: {format_values(best.values, names)}", "green", state, console)


def _columns(state: SearchState, trials: Sequence[Trial], console: Console) -> list[Column]:
    """Return the columns: number, parameters, score or state, epochs where they tell, and time.

    Of a trial that runs the score is that after its last epoch, and its best so far stands beside.
    """
    ascii_only = console.options.ascii_only

    def short(text: str) -> str:
        return short_name(printable(text, console.encoding), ascii_only=ascii_only)

    mark, best = star(ascii_only=ascii_only), state.best
    numbers = [f"{mark if trial is best else ' '} {short(trial.number)}" for trial in trials]
    columns = [Column("  trial", numbers)]
    names = short_names(state.parameters)
    titles = {path: short(name) for path, name in names.items()}
    if len(set(titles.values())) < len(titles):
        # Two that are told apart by their middles alone.
        titles = names
    for rank, path in enumerate(names, start=1):
        cells = [
            short(format_parameter(trial.values[path])) if path in trial.values else "-"
            for trial in trials
        ]
        columns.append(Column(titles[path], cells, rank, right=True))
    scores = [_score(state, trial) for trial in trials]
    columns.append(Column(short(state.metric), scores, right=True))
    if state.also:
        costs = [format_cost(t.cost) if t.state in SCORED else "" for t in trials]
        columns.append(Column(short(state.also), costs, 1, right=True))
    if state.shows_standings:
        bests = [_own_best(state, trial) for trial in trials]
        columns.append(Column("its best", bests, len(names) + 3, right=True))
    if state.epochs_differ:
        epochs = [_epochs(state, trial) for trial in trials]
        # Of trials that run, they are told before the third of many parameters.
        rank = 2 if state.shows_standings else len(names) + 2
        columns.append(Column("epochs", epochs, rank, right=True))
    times = [_time(state, trial) for trial in trials]
    return [*columns, Column("time", times, len(names) + 1, right=True)]


def _score(state: SearchState, trial: Trial) -> str:
    standing = state.standing_of(trial)
    if standing is not None and standing.score is not None:
        return format_value(standing.score)
    return written_score(trial) if trial.state in SCORED else trial.state


def _own_best(state: SearchState, trial: Trial) -> str:
    """Return the best score so far of a trial that runs; a blank keeps the place for it."""
    standing = state.standing_of(trial)
    return " " if standing is None or standing.best is None else format_value(standing.best)


def _epochs(state: SearchState, trial: Trial) -> str:
    standing = state.standing_of(trial)
    if standing is not None:
        return f"{standing.epoch}/{standing.epochs}"
    if trial.epochs is None or trial.state == "failed":
        return " " if state.shows_standings else ""
    return f"to {trial.epochs}" if trial.state == "running" else f"{trial.epochs}"


def _time(state: SearchState, trial: Trial) -> str:
    seconds = state.seconds_of(trial)
    # Tenths that rush by would only be a reason to draw more often.
    few = trial.state == "running" and seconds < 10
    return f"{int(seconds)} s" if few else format_duration(seconds)


def _note(text: str, style: str, state: SearchState, console: Console) -> Text:
    """Return a text as one line that fits, or whole when the search is over."""
    longest = _LONGEST_NOTE if state.is_over else console.width
    note = Text(printable(text, console.encoding), style=style)
    if note.cell_len > longest:
        mark = dots(ascii_only=console.options.ascii_only)
        note.truncate(longest - len(mark), overflow="crop")
        note.append(mark)
    return note


def _failures(state: SearchState) -> str:
    first = state.failed[0]
    if len(state.failed) == 1:
        return f"trial {first.number} failed: {first.error or ''}"
    return f"{len(state.failed)} trials failed; the first, {first.number}: {first.error or ''}"


def _summary(state: SearchState) -> str:
    kept = len(state.kept)
    earlier = f", {kept} of them in an earlier session" if kept else ""
    return f"{count_trials(len(state.ended))} in {format_seconds(state.elapsed)}{earlier}"


def _bar(state: SearchState) -> Bar:
    done, left = len(state.ended), state.seconds_left
    phrases = [f"  {done}/{state.total}" if state.total else f"  {done} finished"]
    if left is not None:
        phrases.append(f"  {format_seconds(left)} left")
    phrases.append(f"  {format_seconds(state.elapsed)} elapsed")
    return Bar("trials", done, state.total, phrases)
