"""``kzoo predict``."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kzoo.cli.arguments import ModelArgument
from kzoo.cli.output import say
from kzoo.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kzoo.prediction import Prediction
    from kzoo.prediction.pictures import OnPrepared

_STANDARD_INPUT = "-"
# Of what comes by standard input, in bytes.
_MOST_INPUT = 2**30


def predict(
    model: ModelArgument,
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Pictures, folders of them, tables, .npy or .npz files; - is standard input.",
        ),
    ],
    as_is: Annotated[
        bool,
        typer.Option(
            "--as-is",
            help="Leave pictures of handwriting alone: no ink is looked for; only the size "
            "changes.",
        ),
    ] = False,
    prepared: Annotated[
        Path | None,
        typer.Option(
            "--prepared", metavar="DIR", help="Keep each picture as the model sees it, as PNG."
        ),
    ] = None,
    csv: Annotated[
        str | None,
        typer.Option("--csv", metavar="FILE", help="Write a CSV file; - is standard output."),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            "--columns",
            metavar="NAMES",
            help="Of the CSV file, such as id,class: id, class, probability, probability_CLASS, "
            "the label's name, or a column of the table; NEW=id gives another name.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a line, one line an input.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Say what computes the answers.")
    ] = False,
) -> None:
    """Predict the classes of images, tables or arrays with a trained model."""
    if columns is not None and csv is None:
        raise typer.BadParameter("--columns goes with --csv")
    if csv is not None and as_json:
        raise typer.BadParameter("received --csv and --json; expected one of them")
    # NumPy, and what reads a model, are enough: no Keras.
    from kzoo.cli import answers
    from kzoo.prediction import Answerer, predict_paths
    from kzoo.runs.record import open_model

    answerer = Answerer(open_model(model))
    if verbose:
        say(f"{answerer.model.path}: {answerer.reason}.")
    with contextlib.ExitStack() as stack:
        paths = [stack.enter_context(_as_file(name)) for name in inputs]
        keep = stack.enter_context(_kept_in(prepared)) if prepared is not None else None
        parts = _told(predict_paths(answerer, paths, as_is=as_is, on_prepared=keep), paths, inputs)
        if csv is not None:
            ended = answers.write_csv(csv, parts, columns, answerer.model.data)
        elif as_json:
            ended = answers.print_json_lines(parts)
        else:
            ended = answers.print_answers(parts)
    for note in ended.notes:
        say(note)
    if ended.broken:
        raise typer.Exit(1)


def _told(
    parts: Iterator[Prediction], paths: Sequence[str], inputs: Sequence[str]
) -> Iterator[Prediction]:
    """Give the answers on, after what is to be told of them; standard input by its own name."""
    from dataclasses import replace

    own = {path: name for path, name in zip(paths, inputs, strict=True) if path != name}
    for part in parts:
        for notice in part.notices:
            say(f"NOTICE: {notice}")
        names = tuple(own.get(name, name) for name in part.names)
        broken = {own.get(name, name): why for name, why in (part.broken or {}).items()}
        for path, name in own.items():
            broken = {key: why.replace(path, name) for key, why in broken.items()}
        for why in broken.values():
            say(f"Error: {why}")
        yield replace(part, names=names, broken=broken)


@contextlib.contextmanager
def _as_file(name: str) -> Iterator[str]:
    """Give the path of what an input names: of standard input, that of a file with its content."""
    if name != _STANDARD_INPUT:
        yield name
        return
    content = sys.stdin.buffer.read(_MOST_INPUT + 1)
    if not content:
        raise DataError("-: received nothing on standard input; expected a picture or a table")
    if len(content) > _MOST_INPUT:
        raise DataError(f"-: received more than {_MOST_INPUT:,} bytes; expected a file instead")
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"input{_ending(content)}")
        path.write_bytes(content)
        yield str(path)


def _ending(content: bytes) -> str:
    """Return the ending that a file of this content would have."""
    beginnings = {b"\x93NUMPY": ".npy", b"PK\x03\x04": ".npz", b"PAR1": ".parquet"}
    for beginning, ending in beginnings.items():
        if content.startswith(beginning):
            return ending
    if content.startswith(b"\x1f\x8b"):
        return ".csv.gz"
    try:
        content[:4096].decode("utf-8")
    except UnicodeDecodeError as error:
        # A character may be cut in two at the end.
        return ".csv" if error.start > 4090 else ""
    return ".csv"


@contextlib.contextmanager
def _kept_in(folder: Path) -> Iterator[OnPrepared]:
    """Give what writes each picture that a model sees into a folder."""
    from PIL import Image

    from kzoo.errors import RunError
    from kzoo.runs import write_atomically

    def keep(name: str, pixels: object) -> None:
        stem = Path(name).stem or "picture"
        taken[stem] = taken.get(stem, 0) + 1
        number = f"-{taken[stem]}" if taken[stem] > 1 else ""
        image = Image.fromarray(pixels.squeeze())  # type: ignore[attr-defined]
        path = folder / f"{stem}{number}.png"
        write_atomically(path, lambda file: image.save(file, "PNG"))

    taken: dict[str, int] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{folder}: cannot be made: {error.strerror}") from error
    yield keep
