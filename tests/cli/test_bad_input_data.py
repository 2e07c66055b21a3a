"""What goes wrong is one line and never a traceback: data to train on, and runs to evaluate."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from support.kinds import Files, Refuses

Damage = Callable[[Path], object]

RUN = ["run", "softmax_regression", "--data"]
X = np.zeros((20, 8, 8), np.uint8)
Y = np.arange(20) % 2
WITH_NAN = np.where(np.arange(64).reshape(8, 8) == 10, np.nan, X.astype(np.float32))
IMAGES, LABELS = "d/train-images-idx3-ubyte", "d/train-labels-idx1-ubyte"


def only(**arrays: npt.NDArray[Any]) -> dict[str, bytes]:
    """Return a file d.npz that holds these arrays alone."""
    stream = io.BytesIO()
    save: Any = np.savez
    save(stream, **arrays)
    return {"d.npz": stream.getvalue()}


def npz(**arrays: npt.NDArray[Any]) -> dict[str, bytes]:
    """Return a file d.npz that holds these arrays, and good training data where not given."""
    given: dict[str, npt.NDArray[Any]] = {"x_train": X, "y_train": Y, **arrays}
    return only(**given)


def csv(text: str) -> Files:
    """Return a file d.csv."""
    return {"d.csv": text}


def png(width: int = 30, height: int = 20) -> bytes:
    """Return an image file."""
    stream = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (height, width), np.uint8)
    Image.fromarray(noise).save(stream, "png")
    return stream.getvalue()


def idx(array: npt.NDArray[Any]) -> bytes:
    """Return an IDX file of bytes."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return header + array.astype(np.uint8).tobytes()


def classes(second: bytes | Path | None) -> Files:
    """Return a folder d of two classes; the second's image is what is given, if anything."""
    first: Files = {"d/a/1.png": png(), "d/a/2.png": png()}
    return {**first, "d/b": None} if second is None else {**first, "d/b/1.png": second}


