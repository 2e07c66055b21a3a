"""The catalogues: one entry is all that a new dataset, or a new format, takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kzoo.cli.words import describe_data
from kzoo.datasets import NAMED_DATASETS, DataShape, Scaling, load_dataset, load_inputs
from kzoo.datasets import formats as formats_module
from kzoo.datasets.catalogue import NamedDataset
from kzoo.datasets.dataset import Source
from kzoo.datasets.formats import Format, all_settings, unfit_settings
from kzoo.datasets.progress import OnProgress, Progress
from kzoo.errors import DataError, UnknownNameError
from kzoo.evaluation.timing import data_shape, time_epoch
from kzoo.spec import Spec, load_spec
from kzoo.spec.dataset import DatasetSpec

X, Y = np.arange(80, dtype=np.float32).reshape(40, 2), np.arange(40) % 2
SHAPE = DataShape("dots", (2,), ("left", "right"), 32, "float32", Scaling(0.5))


def spec_of(name: str, **settings: object) -> Spec:
    """Return a spec of the smallest model on these data."""
    section = {"name": name, "validation_size": 0, **settings}
    return load_spec({"model": {"builder": "softmax_regression"}, "dataset": section})


@pytest.fixture
def dots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a dataset of a name into the catalogue."""

    def read(dataset: NamedDataset, on_progress: OnProgress | None) -> Source:
        if on_progress:
            on_progress(Progress(dataset.shape.name, 7))
        shape = dataset.shape
        return Source(X, Y, None, None, shape.name, shape.class_names, shape.scaling)

    monkeypatch.setitem(NAMED_DATASETS, "dots", NamedDataset(SHAPE, "40 dots, 2 classes", read))


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Put a format into the catalogue: numbers a line, the last one the label; return such a file.

    The setting `label`, which tables have too, is meant for it.
    """

    def read(path: Path, section: DatasetSpec) -> Source:
        rows = np.loadtxt(path)
        names = (section.label or "no", "yes")
        return Source(rows[:, :-1], rows[:, -1], None, None, str(path), names)

    lines = Format(
        "a .lines file", lambda facts: facts.ending == ".lines", read, settings=("label",)
    )
    monkeypatch.setattr(formats_module, "FORMATS", (*formats_module.FORMATS, lines))
    np.savetxt(tmp_path / "it.lines", np.column_stack((X, Y)))
    return tmp_path / "it.lines"


@pytest.mark.usefixtures("dots")
def test_one_entry_makes_a_named_dataset_loadable() -> None:
    """It is read by its name, with its classes and its scaling, and told of its download."""
    told: list[Progress] = []
    dataset = load_dataset(spec_of("dots"), on_progress=told.append)
    assert (dataset.name, dataset.shape) == ("dots", SHAPE)
    assert told == [Progress("dots", 7)]
    np.testing.assert_array_equal(load_inputs("dots").x, X)


@pytest.mark.usefixtures("dots")
def test_one_entry_tells_a_named_datasets_shape_and_words() -> None:
    """Its shape is known without reading it, and so is what it is called for a person."""
    assert data_shape(spec_of("dots")) is SHAPE
    assert describe_data(spec_of("dots")) == ["dots: 40 dots, 2 classes"]


@pytest.mark.usefixtures("dots")
def test_one_entry_makes_a_named_dataset_known_where_names_are_asked_for() -> None:
    """A misspelt name is answered with it, and settings of files are refused for it."""
    with pytest.raises(UnknownNameError, match="Did you mean 'dots'"):
        load_dataset(spec_of("dotz"))
    with pytest.raises(DataError, match=r"^dataset\.label: received it for dots; expected"):
        load_dataset(spec_of("dots", label="it"))


def test_one_entry_makes_a_format_readable(path: Path) -> None:
    """A file of it is read, with the settings that are meant for it."""
    dataset = load_dataset(spec_of(str(path), label="maybe"))
    assert dataset.class_names == ("maybe", "yes")
    assert dataset.input_shape == (2,)
    np.testing.assert_array_equal(load_inputs(path).x, X)


def test_one_entry_tells_which_settings_fit_a_format(path: Path) -> None:
    """Others are refused for it, and its own are refused for other data with its words too."""
    expected = (
        "image_shape", "table", "image_size", "image_channels", "image_bits", "memory_limit",
    )  # fmt: skip
    assert unfit_settings(path) == expected
    with pytest.raises(
        DataError, match=r"^dataset\.image_size: received it for .*, a \.lines file"
    ):
        load_dataset(spec_of(str(path), image_size=[8, 8]))
    with pytest.raises(
        DataError,
        match=r"^dataset\.label: received it for digits; "
        r"expected it with a table .*, a \.parquet file or a \.lines file alone$",
    ):
        load_dataset(spec_of("digits", label="it"))


def test_one_entry_puts_a_format_among_what_is_accepted(path: Path, tmp_path: Path) -> None:
    """What is said to be accepted names it, for training and for inputs alone."""
    training = r"expected an \.npz file, a table .*, a \.parquet file, .*, a folder of class "
    training += r"folders of images or a \.lines file$"
    (tmp_path / "it.txt").touch()
    with pytest.raises(DataError, match=training):
        load_dataset(spec_of(str(tmp_path / "it.txt")))
    with pytest.raises(DataError, match=r"of images, a folder of images or a \.lines file$"):
        load_inputs(tmp_path / "it.txt")


def test_an_epoch_of_a_format_is_timed_whatever_its_settings(path: Path) -> None:
    """How a file is read does not stand in the way of timing."""
    spec = spec_of(str(path), label="maybe")
    shape = data_shape(spec)
    assert (shape.rows, shape.class_names) == (32, ("maybe", "yes"))
    assert time_epoch(spec, shape).seconds > 0


def test_every_setting_of_a_format_is_one_of_the_dataset_section() -> None:
    """A format's settings are fields that a spec has, none of them needed."""
    fields = DatasetSpec.model_fields
    assert all(name in fields and fields[name].default is None for name in all_settings())


def test_looking_at_the_catalogue_imports_neither_numpy_nor_a_reader() -> None:
    """What `kzoo show` says of data waits for no library that reads them."""
    code = (
        "import sys, kzoo.cli.words, kzoo.datasets\n"
        "heavy = {'numpy', 'PIL', 'sklearn', 'kzoo.datasets.load'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
