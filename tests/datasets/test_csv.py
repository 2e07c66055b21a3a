"""Tables: what is read from them, and what is refused."""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from support import specs

from kzoo.datasets import load_dataset
from kzoo.datasets.csv_table import read_csv
from kzoo.datasets.dataset import Source
from kzoo.errors import DataError
from kzoo.spec import load_spec

load = partial(specs.load, validation_size=12)

IRIS = load_iris()
NAMES = ("sepal length", "sepal width", "petal length", "petal width")
SMALL = "a,b,label\n1,2,x\n3,4,y\n5,6,x\n7,8,y\n"


def iris(delimiter: str = ",", label: str = "species") -> str:
    """Return the iris table as text, with words for labels in the last column."""
    header = delimiter.join((*NAMES, label))
    rows = (
        delimiter.join((*map(str, x), str(IRIS.target_names[y])))
        for x, y in zip(IRIS.data, IRIS.target, strict=True)
    )
    return "\n".join((header, *rows)) + "\n"


def labels(source: Source) -> list[Any]:
    """Return the labels that were read."""
    assert source.y_train is not None
    return list(source.y_train.tolist())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the test's table goes."""
    return tmp_path / "table.csv"


def test_the_real_iris_table_is_read(path: Path) -> None:
    """Iris is 150 rows of four float32 columns in three classes called by their words."""
    path.write_text(iris())
    dataset = load(path, label="species")
    assert dataset.class_names == ("setosa", "versicolor", "virginica")
    assert dataset.input_shape == (4,)
    assert dataset.train.x.dtype == np.float32
    assert (len(dataset.train), len(dataset.test)) == (108, 30)


def test_rows_keep_their_order_and_values(path: Path) -> None:
    """Every number and label of the table is where it was."""
    path.write_text(iris())
    source = read_csv(path, "species")
    np.testing.assert_array_equal(source.x_train, IRIS.data.astype(np.float32))
    np.testing.assert_array_equal(source.y_train, IRIS.target_names[IRIS.target])


def test_tables_are_standardised(path: Path) -> None:
    """A table's scaling has a factor for each column."""
    path.write_text(iris())
    scale = load(path).scaling.scale
    assert isinstance(scale, tuple)
    assert len(scale) == 4


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found(path: Path, delimiter: str) -> None:
    """Commas, semicolons and tabs part cells alike."""
    path.write_text(iris(delimiter))
    assert load(path).input_shape == (4,)


def test_the_delimiter_is_the_one_that_fits_the_rows(path: Path) -> None:
    """Commas within the names of a semicolon's table do not part them."""
    path.write_text("width, cm, outer;label\n1;x\n2;y\n")
    assert read_csv(path).x_train.tolist() == [[1], [2]]


@pytest.mark.parametrize("name", ["label", "Label"])
def test_the_column_named_label_is_the_label(path: Path, name: str) -> None:
    """Without dataset.label the column named label is taken, wherever it stands."""
    path.write_text(f"{name},a,b\nx,1,2\ny,3,4\n")
    source = read_csv(path)
    assert labels(source) == ["x", "y"]
    assert source.notices == ()


def test_a_guessed_label_column_is_noted(path: Path) -> None:
    """Where no column is named label the last is taken, and a notice says so."""
    path.write_text(iris())
    assert load(path).notices[0] == (
        f"{path} has no column 'label': the last, 'species', is taken for it "
        "(dataset.label names another)."
    )


def test_dataset_label_goes_before_the_column_named_label(path: Path) -> None:
    """The column that the spec names is taken even where another is called label."""
    path.write_text("kind,label\nx,1\ny,2\n")
    assert labels(read_csv(path, "kind")) == ["x", "y"]


def test_an_unknown_label_column_names_the_nearest(path: Path) -> None:
    """A misspelt dataset.label is answered with the columns and the nearest."""
    path.write_text(iris())
    with pytest.raises(DataError, match=r"dataset\.label: received 'specis'; .* 'species'\?"):
        load(path, label="specis")


def test_whole_numbers_are_labels_in_order(path: Path) -> None:
    """Whole numbers as labels are ordered as numbers, so that 10 follows 9."""
    path.write_text("a,label\n" + "".join(f"{i},{i % 11}.0\n" for i in range(110)))
    assert load(path).class_names == tuple(map(str, range(11)))


def test_numbers_with_leading_zeros_stay_words(path: Path) -> None:
    """Labels such as 01 are codes, and keep their zeros."""
    path.write_text("a,label\n1,01\n2,02\n")
    assert labels(read_csv(path)) == ["01", "02"]


