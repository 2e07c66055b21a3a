"""What `kzoo doctor` finds, and how it is printed: a line each, with what to type to mend it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from kzoo.cli.columns import result_console
from kzoo.display.text import printable

Mark = Literal["ok", "note", "problem"]

_STYLES = {"ok": "green", "note": "yellow", "problem": "bold red"}
_GAP = 2
_INDENT = 4


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        mark: ``problem``: it would keep a run from working; ``note``: worth knowing.
        about: What was looked at, in a word.
        what: What was found.
        command: What to type: to mend it, to change it, or to go on.
        figures: The numbers in it, for programs; bytes and seconds.
    """

    mark: Mark
    about: str
    what: str
    command: str
    figures: Mapping[str, Any] = field(default_factory=dict)

    def tree(self) -> dict[str, Any]:
        """Return it as JSON data."""
        tree = asdict(self)
        return {("type" if name == "command" else name): value for name, value in tree.items()}


def print_findings(findings: Sequence[Finding]) -> None:
    """Print a line each; where they do not all fit, what to type stands below what was found.

    What is well has nothing to type.
    """
    console = result_console()
    about = max(cell_len(finding.about) for finding in findings)
    lines = [_line(finding, about, console) for finding in findings]
    if all(cell_len(line.plain) <= console.width for line in lines):
        for line in lines:
            console.print(line, soft_wrap=True)
        return
    for finding in findings:
        _print_below(console, finding)


def _line(finding: Finding, about: int, console: Console) -> Text:
    """Return a finding as one line, its command right behind what it is for."""
    start = f"{finding.mark:<{_widest()}}{' ' * _GAP}{finding.about:<{about + _GAP}}"
    parts = [start + finding.what, *filter(None, [_to_type(finding)])]
    style = _STYLES[finding.mark] if finding.mark != "ok" else ""
    return Text(printable((" " * _GAP).join(parts), console.encoding), style=style)


def _print_below(console: Console, finding: Finding) -> None:
    """Print a finding on several lines: words are wrapped, what to type is never cut."""
    mark = Text(f"{finding.mark:<{_widest()}}", style=_STYLES[finding.mark])
    label = printable(f"{finding.about}: {finding.what}", console.encoding)
    width = max(console.width - cell_len(mark.plain) - 1, 1)
    first, *more = Text(label).wrap(console, width)
    console.print(Text.assemble(mark, " ", first))
    for line in more:
        console.print(Text.assemble(" " * (cell_len(mark.plain) + 1), line))
    if not _to_type(finding):
        return
    # Copied from a terminal, it must be one line, whatever its length.
    command = printable(finding.command, console.encoding)
    console.print(Text(f"{' ' * _INDENT}{command}", style="bold"), soft_wrap=True)


def _to_type(finding: Finding) -> str:
    return "" if finding.mark == "ok" else f"try: {finding.command}"


def _widest() -> int:
    return max(map(len, _STYLES))
