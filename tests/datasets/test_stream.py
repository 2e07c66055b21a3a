"""Folders of images that are larger than the memory they may take, and so stay in their files."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from support.kinds import Command

import kzoo
from kzoo.datasets import Dataset, load_dataset
from kzoo.datasets.formats import unfit_settings
from kzoo.datasets.image import look_at_image, quiet_pillow, read_image
from kzoo.datasets.image_files import ImageFiles
from kzoo.datasets.image_folder import read_image_folder
from kzoo.datasets.stream import Streams
from kzoo.errors import DataError
from kzoo.evaluation import evaluate
from kzoo.evaluation.timing import data_shape, time_epoch
from kzoo.machine import epoch_order
from kzoo.spec import Spec, load_spec

DIGITS = load_digits()
IMAGES = (DIGITS.images * 15).astype(np.uint8)
COLOURS = np.random.default_rng(0).integers(0, 256, (6, 5, 3), np.uint8)
# GiB: a thousand bytes, less than any folder here.
TINY = 1000 / 2**30
ROWS = 300
# MiB that a hundred thousand files may take beyond what ten thousand take.
MEMORY_BOUND = 60

MAKE_AND_TRAIN = """
import json, os, resource, sys
from pathlib import Path
import numpy as np
from PIL import Image

folder, count = Path(sys.argv[1]), int(sys.argv[2])
random = np.random.default_rng(0)
for label in "0123456789":
    (folder / label).mkdir(parents=True)
for row in range(count):
    path = folder / str(row % 10) / f"{row:06}.png"
    if row < 500:
        Image.fromarray(random.integers(0, 256, (28, 28), np.uint8)).save(path)
    else:
        os.link(folder / str(row % 10) / f"{row % 500:06}.png", path)

import kzoo
run = kzoo.run(
    {
        "name": "large",
        "model": {"builder": "softmax_regression"},
        "dataset": {"name": str(folder), "memory_limit": 0.001, "validation_size": 1000},
        "fit": {"epochs": 1},
    },
    out=folder.parent / "runs",
    display="quiet",
)
print(json.dumps({
    "mebibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "speed": run.dataset.rows["train"] / run.history["seconds"][0],
    "streamed": run.spec.fit.execution == "plain",
}))
"""


def save(path: Path, pixels: npt.NDArray[np.uint8], **options: Any) -> Path:
    """Write an image in the format that its ending tells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def save_digits(folder: Path) -> Path:
    """Write real digits as images, in a folder for each figure."""
    for row in range(ROWS):
        save(folder / str(DIGITS.target[row]) / f"{row:04}.png", IMAGES[row])
    return folder


def make_spec(folder: Path, **dataset: Any) -> Spec:
    """Return the spec of a short training on a folder, which is streamed."""
    section = {"name": str(folder), "validation_size": 40, "memory_limit": TINY, **dataset}
    return load_spec(
        {
            "name": "trial",
            "model": {"builder": "softmax_regression"},
            "dataset": section,
            "fit": {"epochs": 3, "batch_size": 32},
        }
    )


def load(folder: Path, **dataset: Any) -> Dataset:
    """Load a folder, by default as image files."""
    return load_dataset(make_spec(folder, **dataset))