def test_real_numbers_as_labels_are_refused(path: Path) -> None:
    """A column of measurements as label is an error that says kzoo trains classifiers."""
    path.write_text("a,label\n" + "".join(f"{i},{i / 7}\n" for i in range(1, 80)))
    with pytest.raises(DataError, match="classifiers, not regressions"):
        load(path)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + SMALL,
        SMALL.replace("\n", "\r\n"),
        SMALL.replace("\n", "\r"),
        SMALL.replace("\n", "\n\n"),
        "\n" + SMALL,
        SMALL.rstrip("\n"),
        SMALL.replace(",", ", "),
        SMALL.replace("a,", '"a",').replace("x", '"x"'),
    ],
    ids=["BOM", "CRLF", "CR", "blank lines", "blank first", "no last newline", "spaces", "quotes"],
)
def test_other_forms_of_a_table_are_read_alike(path: Path, text: str) -> None:
    """A byte order mark, other line ends, blank lines, spaces and quotes change nothing."""
    path.write_bytes(text.encode())
    source = read_csv(path)
    assert source.x_train.tolist() == [[1, 2], [3, 4], [5, 6], [7, 8]]
    assert labels(source) == ["x", "y", "x", "y"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "received an empty file; expected a header row"),
        ("\n\n", "received an empty file; expected a header row"),
        ("a,b,label\n", "received a header only; expected examples below it"),
        ("a\n1\n", "line 1: received one column; expected a label and at least one other"),
        ("a|label\n1|x\n", "line 1: received one column"),
        ("a,b,label\n1,2,x\n1,x\n", "line 3: received 2 cells; expected 3, as in the header"),
        ("a,b,label\n1,2,x\n1,2,3,x\n", "line 3: received 4 cells; expected 3"),
        ("a,b,label\n1,2,x\n\n1,red,x\n", "line 4, column 'b': received 'red'; expected a number"),
        ("a,label\n1_000,x\n", "line 2, column 'a': received '1_000'; expected a number"),
        ("a;label\n1,5;x\n", "line 2, column 'a': received '1,5'; expected a number such as 1.5"),
        ("a,b,label\n1,,x\n", "line 2, column 'b': received '', a missing value"),
        ("a,b,label\n1,NA,x\n", "line 2, column 'b': received 'NA', a missing value"),
        ("a,b,label\n1,2,x\n1,nan,x\n", "line 3, column 'b': received nan as float32"),
        ("a,b,label\n1,1e300,x\n", "line 2, column 'b': received inf as float32"),
        ("a,b,label\n1,2,\n", "line 2, column 'label': received nothing; expected a label"),
        ("a,label\n1," + "x" * 101 + "\n", "received a label of 101 characters; expected a label"),
        ("a,a,label\n1,2,x\n", "line 1: received the column name 'a' 2 times, for columns 1 and 2"),
        (",a,label\n1,2,x\n", "line 1: received no name for column 1"),
        ("5.1,3.5,setosa\n4.9,3,setosa\n", "line 1: received a row of numbers"),
        ("5,0,0,0\n4,0,0,0\n", r"line 1: received a row of numbers \(5, 0, 0, 0\); expected a"),
        ("a,label\n1,x\0y\n", "line 2: received a NUL byte; expected UTF-8 text"),
        ('a,label\n1,"x\n', "line 2: unexpected end of data; expected CSV"),
        ("a,label\n1," + "x" * 140_000, r"line 2: field larger than field limit"),
    ],
)
def test_a_table_that_cannot_be_used_says_where(path: Path, text: str, message: str) -> None:
    """Each fault of a table is an error with file, line, column and what is accepted."""
    path.write_text(text)
    with pytest.raises(DataError, match=rf"table\.csv: .*{message}"):
        load(path)


def test_rising_numbers_are_column_names(path: Path) -> None:
    """A header of rising numbers, as pandas writes for columns without names, is a header."""
    path.write_text("0,1,2\n5,6,0\n7,8,1\n")
    assert read_csv(path).x_train.tolist() == [[5, 6], [7, 8]]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_table_that_is_not_utf8_is_refused(path: Path, encoding: str) -> None:
    """Text in another encoding is an error that tells the line."""
    path.write_bytes("a,label\n1,café\n".encode(encoding))
    line = 2 if encoding == "latin-1" else 1
    with pytest.raises(
        DataError, match=f"line {line}: received the byte .*; expected a table saved"
    ):
        load(path)


def test_a_table_with_one_class_is_refused(path: Path) -> None:
    """A table whose labels are all the same is an error."""
    path.write_text("a,label\n1,x\n2,x\n")
    with pytest.raises(DataError, match="received one class only, x; expected 2 or more"):
        load(path)


def test_a_table_larger_than_memory_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that would take more than half of the memory is an error before it is read."""
    path.write_text(iris())
    monkeypatch.setattr("kzoo.machine.memory", lambda: 1000)
    with pytest.raises(DataError, match="GiB of memory; expected at most"):
        load(path)


def test_an_image_size_for_a_table_is_refused(path: Path) -> None:
    """dataset.image_size means nothing for a table, and is an error."""
    path.write_text(SMALL)
    with pytest.raises(DataError, match=r"^dataset\.image_size: received it for .* \.csv file"):
        load(path, image_size=[8, 8])


@pytest.mark.parametrize("data", [None, (np.eye(4), np.arange(4) % 2)])
def test_a_label_for_other_data_is_refused(data: Any) -> None:
    """dataset.label means nothing for a named dataset or for arrays, and is an error."""
    spec = load_spec(
        {
            "name": "trial",
            "model": {"builder": "softmax_regression"},
            "dataset": {"name": "digits", "label": "kind"},
        }
    )
    with pytest.raises(DataError, match=r"^dataset\.label: received it for .*; expected it with a"):
        load_dataset(spec, data)


@settings(derandomize=True, deadline=None, max_examples=50)
@given(place=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255))
def test_a_damaged_table_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, place: float, value: int
) -> None:
    """Whatever byte of a table is changed, it is read or refused with a DataError."""
    path = tmp_path_factory.getbasetemp() / "damaged.csv"
    blob = bytearray(SMALL.encode())
    blob[int(place * len(blob))] = value
    path.write_bytes(bytes(blob))
    with contextlib.suppress(DataError):
        read_csv(path)


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.one_of(st.binary(max_size=60), st.text('a1.,;"\n\r\t -', max_size=40).map(str.encode)))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, blob: bytes
) -> None:
    """Whatever a .csv file holds, it is read or refused with a DataError."""
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(blob)
    with contextlib.suppress(DataError):
        load(path)
