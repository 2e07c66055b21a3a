"""The bytes of a text table: decompressed, guarded, and read again where an error needs a line."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from kzoo.datasets.limits import refuse_inflation, refuse_too_large
from kzoo.errors import DataError

_GZIP_MAGIC = b"\x1f\x8b"
# Lines are read whole: a row of a million numbers is shorter.
LONGEST_LINE = 2**24
_BUFFER = 2**20
# By their first bytes; of files without them UTF-8 is expected.
_MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))


class DamagedError(Exception):
    """The bytes hold what no table does; the table has to be looked through for where."""


class _Guard(io.RawIOBase):
    """Passes bytes on, and stops at NUL bytes, at endless lines and at too many of them."""

    def __init__(self, stream: BinaryIO | gzip.GzipFile, path: Path, *, allows_nul: bool) -> None:
        super().__init__()
        self._stream, self._path, self._allows_nul = stream, path, allows_nul
        self._size = path.stat().st_size
        self._is_compressed = isinstance(stream, gzip.GzipFile)
        self._read = self._line = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]  # typeshed's buffers are wider
        chunk = self._stream.read(len(buffer))
        self._read += len(chunk)
        if self._is_compressed:
            refuse_inflation(self._size, self._read, str(self._path))
        last = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
        self._line = self._line + len(chunk) if last < 0 else len(chunk) - last
        if self._line > LONGEST_LINE or (not self._allows_nul and b"\0" in chunk):
            raise DamagedError
        buffer[: len(chunk)] = chunk
        return len(chunk)


@contextmanager
def open_bytes(path: Path, *, allows_nul: bool = False) -> Iterator[io.BufferedReader]:
    """Open a text table, plain or compressed with gzip.

    Raises:
        DataError: it cannot be read, or is damaged.
        DamagedError: while reading: it holds NUL bytes or a line without end.
    """
    try:
        refuse_too_large(path.stat().st_size, str(path))
        with path.open("rb") as plain:
            is_compressed = plain.read(2) == _GZIP_MAGIC
            plain.seek(0)
            stream = gzip.GzipFile(fileobj=plain) if is_compressed else plain
            yield io.BufferedReader(_Guard(stream, path, allows_nul=allows_nul), _BUFFER)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: received damaged gzip data ({error})") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


def guess_encoding(path: Path) -> str:
    """Return the encoding that a table's first bytes tell; UTF-8 where they tell none."""
    with open_bytes(path, allows_nul=True) as stream:
        start = stream.peek(4)[:4]
    return next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")


@contextmanager
def open_lines(path: Path, encoding: str) -> Iterator[Iterator[str]]:
    """Open a table's lines, each with its end.

    Raises:
        DataError: while reading: bytes that are not of the encoding, a NUL byte, or a line without
            end; the error names the line.
    """
    with open_bytes(path, allows_nul=True) as stream:
        # Where UTF-8 begins with a mark, the mark is no part of the first name.
        yield _lines(stream, path, "utf-8-sig" if encoding == "utf-8" else encoding)


def rows_with_lines(path: Path, encoding: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that is not blank, after the number of the line that it ends on.

    Raises:
        DataError: as `open_lines`, or the text is no CSV; the error names the line.
    """
    with open_lines(path, encoding) as lines:
        reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)
        try:
            for cells in reader:
                if cells and (len(cells) > 1 or cells[0].strip()):
                    yield reader.line_num, cells
        except csv.Error as error:
            raise DataError(f"{path}: line {reader.line_num}: {error}; expected CSV") from error


def _lines(stream: BinaryIO, path: Path, encoding: str) -> Iterator[str]:
    text = io.TextIOWrapper(stream, encoding, newline="")
    try:
        for number, line in enumerate(iter(lambda: text.readline(LONGEST_LINE + 1), ""), 1):
            if len(line) > LONGEST_LINE:
                raise DataError(
                    f"{path}: line {number}: received more than {LONGEST_LINE:,} characters; "
                    "expected a row of a table"
                )
            if "\0" in line:
                raise DataError(f"{path}: line {number}: received a NUL byte; expected text")
            yield line
    except UnicodeError as error:
        raise _undecodable(path, encoding) from error


def _undecodable(path: Path, encoding: str) -> DataError:
    """Return the error about the first bytes that are not of the encoding."""
    name = encoding.removesuffix("-sig").upper()
    other = "utf-8" if name == "CP1252" else "cp1252"
    expected = (
        f"expected a table saved as {name} (dataset.table.encoding names another, such as {other})"
    )
    with open_bytes(path, allows_nul=True) as stream:
        for number, line in enumerate(iter(lambda: stream.readline(LONGEST_LINE), b""), 1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError as error:
                where, byte = f"{path}: line {number}", line[error.start]
                if name.startswith(("UTF-16", "UTF-32")):
                    break
                return DataError(
                    f"{where}: received the byte {byte:02x}, which is not {name} here; {expected}"
                )
    return DataError(f"{path}: received bytes that are not {name}; {expected}")