def read(files: Any) -> npt.NDArray[np.uint8]:
    """Decode all of the image files."""
    assert isinstance(files, ImageFiles)
    with quiet_pillow():
        return files.read(np.arange(len(files)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of class folders of digits, which no test changes."""
    return save_digits(tmp_path_factory.mktemp("folder") / "digits")


@pytest.fixture(scope="module")
def streamed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> kzoo.Run:
    """Return a finished run that was trained on a stream."""
    return kzoo.run(make_spec(folder), out=tmp_path_factory.mktemp("runs"), display="quiet")


def test_the_splits_and_labels_are_those_of_arrays(folder: Path) -> None:
    """The images of each split, in their order, their labels and the scaling are the same."""
    stream, arrays = load(folder), load(folder, memory_limit=None)
    assert (stream.is_streamed, arrays.is_streamed) == (True, False)
    for name in ("train", "validation", "test"):
        one, other = getattr(stream, name), getattr(arrays, name)
        np.testing.assert_array_equal(read(one.x), other.x)
        np.testing.assert_array_equal(one.y, other.y)
        assert (one.x.shape, one.x.dtype, one.x.ndim) == (other.x.shape, other.x.dtype, 3)
    assert stream.scaling == arrays.scaling
    assert stream.class_names == arrays.class_names


def test_a_notice_tells_why_the_data_stream(folder: Path) -> None:
    """The first notice has the memory that the images would take, and what they may."""
    assert load(folder, memory_limit=1e-6).notices[0] == (
        f"{folder}: its 300 images would take 1.79e-05 GiB of memory, more than the 1e-06 GiB that "
        "they may (dataset.memory_limit): they are read from their files while they are trained on."
    )


def test_train_and_test_folders_are_the_splits(tmp_path: Path) -> None:
    """Class folders in train and test are the two splits of a stream, too."""
    for split in ("train", "test"):
        save_digits(tmp_path / split)
    dataset = load(tmp_path)
    assert (len(dataset.train), len(dataset.test)) == (ROWS - 40, ROWS)
    assert isinstance(dataset.test.x, ImageFiles)


@pytest.mark.parametrize("size", [None, (7, 9)])
def test_every_kind_of_image_is_read_as_into_an_array(
    tmp_path: Path, size: tuple[int, int] | None
) -> None:
    """Grey, colour, palette, transparent and turned images in one folder come out the same."""
    exif = Image.Exif()
    exif[0x0112] = 6
    save(tmp_path / "a" / "1.png", COLOURS[..., 0])
    save(tmp_path / "a" / "2.png", COLOURS)
    save(tmp_path / "a" / "3.jpg", np.rot90(COLOURS).copy(), exif=exif)
    save(tmp_path / "b" / "4.png", np.dstack((COLOURS, COLOURS[..., :1])))
    Image.fromarray(COLOURS[..., 0].astype(np.uint16) * 257).save(tmp_path / "b" / "5.tif")
    Image.fromarray(COLOURS).quantize(64).save(tmp_path / "b" / "6.gif")
    arrays, stream = (read_image_folder(tmp_path, size, limit) for limit in (None, TINY / 20))
    np.testing.assert_array_equal(read(stream.x_train), arrays.x_train)
    assert stream.x_train.shape == (6, *(size or (6, 5)), 3)
    assert stream.notices[0] == arrays.notices[0]


@pytest.mark.parametrize("ending", [".png", ".jpg", ".gif", ".webp", ".tif", ".bmp", ".ppm"])
@pytest.mark.parametrize("orientation", [1, 3, 5, 6, 8])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_look_tells_the_shape_that_reading_gives(
    tmp_path: Path, ending: str, orientation: int, channels: int
) -> None:
    """The shape told without decoding all of a photo is that of the decoded image."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {} if ending in (".bmp", ".gif", ".ppm") else {"exif": exif}
    pixels = np.tile(COLOURS, (11, 7, 1))[..., :channels].squeeze()
    path = save(tmp_path / f"it{ending}", pixels, **options)
    assert look_at_image(path).shape == read_image(path).pixels.shape


def test_the_fingerprint_is_of_the_contents(folder: Path, tmp_path: Path) -> None:
    """It is the same in another place, and another where a file, a label or the size is."""
    copied = Path(shutil.copytree(folder, tmp_path / "copied"))
    print_ = load(folder).fingerprint
    assert load(copied).fingerprint == print_
    assert load(copied, image_size=[6, 6]).fingerprint != print_
    first = next((copied / "3").iterdir())
    moved = first.rename(copied / "4" / first.name)
    assert load(copied).fingerprint != print_
    moved.rename(first)
    assert load(copied).fingerprint == print_
    first.write_bytes(first.read_bytes() + b"\0")
    assert load(copied).fingerprint != print_


def test_each_epoch_has_every_row_once_in_an_order_of_its_own() -> None:
    """All rows come in each epoch; the order is another in each and the same for a seed."""

    def orders(seed: int | None, epochs: range) -> list[list[int]]:
        rows = [epoch_order(50, seed, epoch) for epoch in epochs]
        assert (np.sort(rows) == np.arange(50)).all()
        return [order.tolist() for order in rows]

    first, second, third = orders(7, range(3))
    assert len({tuple(order) for order in (first, second, third)}) == 3
    assert orders(7, range(1, 3)) == [second, third]
    assert orders(8, range(1)) != [first]
    assert orders(None, range(1)) == [list(range(50))]


def test_a_stream_gives_the_rows_in_order_each_time(folder: Path) -> None:
    """Images and labels of a batch belong together, whichever thread decoded them."""
    train = load(folder).train
    pixels = read(train.x)
    batches = Streams().batches(train.x, train.y, 16, seed=3, epochs=range(1, 3))
    orders = [epoch_order(len(train), 3, epoch) for epoch in (1, 2)]
    rows = [order[first : first + 16] for order in orders for first in range(0, len(train), 16)]
    assert int(batches.cardinality()) == len(rows)
    assert [tuple(part.shape) for part in batches.element_spec] == [(None, 8, 8), (None,)]
    for _ in range(2):
        for batch, (x, y) in zip(rows, batches, strict=True):
            np.testing.assert_array_equal(x, pixels[batch])
            np.testing.assert_array_equal(y, train.y[batch])


def test_a_run_tells_its_execution_and_limit(streamed: kzoo.Run) -> None:
    """The recorded spec says plain, whatever was asked, and keeps the limit."""
    assert streamed.spec.fit.execution == "plain"
    assert streamed.spec.dataset.memory_limit == TINY
    assert "are read from their files" in streamed.metrics["notices"][0]


def test_the_same_seed_gives_the_same_bits(streamed: kzoo.Run, tmp_path: Path) -> None:
    """Running the spec.json of a streamed run gives the same weights and figures."""
    again = kzoo.run(streamed.path / "spec.json", out=tmp_path, display="quiet")
    for one, other in zip(streamed.load().get_weights(), again.load().get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert again.history["loss"] == streamed.history["loss"]
    assert again.history["val_loss"] == streamed.history["val_loss"]


def test_the_predictions_are_in_the_order_of_the_test_set(streamed: kzoo.Run, folder: Path) -> None:
    """The kept labels are the test set's, and the answers those of the model on its array."""
    kept = np.load(streamed.path / "predictions.npz")
    test = load(folder, memory_limit=None).test
    np.testing.assert_array_equal(kept["labels"], test.y)
    answers = streamed.load().predict(test.x, verbose=0)
    np.testing.assert_allclose(kept["probabilities"], answers, atol=1e-6)


def test_evaluate_reads_a_folder_as_the_run_did(streamed: kzoo.Run, folder: Path) -> None:
    """`kzoo evaluate` on the run's own folder gives the run's own figures, to the bit."""
    own, again = evaluate(streamed), evaluate(streamed, folder, display="quiet")
    assert (again.accuracy, again.loss) == (own.accuracy, own.loss)
    assert "are read from their files" in again.notices[0]


def test_half_of_the_memory_is_the_limit_and_is_recorded(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a limit that of this machine goes into the run's spec, so that it streams again."""
    monkeypatch.setattr("kzoo.machine.memory", lambda: 2000)
    run = kzoo.run(make_spec(folder, memory_limit=None), out=tmp_path, display="quiet")
    assert run.spec.dataset.memory_limit == TINY


def test_a_folder_that_is_not_streamed_records_no_limit(folder: Path, tmp_path: Path) -> None:
    """Where all fits, the spec is as it was."""
    run = kzoo.run(make_spec(folder, memory_limit=None), out=tmp_path, display="quiet")
    assert run.spec.dataset.memory_limit is None


def test_callbacks_see_the_steps_of_an_epoch(folder: Path, tmp_path: Path) -> None:
    """The display is told the steps of one epoch, and every epoch has as many."""
    seen: list[Any] = []

    class Listener(keras.callbacks.Callback):
        def on_train_begin(self, logs: object = None) -> None:
            seen.append(self.params["steps"])

        def on_train_batch_end(self, batch: int, logs: object = None) -> None:
            seen.append(batch)

    kzoo.run(make_spec(folder), out=tmp_path, display="quiet", callbacks=[Listener()])
    assert seen == [7, *(3 * list(range(7)))]


def test_augmentation_class_weights_and_early_stopping_work(folder: Path, tmp_path: Path) -> None:
    """What a spec can ask of a fit, it can ask on a stream."""
    run = kzoo.run(
        make_spec(folder),
        overrides={
            "dataset.augment": {"shift": 0.1},
            "fit.class_weight": "balanced",
            "fit.early_stopping": {"patience": 1, "min_delta": 1.0},
            "fit.restore_best_weights": True,
            "fit.execution": "compiled",
        },
        out=tmp_path,
        display="quiet",
    )
    assert run.metrics["epochs"] == 2
    assert run.spec.fit.execution == "plain"


def test_a_spec_without_validation_streams(folder: Path, tmp_path: Path) -> None:
    """No validation images, no validation."""
    run = kzoo.run(make_spec(folder, validation_size=0), out=tmp_path, display="quiet")
    assert "val_loss" not in run.history


def test_an_epoch_of_a_stream_can_be_timed(folder: Path) -> None:
    """`kzoo show --layers` finds the shape of such a folder and times an epoch."""
    spec = make_spec(folder)
    shape = data_shape(spec)
    assert (shape.input_shape, shape.rows, shape.dtype) == ((8, 8), 240, "uint8")
    assert time_epoch(spec, shape).seconds > 0


@pytest.mark.parametrize("harm", ["removed", "truncated", "resized", "coloured"])
def test_a_file_that_is_damaged_meanwhile_is_named(folder: Path, tmp_path: Path, harm: str) -> None:
    """A file that goes or changes in the middle of the training ends it with a DataError."""
    copied = Path(shutil.copytree(folder, tmp_path / "copied"))
    victim = Path(load(copied).train.x.paths[100])

    def damage(epoch: int, logs: object) -> None:
        if harm == "removed":
            victim.unlink(missing_ok=True)
        elif harm == "truncated":
            victim.write_bytes(victim.read_bytes()[:60])
        else:
            save(victim, COLOURS if harm == "resized" else np.dstack([IMAGES[0]] * 3))

    saboteur = keras.callbacks.LambdaCallback(on_epoch_end=damage)
    said = {"removed": "no such file", "truncated": "is no readable image"}.get(
        harm, "as it was when"
    )
    with pytest.raises(DataError, match=said) as caught:
        kzoo.run(make_spec(copied), out=tmp_path, display="quiet", callbacks=[saboteur])
    assert str(caught.value).startswith(f"{victim}: ")


def test_another_error_is_not_taken_for_a_files(folder: Path, tmp_path: Path) -> None:
    """What a callback raises goes through a stream as it is."""

    def fail(epoch: int, logs: object) -> None:
        raise ZeroDivisionError("mine")

    callback = keras.callbacks.LambdaCallback(on_epoch_end=fail)
    with pytest.raises(ZeroDivisionError, match="mine"):
        kzoo.run(make_spec(folder), out=tmp_path, display="quiet", callbacks=[callback])


def stop_midway(folder: Path, stop: Callable[[subprocess.Popen[str]], object]) -> tuple[int, str]:
    """Return the status of a long ``kzoo run`` that is stopped midway, and what it said then."""
    settings = ["fit.epochs=10000", f"dataset.memory_limit={TINY}"]
    arguments = ["run", "softmax_regression", "--plain", "--data", str(folder), *settings]
    with subprocess.Popen(
        [sys.executable, "-m", "kzoo", *arguments],
        cwd=folder.parent,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("epoch 2/"):
                break
        stop(process)
        try:
            _, rest = process.communicate(timeout=60)
        finally:
            process.kill()
    lines = [line for line in rest.splitlines() if not line.startswith("epoch ")]
    return process.returncode, "\n".join(lines)


def test_the_command_says_so_in_one_line(folder: Path, tmp_path: Path) -> None:
    """A folder that vanishes under `kzoo run` ends it with status 1 and one line, no traceback."""
    copied = Path(shutil.copytree(folder, tmp_path / "copied"))
    status, said = stop_midway(copied, lambda process: shutil.rmtree(copied))
    assert status == 1
    assert said.startswith(f"Error: {copied}")
    assert "\n" not in said


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_stream(
    folder: Path, tmp_path: Path, number: signal.Signals, expected: int
) -> None:
    """A run that is interrupted while threads read ahead ends at once, in one line."""
    copied = Path(shutil.copytree(folder, tmp_path / "copied"))
    status, said = stop_midway(copied, lambda process: process.send_signal(number))
    assert status == expected
    assert "\n" not in said


def test_images_of_two_sizes_are_refused(tmp_path: Path) -> None:
    """A second size is the same error as where images are read at once, before any training."""
    save(save_digits(tmp_path) / "9" / "other.png", COLOURS[..., 0])
    errors = []
    for limit in (TINY, None):
        with pytest.raises(
            DataError, match=r"received 6 pixels high and 5 wide; expected 8 high.*image_size"
        ) as it:
            load(tmp_path, memory_limit=limit)
        errors.append(str(it.value))
    assert errors[0] == errors[1]


@pytest.mark.parametrize("kind", ["text", "png", "jpg", "bomb"])
def test_an_unreadable_image_is_the_same_error(tmp_path: Path, kind: str) -> None:
    """What cannot be decoded is refused before the training, in the words of the other way."""
    path = save_digits(tmp_path) / "9" / "last.png"
    if kind == "text":
        path.write_text("hello")
    elif kind == "bomb":
        Image.new("1", (8, 8)).save(path, "BMP")
        blob = bytearray(path.read_bytes())
        blob[18:26] = (10_000).to_bytes(4, "little") * 2
        path.write_bytes(bytes(blob))
    else:
        Image.fromarray(np.tile(COLOURS, (9, 9, 1))).save(path, {"jpg": "JPEG"}.get(kind, kind))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    errors = []
    for limit in (TINY, None):
        with pytest.raises(DataError, match=r"last\.png: (received|is no) ") as caught:
            load(tmp_path, memory_limit=limit)
        errors.append(str(caught.value))
    assert errors[0] == errors[1]


FOLDER_SETTINGS = ("image_size", "image_channels", "image_bits", "memory_limit")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("images", ("image_shape", "label", "table")),
        ("idx", ("image_shape", "label", "table", *FOLDER_SETTINGS)),
        ("it.csv", FOLDER_SETTINGS),
        ("it.npz", ("label", "table", *FOLDER_SETTINGS)),
        ("mnist", ("image_shape", "label", "table", *FOLDER_SETTINGS)),
    ],
)
def test_other_kinds_of_data_have_other_settings(
    tmp_path: Path, name: str, expected: tuple[str, ...]
) -> None:
    """A limit is for folders of class folders, not for IDX folders, files and names."""
    (tmp_path / "images" / "a").mkdir(parents=True)
    (tmp_path / "idx").mkdir()
    (tmp_path / "idx" / "train-images-idx3-ubyte").touch()
    assert unfit_settings(tmp_path / name) == expected


def test_a_limit_for_a_dataset_of_a_name_is_refused() -> None:
    """dataset.memory_limit means nothing for digits, and is an error."""
    with pytest.raises(DataError, match=r"^dataset\.memory_limit: received it for digits"):
        load(Path("digits"))


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")
def test_a_stream_feeds_jax(kzoo_command: Command, folder: Path) -> None:
    """Keras on JAX trains on the stream, and the run ends with its figures."""
    finished = kzoo_command(
        "run", "softmax_regression", "--json", "--data", folder,
        "fit.epochs=2", f"dataset.memory_limit={TINY}", env={"KERAS_BACKEND": "jax"},
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)["test_accuracy"] > 0.2


@pytest.mark.slow
def test_memory_does_not_grow_with_the_files(tmp_path: Path) -> None:
    """An epoch on 100,000 files takes hardly more memory than one on 10,000, at its highest."""
    peaks = {}
    for count in (10_000, 100_000):
        finished = subprocess.run(
            [sys.executable, "-c", MAKE_AND_TRAIN, str(tmp_path / str(count)), str(count)],
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
        figures = json.loads(finished.stdout)
        assert figures["streamed"]
        peaks[count] = figures["mebibytes"]
        print(f"{count} files: {peaks[count]:.0f} MiB, {figures['speed']:.0f} images a second")
    assert peaks[100_000] - peaks[10_000] < MEMORY_BOUND
