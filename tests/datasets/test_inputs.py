"""Inputs to be classified, from every format, with labels or without."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from kzoo.datasets import ImageFiles, load_dataset, load_inputs
from kzoo.errors import DataError, UnknownNameError
from kzoo.spec.dataset import DatasetSpec

TABLE = np.arange(12, dtype=np.float32).reshape(4, 3)
IMAGES = np.random.default_rng(0).integers(0, 256, (6, 5, 4), np.uint8)
LABELS = np.array([0, 1, 0, 1, 0, 1], np.uint8)


def encode(array: np.ndarray[Any, Any]) -> bytes:
    """Return an array of bytes as an IDX file."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_images(folder: Path) -> Path:
    """Write grey images in a folder, in the order of their names."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, pixels in enumerate(IMAGES):
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


def section(**settings: Any) -> DatasetSpec:
    """Return the dataset section of some training."""
    return DatasetSpec(name="what was trained on", **settings)


def training_error(path: Path) -> str:
    """Return the message with which these data are refused for a training."""
    model = {"builder": "softmax_regression"}
    with pytest.raises(DataError) as caught:
        load_dataset({"model": model, "dataset": {"name": str(path)}})
    return str(caught.value)


@pytest.fixture
def npz(tmp_path: Path) -> Path:
    """Where the test's archive goes."""
    return tmp_path / "it.npz"


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    """Where the test's table goes."""
    return tmp_path / "it.csv"


@pytest.mark.parametrize(
    "arrays",
    [
        {"x_train": IMAGES},
        {"x": IMAGES},
        {"x_train": IMAGES, "x": IMAGES[:2]},
        {"x_train": IMAGES, "x_test": IMAGES[:2]},
        {"x_train": IMAGES, "y_train": LABELS},
        {"x": IMAGES, "y_train": LABELS},
    ],
    ids=lambda arrays: " ".join(arrays),
)
def test_an_archive_gives_x_train_or_else_x(npz: Path, arrays: dict[str, Any]) -> None:
    """The other arrays may be there or not."""
    np.savez(npz, **arrays)
    inputs = load_inputs(npz)
    np.testing.assert_array_equal(inputs.x, IMAGES)
    assert inputs.x.dtype == np.uint8
    assert (inputs.where, inputs.names, inputs.notices) == (str(npz), (), ())
    assert len(inputs) == 6


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x_train": IMAGES}, "has no array 'y_train'; it holds x_train."),
        ({"x": IMAGES}, "has no array 'x_train'; it holds x."),
        ({"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES},
         "has x_test alone; expected both of x_test, y_test"),
    ],
)  # fmt: skip
def test_an_archive_without_labels_is_not_trained_on(
    npz: Path, arrays: dict[str, Any], said: str
) -> None:
    """A training refuses it with the error that names what is missing."""
    np.savez(npz, **arrays)
    assert training_error(npz) == f"{npz}: {said}"


def test_an_archive_without_inputs_is_refused(npz: Path) -> None:
    """Without inputs there is nothing to classify."""
    np.savez(npz, y_train=LABELS)
    with pytest.raises(DataError, match="has no array 'x_train'; it holds y_train"):
        load_inputs(npz)


def test_inputs_are_checked(npz: Path) -> None:
    """Inputs that are not finite are refused as those of a training are."""
    np.savez(npz, x=np.full((3, 2), np.nan))
    with pytest.raises(DataError, match=r"received nan at index \[0, 0\]; expected finite values"):
        load_inputs(npz)


def test_a_table_without_a_label_column_is_read_whole(csv: Path) -> None:
    """The last column is no label where only inputs are wanted."""
    np.savetxt(csv, TABLE, delimiter=",", header="a,b,c", comments="")
    inputs = load_inputs(csv, section(label="kind"))
    np.testing.assert_array_equal(inputs.x, TABLE)
    assert inputs.x.dtype == np.float32
    assert inputs.notices == ()


def test_a_table_of_one_column_is_read(csv: Path) -> None:
    """A single column of numbers is enough where no label is needed."""
    csv.write_text("a\n1\n2\n")
    assert load_inputs(csv).x.tolist() == [[1], [2]]


@pytest.mark.parametrize(
    ("header", "label"), [("a,kind,c", "kind"), ("a,label,c", None), ("a,Label,c", None)]
)
@pytest.mark.parametrize("cell", ["owl", "", "x" * 200, "2"])
def test_the_label_column_is_left_out_whatever_it_holds(
    csv: Path, header: str, label: str | None, cell: str
) -> None:
    """It is the one that the section names, else the one called label; it may be empty."""
    csv.write_text(f"{header}\n1,{cell},3\n4,{cell},6\n")
    assert load_inputs(csv, section(label=label)).x.tolist() == [[1, 3], [4, 6]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("label\nx\ny\n", "received the columns label; expected one or more inputs beside"),
        ("a,b\n1,x\n", "column 'b': received words; expected numbers, or the features of the run"),
        ("a,b\n1,2\n1,\n", "column 'b': received missing values; expected numbers"),
        ("", "received an empty file; expected a table"),
    ],
)
def test_a_table_that_is_not_of_numbers_is_refused(csv: Path, text: str, said: str) -> None:
    """Each fault is one line that tells where it is."""
    csv.write_text(text)
    with pytest.raises(DataError) as caught:
        load_inputs(csv)
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{csv}: ")


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "t10k-images-idx3-ubyte"])
def test_a_folder_of_idx_images_alone_is_read(tmp_path: Path, name: str) -> None:
    """Images of either split are enough, without their labels."""
    (tmp_path / name).write_bytes(encode(IMAGES))
    inputs = load_inputs(tmp_path)
    np.testing.assert_array_equal(inputs.x, IMAGES)
    assert inputs.where == str(tmp_path)