# Name, the files, what --data says, what the error says.
DATA: list[tuple[str, Files, str, str]] = [
    ("missing file", {}, "none.npz", "none.npz: no such file or folder; expected an .npz file, a"),
    ("unknown name", {}, "letters",
     "dataset.name: unknown dataset 'letters'. Known: cifar10, cifar100, digits"),
    ("misspelt name", {}, "mnst", "dataset.name: unknown dataset 'mnst'. Did you mean 'mnist'?"),
    ("no name", {}, "", 'dataset.name: received ""; expected at least 1 character'),
    ("a name too long for a file", {}, "x" * 3000, "File name too long"),
    ("a name with a line end", {}, "a\nb.npz", r"a\nb.npz: no such file or folder"),
    ("empty folder", {"d": None}, "d", "d: received an empty folder, not a kind of data"),
    ("folder of a text", {"d/a.txt": "a"}, "d", "d: received a folder of one file, not a kind"),
    ("text file", {"d.txt": "a"}, "d.txt", "d.txt: received a .txt file, not a kind of data that"),
    ("npz without labels", only(x_train=X), "d.npz", "d.npz: has no array 'y_train'; it holds x_"),
    ("npz of other names", only(x_trian=X, y=Y), "d.npz",
     "d.npz: has no array 'x_train'; it holds x_trian, y. Did you mean 'x_trian'?"),
    ("npz of objects", npz(y_train=np.array([{}] * 20)), "d.npz",
     "d.npz: y_train: holds Python objects; expected a plain array"),
    ("npz cut off", {"d.npz": npz()["d.npz"][:900]}, "d.npz",
     "d.npz: holds no .npz file (File is not a zip file); expected x_train and y_train"),
    ("npz of text", {"d.npz": "hello"}, "d.npz", "d.npz: holds no .npz file; expected an archive"),
    ("npz empty", {"d.npz": b""}, "d.npz", "d.npz: holds no .npz file; expected an archive"),
    ("npz of no rows", npz(x_train=X[:0]), "d.npz", "d.npz: x_train: received shape (0, 8, 8)"),
    ("npz of too few labels", npz(y_train=Y[:9]), "d.npz",
     "d.npz: y_train: received 9 labels; expected 20, one an example"),
    ("npz of one class", npz(y_train=Y * 0), "d.npz",
     "d.npz: y_train: received one class only, 0; expected 2 or more"),
    ("npz of a class of one", npz(y_train=np.array(["cat"] * 9 + ["dog"] * 10 + ["eel"])), "d.npz",
     "d.npz: class eel has a single example of "),
    ("npz with NaN", npz(x_train=WITH_NAN), "d.npz",
     "d.npz: x_train: received nan at index [0, 1, 2]; expected finite values (20 are not)"),
    ("npz of words", npz(x_train=X.astype(str)), "d.npz",
     "d.npz: x_train: received values of type <U3; expected numbers"),
    ("npz one-hot", npz(y_train=np.eye(2)[Y]), "d.npz",
     "d.npz: y_train: received shape (20, 2); expected (20,); for one-hot labels pass y.argmax"),
    ("npz of fractions for labels", npz(y_train=Y + 0.5), "d.npz",
     "d.npz: y_train: received labels of type float64; expected whole numbers or words"),
    ("npz of a regression", npz(y_train=np.arange(20)), "d.npz",
     "d.npz: y_train: received 20 different labels for 20 examples; expected classes"),
    ("npz of other test shape", npz(x_test=X[:, :4], y_test=Y), "d.npz",
     "d.npz: x_test: received examples of shape (4, 8); expected (8, 8), as in x_train"),
    ("npz of test images alone", npz(x_test=X), "d.npz", "d.npz: has x_test alone; expected both"),
    ("npz of a new test class", npz(x_test=X, y_test=Y + 1), "d.npz",
     "d.npz: y_test: received label 2 at index 1; expected one of 0, 1"),
    ("csv empty", csv(""), "d.csv", "d.csv: received an empty file; expected a table"),
    ("csv of a header", csv("a,b,label\n"), "d.csv", "d.csv: received a header only; expected ex"),
    ("csv of one column", csv("a\n1\n"), "d.csv", "d.csv: line 1: received one column; expected a"),
    ("csv ragged", csv("a,b,label\n1,2,0\n1,2\n"), "d.csv",
     "d.csv: line 3: received 2 cells; expected 3, as in the header"),
    ("csv of a word", csv("a,b,label\n" + "1,2,0\n3,4,1\n" * 30 + "1,two,1\n"), "d.csv",
     "d.csv: line 62, column 'b': received 'two'; expected a number"),
    ("csv of infinity", csv("a,b,label\n1,2,0\n1,inf,1\n"), "d.csv",
     "d.csv: line 3, column 'b': received inf, infinite as float32; expected a finite number"),
    ("csv of empty columns", csv("a,b,label\n,,0\n,,1\n"), "d.csv",
     "d.csv: every column but the label's is empty"),
    ("csv without a label", csv("a,b,label\n1,2,\n1,2,1\n"), "d.csv",
     "d.csv: column 'label': received no label in 1 of 2 rows, the first in line 2; expected one"),
    ("csv in another encoding", {"d.csv": "a,label\n1,café\n".encode("latin-1")}, "d.csv",
     "d.csv: line 2: received the byte e9, which is not UTF-8 here; expected a table saved as"),
    ("csv.gz that is none", {"d.csv.gz": b"\x1f\x8b\x08none"}, "d.csv.gz", "d.csv.gz: "),
    ("parquet that is none", {"d.parquet": b"PAR1none"}, "d.parquet",
     "d.parquet: holds no Parquet table"),
    ("csv of twin columns", csv("a,a,label\n1,2,0\n"), "d.csv", "d.csv: line 1: received the col"),
    ("images of one class", {"d/a/1.png": png()}, "d",
     "d: received one class folder only, a; expected 2 or more"),
    ("images of an empty class", classes(None), "d", "d/b: received no images; expected a folder"),
    ("image damaged", classes(b"\x89PNG no"), "d", "d/b/1.png: is no readable image"),
    ("image cut off", classes(png()[:300]), "d", "d/b/1.png: is no readable image"),
    ("images of two sizes", classes(png(31)), "d",
     "d/b/1.png: received 20 pixels high and 31 wide; expected 20 high and 30 wide, as in "
     "d/a/1.png (to stretch all to one"),
    ("image elsewhere", {"secret.png": png(), **classes(Path("../../secret.png"))}, "d",
     "expected none that leads out of the folder"),
    ("IDX cut off", {IMAGES: idx(X)[:-5], LABELS: idx(Y)}, "d",
     f"{IMAGES}: received 1,291 bytes; expected the 1,296 that its header of shape (20, 8, 8)"),
    ("IDX of wrong magic", {IMAGES: b"GIF89a", LABELS: idx(Y)}, "d",
     f"{IMAGES}: received a file that begins with 47 49 46 38; expected an IDX file"),
    ("IDX without labels", {IMAGES: idx(X)}, "d", "d: has no train labels; it holds train-images"),
    ("IDX of too few labels", {IMAGES: idx(X), LABELS: idx(Y[:5])}, "d",
     "d: y_train: received 5 labels; expected 20, one an example"),
    ("IDX of damaged gzip", {f"{IMAGES}.gz": b"\x1f\x8b" + b"0" * 30, LABELS: idx(Y)}, "d",
     f"{IMAGES}.gz: received damaged gzip data"),
]  # fmt: skip

