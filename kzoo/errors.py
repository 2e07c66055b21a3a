"""The errors that kzoo raises on purpose, and the hint that goes with a misspelt name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class KzooError(Exception):
    """Base of every error that a person can mend; the command line prints it and exits 1."""

    def __str__(self) -> str:
        return one_line(super().__str__())


class KzooWarning(UserWarning):
    """What a person should know of what was taken; the command line prints it as a notice."""

    def __str__(self) -> str:
        return one_line(super().__str__())


class SpecError(KzooError):
    """A spec, or an override of one, says something that cannot be carried out."""


class DataError(KzooError):
    """A dataset is missing, unreadable, or not what a classifier can be trained on."""


class ImageSizesError(DataError):
    """Images have several sizes.

    Attributes:
        problem: Which have.
    """

    def __init__(self, problem: str, change: str, why: str = "to stretch all to one size") -> None:
        super().__init__(f"{problem} ({why} add {change} to the command)")
        self.problem = problem


class PluginError(KzooError):
    """A builder or a folder of specs that a distribution registered cannot be used."""


class RunError(KzooError):
    """A run directory cannot be written, found or read."""


class ExportError(KzooError):
    """A model cannot be exported, or what was exported does not agree with it."""


class ServerError(KzooError):
    """The server cannot start."""


class DivergedError(RunError):
    """A training came to numbers that are not finite."""


class WorkerError(KzooError):
    """A worker cannot train a trial as things are, which says nothing of the trial's values."""


class ClusterLostError(KzooError):
    """The cluster that runs a search's trials is gone; the search can go on elsewhere."""

    def __init__(self) -> None:
        super().__init__("the cluster has gone: its scheduler does not answer")


class BrokenOffError(RunError):
    """What a search stands on has failed; it can be gone on with once that is mended.

    Attributes:
        path: The search's directory.
    """

    def __init__(self, reason: str, path: Path) -> None:
        super().__init__(reason)
        self.path = path


class Interrupted(KeyboardInterrupt):
    """A signal ended a training or a search that can be resumed.

    Attributes:
        signal: Its number.
        path: The directory of the run or the search.
    """

    def __init__(self, signal: int, path: Path) -> None:
        super().__init__(f"interrupted; {path} can be gone on with")
        self.signal = signal
        self.path = path


class UnknownNameError(KzooError):
    """No builder, spec or dataset has this name."""

    def __init__(
        self, kind: str, name: str, known: Iterable[str], *, where: str = "", more: str = ""
    ) -> None:
        known = sorted(known)
        prefix = f"{where}: " if where else ""
        hint = did_you_mean(name, known) or f" Known: {', '.join(known) or 'none'}."
        super().__init__(f"{prefix}unknown {kind} {name!r}.{hint}{more}")


def one_line(text: str) -> str:
    """Return a text fit to print: line ends and control characters become escapes.

    File names, keys and classes come from anywhere; none may steer the terminal.
    """
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )


def describe_error(error: BaseException) -> str:
    """Return the kind of an error that is not kzoo's, and its first line, fit to print."""
    lines = str(error).strip().splitlines()
    return one_line(": ".join([type(error).__name__, *lines[:1]]))


def how_to_install(*extras: str) -> str:
    """Return the command that adds packages to an installed kzoo, as every shell takes it."""
    return f'pip install "kzoo[{",".join(extras)}]"'


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the nearest known name, or an empty string."""
    near = nearest(name, known)
    return f" Did you mean {near!r}?" if near else ""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that a person most likely means, or an empty string.

    It is written alike, or the only one that the name is a part or the initials of: `softmax` for
    `softmax_regression`, `lr` for `learning_rate`.
    """
    by_folded = {candidate.casefold(): candidate for candidate in known}
    folded = name.casefold()
    close = difflib.get_close_matches(folded, by_folded, n=1, cutoff=0.6)
    if close:
        return by_folded[close[0]]
    parts = [one for one in by_folded if len(folded) > 2 and folded in one]
    initials = [one for one in by_folded if len(folded) > 1 and folded == _initials(one)]
    found = parts or initials
    return by_folded[found[0]] if len(found) == 1 else ""


def _initials(name: str) -> str:
    return "".join(word[:1] for word in name.replace("-", "_").split("_"))
