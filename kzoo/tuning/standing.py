"""How far the trials that run have come: written by whatever runs them, read by the display."""

from __future__ import annotations

import contextlib
import json
import math
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from kzoo.figures import Direction
from kzoo.runs.trial import Standing
from kzoo.start import keras

# Seconds between two standings of a trial at least: nobody reads them faster.
_REST = 0.2
_STANDING = TypeAdapter(Standing)


class Standings:
    """The standings of the trials that run, a file each in a folder that goes when they end.

    A worker of a cluster sees the folder as it sees the search's. Whatever goes wrong with the
    files is nothing to a trial or to its search: a standing is then not shown.

    Args:
        search: The search's directory.
    """

    def __init__(self, search: Path) -> None:
        self._folder = search / "live"

    @contextlib.contextmanager
    def kept(self, wanted: bool) -> Iterator[None]:
        """Have the folder within this context, if it is wanted, and not after it."""
        self._clear()
        if wanted:
            with contextlib.suppress(OSError):
                self._folder.mkdir()
        try:
            yield
        finally:
            self._clear()

    def write(self, number: str, standing: Standing) -> None:
        """Put a trial's standing in the place of the one before."""
        file = self._folder / number
        with contextlib.suppress(OSError):
            partial = file.with_suffix(".part")
            partial.write_text(json.dumps(asdict(standing)), "utf-8")
            partial.replace(file)

    def read(self, number: str) -> Standing | None:
        """Return a trial's standing, or None where there is none."""
        # What pydantic raises is a ValueError.
        with contextlib.suppress(OSError, ValueError):
            return _STANDING.validate_json((self._folder / number).read_bytes())
        return None

    def forget(self, number: str) -> None:
        """Delete the standing of a trial that does not run any more."""
        with contextlib.suppress(OSError):
            (self._folder / number).unlink(missing_ok=True)

    def _clear(self) -> None:
        gone = self._folder.with_suffix(".gone")
        with contextlib.suppress(OSError):
            # By another name first: a worker that still runs cannot write into it any more.
            self._folder.replace(gone)
        shutil.rmtree(gone, ignore_errors=True)


class StandingWriter(keras.callbacks.Callback):
    """Writes a trial's standing when its training begins and at the end of its epochs.

    Args:
        write: Takes a standing.
        metric: The key of the score in an epoch's row.
        direction: Whether more or less of it is better.
        rows: The epochs' rows, this epoch's among them when this is called.
        last: The epoch that the trial goes to at most.
        clock: Gives seconds.
    """

    def __init__(
        self,
        write: Callable[[Standing], None],
        metric: str,
        direction: Direction,
        rows: Sequence[dict[str, float]],
        last: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._write = write
        self._metric = metric
        self._better = max if direction == "max" else min
        self._rows = rows
        self._last = last
        self._clock = clock
        self._written = -math.inf

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the standing of a training that begins, or that goes on from a checkpoint."""
        if self._written == -math.inf:
            self._tell()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the standing, unless the last one was written a moment ago."""
        if self._clock() - self._written >= _REST:
            self._tell()

    def _tell(self) -> None:
        self._written = self._clock()
        scores = [row[self._metric] for row in self._rows if self._metric in row]
        finite = [score for score in scores if math.isfinite(score)]
        self._write(
            Standing(
                epoch=len(self._rows),
                epochs=self._last,
                score=scores[-1] if scores else None,
                best=self._better(finite) if finite else None,
            )
        )