# Name, the files, the arguments, what the error says.
MISMATCHES: list[tuple[str, Files, list[str], str]] = [
    ("a table for a convolution", only(x_train=np.eye(3).repeat(9, 0), y_train=np.arange(27) // 9),
     ["run", "small_cnn", "--data", "d.npz"],
     "model: builder 'small_cnn' cannot be built for inputs of shape (3,) in 3 classes: expected"),
    ("a column that is not there", csv("a,b,label\n1,2,0\n1,2,1\n"),
     [*RUN, "d.csv", "dataset.table.exclude=c"],
     "d.csv: dataset.table.exclude: received 'c'; expected one of the columns a, b, label."),
    ("an encoding that is none", csv("a,b,label\n1,2,0\n1,2,1\n"),
     [*RUN, "d.csv", "dataset.table.encoding=utf-99"],
     "dataset.table.encoding: received 'utf-99', which Python does not know"),
    ("an image shape that does not fit", csv("a,b,label\n1,2,0\n1,2,1\n"),
     [*RUN, "d.csv", "dataset.image_shape=2,2"],
     "d.csv: dataset.image_shape: received [2, 2], 4 pixels, for examples of shape (2,)"),
    ("a test file that is not there", csv("a,b,label\n1,2,0\n1,2,1\n"),
     [*RUN, "d.csv", "dataset.test=other.csv"],
     "other.csv: no such file or folder"),
    ("a test file without a column",
     {**csv("a,b,label\n1,2,0\n1,2,1\n"), "t.csv": "a,label\n1,0\n1,1\n"},
     [*RUN, "d.csv", "dataset.test=t.csv"],
     "t.csv: received no column 'b'; expected the columns that the model was trained on: a, b."),
    ("a test file of words",
     {**csv("a,b,label\n1,2,0\n1,2,1\n"), "t.csv": "a,b,label\n1,x,0\n"},
     [*RUN, "d.csv", "dataset.test=t.csv"],
     "t.csv: line 2, column 'b': received 'x'; expected a number such as 1.5, as in what"),
    ("a test file of another class",
     {**csv("a,b,label\n1,2,0\n1,2,1\n"), "t.csv": "a,b,label\n1,2,7\n"},
     [*RUN, "d.csv", "dataset.test=t.csv"],
     "t.csv: the label, column 'label': received label 7 at index 0; expected one of 0, 1"),
    ("a label column that is not there", csv("a,b,label\n1,2,0\n1,2,1\n"),
     [*RUN, "d.csv", "dataset.label=lable"],
     "d.csv: dataset.label: received 'lable'; expected one of the columns a, b, label."),
    ("a label column of digits", {}, [*RUN, "digits", "dataset.label=kind"],
     "dataset.label: received it for digits; expected it with a table (.csv or .tsv, plain or"),
    ("an image size of digits", {}, [*RUN, "digits", "dataset.image_size=9,9"],
     "dataset.image_size: received it for digits; expected it with a folder of class folders"),
    ("latest of no runs", {}, ["evaluate", "latest"],
     "latest: no such run; expected a path, the beginning of a name in runs, or latest."),
    ("a misspelt run", {"runs/deep_mlp-1/spec.json": "{}"}, ["evaluate", "deep_mpl-1"],
     "deep_mpl-1: no such run; expected a path, the beginning of a name in runs, or latest. "
     "Did you mean 'deep_mlp-1'?"),
    ("a run without a name", {}, ["evaluate", ""], "received no name; expected a run's path"),
    ("two runs that begin so", {"runs/deep-1/spec.json": "{}", "runs/deep-2/spec.json": "{}"},
     ["evaluate", "deep"], "deep: 2 runs in runs begin so, such as deep-1, deep-2; type more of "),
    ("a folder that is no run", {"d": None}, ["evaluate", "d"],
     "d: is no run: it has no spec.json"),
    ("an unfinished run", {"runs/d/spec.json": "{}"}, ["evaluate", "d"],
     "runs/d: is not finished: it has no metrics.json"),
    ("an unfinished run on other data", {"runs/d/spec.json": "{}"},
     ["evaluate", "d", "--data", "digits"], "runs/d: is not finished: it has no metrics.json"),
]  # fmt: skip


def put(name: str, content: bytes | str | None) -> Damage:
    """Return a function that puts this for a file of a run, or takes the file away."""

    def damage(run: Path) -> None:
        if content is None:
            (run / name).unlink()
        else:
            (run / name).write_bytes(content.encode() if isinstance(content, str) else content)

    return damage


def cut(name: str) -> Damage:
    """Return a function that leaves the first half of a file of a run."""

    def damage(run: Path) -> None:
        content = (run / name).read_bytes()
        (run / name).write_bytes(content[: len(content) // 2])

    return damage


def change(name: str, **values: object) -> Damage:
    """Return a function that changes a JSON file of a run."""

    def damage(run: Path) -> None:
        tree = json.loads((run / name).read_text("utf-8"))
        (run / name).write_text(json.dumps({**tree, **values}), "utf-8")

    return damage


def earlier(run: Path) -> None:
    """Make a run one of an earlier version."""
    (run / "model.safetensors").rename(run / "model.weights.h5")


TABLE = only(x_train=np.eye(3).repeat(9, 0), y_train=np.arange(27) // 9)
WORDS = npz(y_train=np.array(["cat", "dog"] * 10))
# Name, what happens to the run, other files, further arguments, what the error says.
RUNS: list[tuple[str, Damage | None, Files, list[str], str]] = [
    ("figures damaged", put("metrics.json", "{"), {}, [], "metrics.json: cannot be read: "),
    ("figures binary", put("metrics.json", b"\xff"), {}, [], "metrics.json: cannot be read: "),
    ("figures no object", put("metrics.json", "[1]"), {}, [],
     "runs/digits-1/metrics.json: received [1]; expected an object of figures"),
    ("figures of another run", change("metrics.json", test_accuracy=0.5), {}, [],
     "expected 0.5 as in metrics.json"),
    ("spec damaged", put("spec.json", "{"), {}, [], "runs/digits-1/spec.json: not JSON"),
    ("environment missing", put("environment.json", None), {}, [],
     "runs/digits-1/environment.json: cannot be read"),
    ("environment damaged", put("environment.json", "[]"), {}, [],
     "runs/digits-1/environment.json: dataset: is not what a run writes"),
    ("predictions missing", put("predictions.npz", None), {}, [],
     "predictions.npz: missing; expected the test predictions of a finished run (give --data"),
    ("model missing", put("model.safetensors", None), {}, ["--data", "digits"],
     "model.safetensors: cannot be loaded: received no file; expected a model that kzoo wrote"),
    ("model damaged", put("model.safetensors", "hello"), {}, ["--data", "digits"],
     "model.safetensors: cannot be loaded: received 5 bytes"),
    ("model cut off", cut("model.safetensors"), {}, ["--data", "digits"],
     "model.safetensors: cannot be loaded: received "),
    ("model of another run", change("metrics.json", weights_sha256="0"), {}, ["--data", "digits"],
     "model.safetensors: cannot be loaded: received the sha256 "),
    ("model of an earlier version", earlier, {}, ["--data", "digits"],
     "runs/digits-1: an earlier version of kzoo wrote it, without model.safetensors: "),
    ("other data missing", None, {}, ["--data", "none.npz"], "none.npz: no such file or folder"),
    ("other data misspelt", None, {}, ["--data", "digit"], "Did you mean 'digits'?"),
    ("other data nameless", None, {}, ["--data", ""], "data: received an empty name; expected a"),
    ("other data of other shape", None, TABLE, ["--data", "d.npz"],
     "d.npz: received examples of shape (3,); expected (8, 8), as in digits, which the model was"),
    ("other data of other classes", None, WORDS, ["--data", "d.npz"],
     "d.npz: y: received class 'cat'; expected the classes that the run was trained on: 0, 1, 2"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("files", "data", "said"), [pytest.param(*case[1:], id=case[0]) for case in DATA]
)
def test_bad_data_are_one_line(refuses: Refuses, files: Files, data: str, said: str) -> None:
    """It says which file, and where in it, what was received and what is accepted."""
    refuses(files, [*RUN, data], said)


@pytest.mark.parametrize(
    ("files", "arguments", "said"), [pytest.param(*case[1:], id=case[0]) for case in MISMATCHES]
)
def test_what_does_not_fit_together_is_one_line(
    refuses: Refuses, files: Files, arguments: list[str], said: str
) -> None:
    """Data that are not for the model, settings that are not for the data, runs that are none."""
    refuses(files, arguments, said)


@pytest.mark.parametrize(
    ("damage", "files", "more", "said"), [pytest.param(*case[1:], id=case[0]) for case in RUNS]
)
def test_a_run_that_cannot_be_evaluated_is_one_line(
    refuses: Refuses,
    copied_run: Path,
    damage: Damage | None,
    files: Files,
    more: list[str],
    said: str,
) -> None:
    """A damaged run says which of its files; data that do not fit, what the run was trained on."""
    if damage:
        damage(copied_run)
    refuses(files, ["evaluate", "digits-1", *more], said)