def test_a_folder_of_idx_images_alone_is_not_trained_on(tmp_path: Path) -> None:
    """A training refuses it with the error that names what is missing."""
    (tmp_path / "train-images-idx3-ubyte").write_bytes(encode(IMAGES))
    assert training_error(tmp_path) == (
        f"{tmp_path}: has no train labels; it holds train-images-idx3-ubyte; "
        "expected train-labels-idx1-ubyte, plain or .gz, too"
    )


def test_a_folder_of_idx_labels_alone_is_refused(tmp_path: Path) -> None:
    """Without inputs there is nothing to classify."""
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(encode(LABELS))
    with pytest.raises(DataError, match="has no train images; it holds train-labels"):
        load_inputs(tmp_path)


def test_a_flat_folder_of_images_is_read_in_order_of_name(tmp_path: Path) -> None:
    """Each image is called what its file is called; other files are counted in a notice."""
    (write_images(tmp_path) / "notes.txt").touch()
    inputs = load_inputs(tmp_path)
    np.testing.assert_array_equal(inputs.x, IMAGES)
    assert inputs.names == tuple(f"{number}.png" for number in range(6))
    assert inputs.notices == (
        f"{tmp_path}: hidden files and files that are no images are skipped (1).",
    )


def test_a_folder_of_folders_of_images_is_read_whole(tmp_path: Path) -> None:
    """One class folder is enough, and an image's name is its path within the folder."""
    write_images(tmp_path / "owl")
    Image.fromarray(IMAGES[0]).save(tmp_path / "z.png")
    inputs = load_inputs(tmp_path)
    assert inputs.names == (*(str(Path("owl", f"{number}.png")) for number in range(6)), "z.png")
    np.testing.assert_array_equal(inputs.x, [*IMAGES, IMAGES[0]])


def test_images_are_read_as_the_section_says(tmp_path: Path) -> None:
    """They are stretched to its size, and stay in their files where they take too much memory."""
    settings = section(image_size=(2, 3), memory_limit=1e-9)
    inputs = load_inputs(write_images(tmp_path), settings)
    assert isinstance(inputs.x, ImageFiles)
    assert inputs.x.shape == (6, 2, 3)
    assert inputs.notices == ()


def test_a_flat_folder_of_images_is_not_trained_on(tmp_path: Path) -> None:
    """A training refuses it as a folder without class folders."""
    assert training_error(write_images(tmp_path)) == (
        f"{tmp_path}: received a folder of 6 files, not a kind of data that kzoo reads; expected "
        "an .npz file, a table (.csv or .tsv, plain or .gz), a .parquet file, a folder of IDX "
        "files or a folder of class folders of images"
    )


def test_a_folder_of_empty_folders_has_no_images(tmp_path: Path) -> None:
    """A folder without images is an error, not an empty result."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="received no images; expected images in it"):
        load_inputs(tmp_path)


def test_a_link_out_of_a_folder_of_images_is_refused(tmp_path: Path) -> None:
    """Only what lies in the folder is read."""
    folder = write_images(tmp_path / "it")
    (folder / "9.png").symlink_to(write_images(tmp_path / "other") / "1.png")
    with pytest.raises(DataError, match="expected none that leads out of the folder"):
        load_inputs(folder)


def test_settings_for_other_data_are_left_alone(npz: Path) -> None:
    """The section of a training on images reads an archive too."""
    np.savez(npz, x=IMAGES)
    settings = section(image_size=(2, 3), memory_limit=1.0, label="kind")
    assert load_inputs(npz, settings).x.shape == IMAGES.shape


def test_a_named_dataset_gives_its_inputs() -> None:
    """The name of a dataset is accepted in the place of a path."""
    inputs = load_inputs("digits")
    assert inputs.x.shape == (1797, 8, 8)
    assert inputs.where == "digits"


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("", DataError, "received an empty name; expected a dataset's name or path"),
        ("digitz", UnknownNameError, "unknown dataset 'digitz'. Did you mean 'digits'?"),
        ("nowhere/it.npz", DataError, "a folder of class folders of images or a folder of images, "
         "or a dataset's name"),
    ],
)  # fmt: skip
def test_what_is_nowhere_is_named(name: str, error: type[Exception], said: str) -> None:
    """The error tells what is accepted."""
    with pytest.raises(error) as caught:
        load_inputs(name)
    assert said in str(caught.value)
