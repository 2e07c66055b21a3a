"""A table's rows in chunks, as pandas reads them: text, Parquet, or a data frame in memory."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from kzoo.datasets.limits import refuse_too_large
from kzoo.datasets.tables.cells import MISSING_CELLS
from kzoo.datasets.tables.dialect import Dialect
from kzoo.datasets.tables.text import DamagedError, open_bytes, rows_with_lines
from kzoo.errors import DataError, describe_error, how_to_install

# Of a chunk; a table's memory is its columns' and one chunk's.
_CELLS = 4_000_000
_FEWEST_ROWS, _MOST_ROWS = 64, 50_000


def text_chunks(path: Path, dialect: Dialect, words: Collection[str]) -> Iterator[Any]:
    """Yield the rows of a text table as data frames whose columns are numbered from 0.

    Args:
        path: The table.
        dialect: How it is written.
        words: The names of the columns that are not to be taken for numbers.

    Raises:
        DataError: it cannot be read or decoded, or a row has not as many cells as the header; the
            error names the line.
    """
    import pandas as pd

    width = len(dialect.names)
    settings: dict[str, Any] = {
        "header": None,
        "names": range(width),
        "index_col": False,
        "skiprows": dialect.header_lines,
        "sep": dialect.separator,
        "decimal": dialect.decimal,
        "encoding": dialect.encoding,
        "dtype": {i: "str" for i, name in enumerate(dialect.names) if name in words},
        "na_values": list(MISSING_CELLS),
        "keep_default_na": False,
        "skipinitialspace": dialect.has_blanks,
        "chunksize": _chunk_rows(width),
        "low_memory": False,
    }
    allows_nul = dialect.encoding.startswith(("utf-16", "utf-32"))
    may_be_short = False
    try:
        with open_bytes(path, allows_nul=allows_nul) as stream, warnings.catch_warnings():
            # That a row is longer than the header is an error.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            for chunk in pd.read_csv(stream, **settings):
                may_be_short = may_be_short or bool(chunk[width - 1].isna().any())
                yield chunk
                # The next one is not to come beside it.
                del chunk
    except (DamagedError, UnicodeError, ValueError, pd.errors.ParserWarning) as error:
        _refuse_ragged(path, dialect)
        raise DataError(f"{path}: cannot be read as CSV ({describe_error(error)})") from error
    # pandas fills short rows, and tells no one.
    if may_be_short:
        _refuse_ragged(path, dialect)


def parquet_names(path: Path) -> tuple[str, ...]:
    """Return the names of the columns of a Parquet file.

    Raises:
        DataError: it cannot be read, or the library that reads it is not installed.
    """
    return tuple(_open_parquet(path).schema_arrow.names)


def parquet_chunks(path: Path) -> Iterator[Any]:
    """Yield the rows of a Parquet file as data frames whose columns are numbered from 0.

    Raises:
        DataError: it cannot be read, or the library that reads it is not installed.
    """
    file = _open_parquet(path)
    metadata = file.metadata
    refuse_too_large(metadata.num_rows * metadata.num_columns, str(path))
    rows = _chunk_rows(max(metadata.num_columns, 1))
    try:
        for batch in file.iter_batches(batch_size=rows):
            yield numbered(batch.to_pandas())
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: holds no Parquet table ({describe_error(error)})") from error


def frame_chunks(frame: Any) -> Iterator[Any]:
    """Yield the rows of a data frame as data frames whose columns are numbered from 0."""
    rows = _chunk_rows(max(frame.shape[1], 1))
    for start in range(0, len(frame), rows):
        yield numbered(frame.iloc[start : start + rows])


def line_of(path: Path, dialect: Dialect, row: int) -> int:
    """Return the number of the line that a row of a text table ends on.

    Args:
        path: The table.
        dialect: How it is written.
        row: The row's number, from 0; the header is none.
    """
    rows = _rows_below_header(path, dialect)
    return next((line for line, _ in islice(rows, row, None)), 0)


def numbered(frame: Any) -> Any:
    """Return a data frame whose columns are numbered from 0."""
    return frame.set_axis(range(frame.shape[1]), axis="columns")


def _rows_below_header(path: Path, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    rows = rows_with_lines(path, dialect.encoding, dialect.separator)
    return ((line, cells) for line, cells in rows if line > dialect.header_lines)


def _refuse_ragged(path: Path, dialect: Dialect) -> None:
    width = len(dialect.names)
    for line, cells in _rows_below_header(path, dialect):
        if len(cells) != width:
            expected = (
                f"expected {width}, as in the {'header' if dialect.header_lines else 'first row'}"
            )
            raise DataError(f"{path}: line {line}: received {len(cells)} cells; {expected}")


def _open_parquet(path: Path) -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise DataError(
            f"{path}: a Parquet file is read by pyarrow, which is not installed; "
            f"{how_to_install('parquet')}"
        ) from error
    try:
        return pyarrow.parquet.ParquetFile(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: holds no Parquet table ({describe_error(error)})") from error


def _chunk_rows(columns: int) -> int:
    return min(max(_CELLS // columns, _FEWEST_ROWS), _MOST_ROWS)
