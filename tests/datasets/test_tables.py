"""Text tables: what is read from them, and what is refused."""

from __future__ import annotations

import contextlib
import gzip
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from support import specs

from kzoo.datasets import load_dataset
from kzoo.datasets.dataset import Source
from kzoo.datasets.features import TableFeatures
from kzoo.datasets.tables.columns import ColumnBuilder
from kzoo.datasets.tables.learn import encode, encode_parts, learn_features
from kzoo.datasets.tables.read import read_frame, read_text
from kzoo.datasets.tables.table import Table, TableColumn
from kzoo.errors import DataError
from kzoo.spec import load_spec
from kzoo.spec.dataset import TableSpec

load = partial(specs.load, validation_size=12)

IRIS = load_iris()
NAMES = ("sepal length", "sepal width", "petal length", "petal width")
SMALL = "a,b,label\n1,2,x\n3,4,y\n5,6,x\n7,8,y\n"


def iris(separator: str = ",", label: str = "species") -> str:
    """Return the iris table as text, with words for labels in the last column."""
    header = separator.join((*NAMES, label))
    rows = (
        separator.join((*map(str, x), str(IRIS.target_names[y])))
        for x, y in zip(IRIS.data, IRIS.target, strict=True)
    )
    return "\n".join((header, *rows)) + "\n"


def read(path: Path, **settings: Any) -> Source:
    """Read a table with these settings."""
    return read_text(path, TableSpec(**settings))


def numbers(source: Source) -> list[list[float]]:
    """Return the columns of a table that are numbers, less no offset, as rows."""
    columns = [c.values.astype(float) + c.offset for c in source.x_train.columns]
    rows: list[list[float]] = np.stack(columns, axis=1).tolist()
    return rows


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
    source = read(path, label="species")
    np.testing.assert_allclose(numbers(source), IRIS.data, rtol=1e-7)
    np.testing.assert_array_equal(source.y_train, IRIS.target_names[IRIS.target])


def test_numbers_are_standardised_by_the_training_rows(path: Path) -> None:
    """Each column has the mean and the deviation of its training rows alone."""
    path.write_text(iris())
    dataset = load(path)
    assert isinstance(dataset.features, TableFeatures)
    for index, column in enumerate(dataset.features.columns):
        (standard,) = column.standards
        values = dataset.train.x[:, index].astype(float)
        assert standard.mean == pytest.approx(values.mean())
        assert standard.deviation == pytest.approx(values.std())
        assert standard.median == pytest.approx(np.median(values))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found(path: Path, separator: str) -> None:
    """Commas, semicolons, tabs and bars part cells alike."""
    path.write_text(iris(separator))
    assert load(path).input_shape == (4,)


def test_the_separator_is_the_one_that_fits_the_rows(path: Path) -> None:
    """Commas within the names of a semicolon's table do not part them."""
    path.write_text("width, cm, outer;label\n1;x\n2;y\n")
    assert numbers(read(path)) == [[1], [2]]


@pytest.mark.parametrize("name", ["label", "Label"])
def test_the_column_named_label_is_the_label(path: Path, name: str) -> None:
    """Without dataset.label the column named label is taken, wherever it stands."""
    path.write_text(f"{name},a,b\nx,1,2\ny,3,4\n")
    source = read(path)
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
    assert labels(read(path, label="kind")) == ["x", "y"]


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
    assert labels(read(path)) == ["01", "02"]


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
    source = read(path)
    assert numbers(source) == [[1, 2], [3, 4], [5, 6], [7, 8]]
    assert labels(source) == ["x", "y", "x", "y"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "received an empty file; expected a table"),
        ("\n\n", "received an empty file; expected a table"),
        ("a,b,label\n", "received a header only; expected examples below it"),
        ("a\n1\n", "line 1: received one column; expected a label and at least one other"),
        ("a,b,label\n1,2,x\n1,x\n", "line 3: received 2 cells; expected 3, as in the header"),
        ("a,b,label\n1,2,x\n1,2,3,x\n", "line 3: received 4 cells; expected 3"),
        ("a,b,label\n1,2,3,x\n1,2,3,x\n", "line 2: received 4 cells; expected 3"),
        ("a,b,label\n1,1e300,x\n", "line 2, column 'b': received 1e.300, infinite as float32"),
        ("a,b,label\n1,1e999,x\n", "line 2, column 'b': received inf, infinite as float32"),
        ("a,b,label\n1,2,\n", "column 'label': received no label in 1 of 1 rows, .* in line 2;"),
        ("a,label\n1," + "x" * 101 + "\n", "received a label of 101 characters; expected a label"),
        ("a,a,label\n1,2,x\n", "line 1: received the column name 'a' 2 times, for columns 1 and 2"),
        ("a,label\n1,x\0y\n", "line 2: received a NUL byte; expected text"),
        ('a,label\n1,"x\n', "line 2: unexpected end of data; expected CSV"),
        ("a,label\n1," + "x" * 140_000, "line 2: field larger than field limit"),
        ("a,label\n,x\n,y\n", "every column but the label's is empty"),
    ],
)
def test_a_table_that_cannot_be_used_says_where(path: Path, text: str, message: str) -> None:
    """Each fault of a table is an error with file, line, column and what is accepted."""
    path.write_text(text)
    with pytest.raises(DataError, match=rf"table\.csv: .*{message}"):
        load(path)


@pytest.mark.parametrize("line", [3, 777, 120_000])
def test_a_few_words_among_numbers_are_mistakes(path: Path, line: int) -> None:
    """A cell that is no number, in a column of numbers, is named by line, wherever it stands."""
    rows = [f"{index},{index % 7},{'xy'[index % 2]}" for index in range(120_000)]
    rows[line - 2] = "1o1,3,x"
    path.write_text("\n".join(["a,b,label", *rows]) + "\n")
    with pytest.raises(DataError, match=rf"line {line}, column 'a': received '1o1'; .* a number"):
        read(path)


def test_blank_lines_and_quoted_line_ends_count_as_lines(path: Path) -> None:
    """A line's number is that which an editor shows."""
    rows = "\n".join(f"{index * 3},x" for index in range(40))
    path.write_text(f'"a\nb",label\n\n{rows}\n\nred,x\n')
    with pytest.raises(DataError, match=r"line 45, column 'a.*b': received 'red'"):
        read(path)


@pytest.mark.parametrize(
    ("text", "has_header", "is_told"),
    [
        ("a,b,label\n1,2,x\n3,4,y\n", True, False),
        ("sex,city,label\nm,b,x\nf,c,y\n", True, False),
        ("0,1,2\n5,6,0\n7,8,1\n", True, True),
        ("country,2019,2020,label\nx,1,2,a\ny,3,4,b\n", True, True),
        ("5.1,3.5,setosa\n4.9,3,setosa\n", False, True),
        ("39, State-gov, 77516, <=50K\n50, Self, 83311, >50K\n", False, True),
        ("m,b,x\nf,b,y\nm,c,x\n", False, True),
    ],
)
def test_whether_there_is_a_header_is_found_and_told(
    path: Path, text: str, has_header: bool, is_told: bool
) -> None:
    """Names above numbers are a header; where the guess is not plain, a notice says it."""
    path.write_text(text)
    source = read(path, **({} if "label" in text else {"label": None}))
    rows = len(text.splitlines()) - has_header
    assert len(source.x_train) == rows
    assert any("dataset.table.header" in notice for notice in source.notices) == is_told
    assert len(read(path, header=not has_header).x_train) == rows + (1 if has_header else -1)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "latin-1"])
def test_an_encoding_is_read_where_it_is_named(path: Path, encoding: str) -> None:
    """Words come out as they were written, whatever the encoding."""
    path.write_bytes("größe,label\n1,café\n2,naïve\n".encode(encoding))
    source = read(path, encoding=encoding)
    assert labels(source) == ["café", "naïve"]
    assert source.x_train.names == ("größe",)


def test_a_mark_at_the_beginning_tells_utf_16(path: Path) -> None:
    """What spreadsheets call Unicode text is read without being named."""
    path.write_bytes("a\tlabel\n1\tcafé\n2\tx\n".encode("utf-16"))
    assert labels(read(path)) == ["café", "x"]


def test_a_table_that_is_not_utf8_names_the_setting(path: Path) -> None:
    """Text in another encoding is an error that tells the line and what to set."""
    path.write_bytes("a,label\n1,café\n".encode("latin-1"))
    with pytest.raises(
        DataError, match=r"line 2: received the byte e9, .*; .*dataset\.table\.encoding"
    ):
        load(path)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_decimal_comma_is_found_and_told(path: Path, separator: str) -> None:
    """Numbers with commas are numbers where commas part no cells."""
    text = "a|b|label\n1,5|2|x\n-2,25|3|y\n"
    path.write_text(text.replace("|", separator))
    source = read(path)
    assert numbers(source) == [[1.5, 2], [-2.25, 3]]
    assert "dataset.table.decimal" in source.notices[0]
    assert read(path, decimal=",").notices == ()


def test_a_compressed_table_is_read(tmp_path: Path) -> None:
    """A .csv.gz is what it would be without compression, and its fingerprint too."""
    plain, packed = tmp_path / "t.csv", tmp_path / "t.csv.gz"
    plain.write_text(iris())
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert load(packed).fingerprint == load(plain).fingerprint
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(DataError, match="damaged gzip data"):
        load(packed)


def test_a_bomb_of_a_compressed_table_is_refused(tmp_path: Path) -> None:
    """A small file that unpacks to gigabytes is refused before it fills the memory."""
    path = tmp_path / "t.csv.gz"
    # Rows of blanks, in many members of one file.
    member = gzip.compress((b"1,x" + b" " * 2**16 + b"\n") * 2**8)
    path.write_bytes(gzip.compress(b"a,label\n") + member * 20)
    with pytest.raises(DataError, match="bytes that unpack to"):
        read(path)


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        (["1", "2.5", "-3"], "number", [1, 2.5, -3]),
        (["1", "?", " NA"], "number", [1, None, None]),
        (["True", "false", "TRUE"], "boolean", [1, 0, 1]),
        (["True", "", "false"], "boolean", [1, None, 0]),
        (["red", "blue", "red"], "category", ["red", "blue", "red"]),
        ([" red", "?", "red "], "category", ["red", None, "red"]),
        (["1", "red", "1"], "category", ["1", "red", "1"]),
        (["yes", "no", "n/a"], "category", ["yes", "no", None]),
        (["12345678901234567890123", "1", "2"], "category", ["12345678901234567890123", "1", "2"]),
        (["007", "x", "7"], "category", ["007", "x", "7"]),
    ],
)
def test_a_column_is_what_its_cells_are(
    path: Path, cells: list[str], kind: str, values: list[Any]
) -> None:
    """Numbers, booleans and words are told apart; what stands for nothing is missing."""
    path.write_text("a,b,label\n" + "".join(f"{cell},{i},x\n" for i, cell in enumerate(cells)))
    column = read(path).x_train.columns[0]
    assert column.kind == kind
    plain = column.values.tolist()
    if kind == "category":
        assert [None if code < 0 else column.words[code] for code in plain] == values
    else:
        assert [None if value != value else value for value in plain] == values


def test_words_after_many_numbers_make_a_category_of_all(path: Path) -> None:
    """A column whose first words come late keeps the zeros before its first numbers."""
    codes = ["007", "7"] * 30_000 + ["x", "y"] * 5_000
    path.write_text("a,b,label\n" + "".join(f"{c},{i % 9},z\n" for i, c in enumerate(codes)))
    source = read(path)
    column = source.x_train.columns[0]
    assert column.words == ("007", "7", "x", "y")
    assert "column 'a' is taken for words: 10,000 of its 70,000 cells" in source.notices[-1]


def test_columns_that_teach_nothing_are_left_out_and_told(path: Path) -> None:
    """Row numbers, empty columns, and words that are all different are no inputs."""
    rows = "".join(f"{i},{i + 1},{i * 2},,name {i},{i % 3},{'xy'[i % 2]}\n" for i in range(40))
    path.write_text(",n,PassengerId,empty,name,a,label\n" + rows)
    source = read(path)
    assert source.x_train.names == ("a",)
    told = " ".join(source.notices)
    for phrase in (
        "column 1 has no name",
        "'n', which numbers the 40 rows",
        "'PassengerId', which numbers",
        "'empty', which is empty",
        "'name', which has 40 different words in 40 rows",
    ):
        assert phrase in told
    assert read(path, columns=("n", "name")).x_train.names == ("n", "name")


@pytest.mark.parametrize(
    ("setting", "inputs"),
    [
        ({"columns": ("b",)}, ("b",)),
        ({"exclude": ("b",)}, ("a",)),
        ({"label": "b"}, ("a", "label")),
        ({"header": False}, ("column1", "column2")),
        ({"separator": ";", "header": True}, None),
    ],
)
def test_settings_say_what_a_guess_cannot(
    path: Path, setting: dict[str, Any], inputs: tuple[str, ...] | None
) -> None:
    """Each setting of dataset.table does what its description says."""
    path.write_text(SMALL)
    if inputs is None:
        with pytest.raises(DataError, match=r"received one column; .*dataset\.table\.separator"):
            read(path, **setting)
    else:
        assert read(path, **setting).x_train.names == inputs


@pytest.mark.parametrize("setting", ["columns", "exclude", "categories"])
def test_a_column_that_is_not_there_names_the_nearest(path: Path, setting: str) -> None:
    """A misspelt column in a setting is an error with the columns and the nearest."""
    path.write_text("height,width,label\n1,2,x\n3,4,y\n")
    with pytest.raises(DataError, match=rf"table\.{setting}: received 'heigth'; .* 'height'\?"):
        read(path, **{setting: ("heigth",)})


def test_numbers_can_be_categories(path: Path) -> None:
    """Postcodes are words where the spec says so."""
    path.write_text("code,b,label\n01,2,x\n1,4,y\n01,2,x\n1,4,y\n")
    column = read(path, categories=("code",)).x_train.columns[0]
    assert (column.kind, column.words) == ("category", ("01", "1"))


def test_rare_words_are_pooled_and_told(path: Path) -> None:
    """The most frequent words have codes of their own, the others share one."""
    words = [f"w{i}" for i in range(30) for _ in range(i + 1)]
    path.write_text("a,b,label\n" + "".join(f"{w},{i % 5},x\n" for i, w in enumerate(words)))
    table = read(path).x_train
    features, notices = learn_features(table, 10)
    column = next(column for column in features.columns if column.name == "a")
    assert set(column.words) == {f"w{i}" for i in range(20, 30)}
    assert (column.pooled, column.codes) == (20, 11)
    assert "has 30 different words: the 10 most frequent" in notices[0]
    assert "dataset.table.max_categories" in notices[0]
    codes = encode(table, features)[0][:, 1]
    assert set(codes[: sum(range(21))].tolist()) == {10.0}


FRAMES = {
    "dates": (pd.date_range("2020-01-01", periods=40), None),
    "lists": ([[i] for i in range(40)], None),
    "decimals": ([Decimal(i * i) for i in range(40)], "number"),
    "objects": (pd.Series([i * i for i in range(40)], dtype=object), "number"),
    "mixed": (pd.Series([True, 1, "x", None] * 10, dtype=object), "category"),
    "masked": (pd.array([1, None, 3, 7] * 10, dtype="Int64"), "number"),
    "masked booleans": (pd.array([True, None, False, True] * 10, dtype="boolean"), "boolean"),
    "categories": (pd.Categorical([1, 2, 3, 1] * 10), "category"),
    "texts of numbers": (["1", "2", "3", "1"] * 10, "category"),
    "bytes": ([b"a", b"b"] * 20, "category"),
    "infinite": ([np.inf] * 40, DataError),
}


@pytest.mark.parametrize("name", FRAMES)
def test_whatever_a_frame_holds_is_read_or_refused(name: str) -> None:
    """Each type of column that pandas has becomes a kind, is left out and told, or an error."""
    values, kind = FRAMES[name]
    frame = pd.DataFrame({"a": values, "b": np.arange(40) % 7, "label": np.arange(40) % 2})
    if kind is DataError:
        with pytest.raises(DataError, match="column 'a'"):
            read_frame(frame, TableSpec())
        return
    source = read_frame(frame, TableSpec())
    kinds = {column.name: column.kind for column in source.x_train.columns}
    assert kinds.get("a") == kind
    if kind is None:
        assert "column 'a', which has 40 different words" in source.notices[-1]


@pytest.mark.parametrize("compression", ["none", "snappy"])
def test_a_parquet_file_is_read_as_its_frame_is(tmp_path: Path, compression: str) -> None:
    """Numbers, words, booleans and missing values of a Parquet file are those of its frame."""
    frame = pd.DataFrame(
        {
            "number": [1.5, None, 3.25, 4.0] * 10,
            "word": ["x", "y", None, "x"] * 10,
            "truth": [True, False, True, True] * 10,
            "label": ["p", "q"] * 20,
        }
    )
    path = tmp_path / "it.parquet"
    frame.to_parquet(path, compression=compression)
    ours, theirs = load(path), load_dataset(specs.spec_on(path, validation_size=12), frame)
    np.testing.assert_array_equal(ours.train.x, theirs.train.x)
    assert ours.fingerprint == theirs.fingerprint


WIDE: dict[str, list[float]] = {
    "milliseconds": [1_600_000_000_000 + 37 * i for i in range(300)],
    "a year of milliseconds": [1_600_000_000_000 + 104_857_601 * i for i in range(300)],
    "timestamps": [20_200_101_000_000 + i for i in range(300)],
    "timestamps of years": [20_000_101_000_000 + 300_000_001 * i for i in range(300)],
    "pressure": [101_325_000 + i % 5 for i in range(300)],
    "pressure in tenths": [101_325_000.5 + i / 10 for i in range(300)],
    "seconds": [1_600_000_000.123 + 100_000.001 * i for i in range(300)],
    "identifiers": [2**62 + 7 * i * 2**30 + i for i in range(300)],
    "negative": [-(10**12) - i for i in range(300)],
    "a spread": [round(10 ** (i / 50), 3) for i in range(300)],
}


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("missing", [False, True])
def test_no_two_values_merge_in_float32(path: Path, name: str, missing: bool) -> None:
    """Values that differ in the table differ in the model's raw inputs."""
    values = WIDE[name]
    if missing and name == "identifiers":
        pytest.skip("pandas reads whole numbers with gaps as float64, which merges these")
    cells = [*map(repr, values), *([""] if missing else [])]
    path.write_text("a,b,label\n" + "".join(f"{c},{i % 4},x\n" for i, c in enumerate(cells)))
    table = read(path).x_train.only(["a"])
    features, _ = learn_features(table, 50)
    x, _ = encode(table, features)
    assert len(np.unique(x[: len(values)], axis=0)) == len(set(values))
    assert np.isnan(x[len(values) :]).all()


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    values=st.lists(st.integers(-(2**62), 2**62), min_size=2, max_size=30, unique=True),
    extra=st.integers(-(2**60), 2**60),
)
def test_whole_numbers_never_merge(values: list[int], extra: int) -> None:
    """Of any whole numbers of 64 bits, those that differ get inputs that differ."""
    builder = ColumnBuilder("a")
    builder.add(pd.Series(np.array([*values, extra], np.int64)))
    table = Table((builder.build(),))
    features, _ = learn_features(table[: len(values)], 50)
    x, _ = encode(table, features)
    assert len(np.unique(x, axis=0)) == len({*values, extra})


def test_whole_numbers_after_measured_ones_lose_the_same_offset() -> None:
    """Chunks of whole numbers in a column that is held less an offset are held less it too."""
    builder, expected = ColumnBuilder("a"), [101_325.013, 101_325.0217, 101_325, 101_326]
    for piece in ([101_325.013, 101_325.0217], [101_325, 101_326]):
        builder.add(pd.Series(piece))
    table = Table((builder.build(),))
    (column,) = table.columns
    assert column.offset != 0
    np.testing.assert_allclose(column.values + column.offset, expected, atol=1e-4)


@pytest.mark.parametrize("order", [[5, 0, 3, 1], [0, 2, 4]])
@pytest.mark.parametrize("gives_up", [False, True])
def test_parts_of_a_table_are_encoded_as_each_alone(order: list[int], gives_up: bool) -> None:
    """Rows of any order and any pieces give the same array, and a table given up has no rows."""

    def table() -> Table:
        numbers = [np.array([1, 2, 3], np.uint8), np.array([0.5, np.nan, -0.0])]
        words = [np.array([0, 1, 0], np.int32), np.array([1, -1, 0], np.int32)]
        return Table(
            (
                TableColumn("a", "number", list(numbers)),
                TableColumn("b", "category", words, ("x", "y")),
            )
        )

    whole = table()
    features, _ = learn_features(whole, 50)
    expected = encode(whole, features)[0]
    parts = [whole[np.array(order)], whole[1:4]]
    np.testing.assert_array_equal(parts[0].values(whole.columns[0]), whole.columns[0].values[order])
    encoded = [x for x, _ in encode_parts(parts, features, gives_up=gives_up)]
    np.testing.assert_array_equal(encoded[0], expected[order])
    np.testing.assert_array_equal(encoded[1], expected[1:4])
    assert len(whole) == (0 if gives_up else 6)


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
    with pytest.raises(DataError, match=r"^dataset\.image_size: received it for .*, a table"):
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
        read_text(path, TableSpec())


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


@pytest.mark.parametrize(
    ("cells", "phrase"),
    [
        (["$1,234.50", "$99", "$3"], "looks like numbers, such as '$1,234.50'"),
        (["1,234", "12,500", "1,000,000"], "looks like numbers"),
        (["12%", "3.5 %", "4%"], "looks like numbers"),
        (["EUR 3", "EUR 12.5", "?"], "looks like numbers"),
        (["1.234,56", "99.000,00", "1.000,5"], "looks like numbers"),
        (["2026-11-25", "2026-11-26", "2025-01-01"], "looks like dates, such as '2026-11-25'"),
        (["25.11.2026", "1.2.2025", "3.4.25"], "looks like dates"),
        (["11/25/26 14:30", "1/2/25 9:05", ""], "looks like dates"),
        (["25 Nov 2026", "1-Dec-25", "Jan 3, 2026"], "looks like dates"),
        (["red", "1,234", "blue"], ""),
        (["flat 3", "A1", "12B"], ""),
        (["192.168.1.1", "10.0.0.1", "1-2-3"], ""),
        (["may", "March", "12 Monkeys"], ""),
    ],
    ids=str,
)
def test_words_that_look_like_numbers_or_dates_are_told(
    path: Path, cells: list[str], phrase: str
) -> None:
    """They are words all the same, and the notice says what to do; other words get none."""
    rows = [f'"{cell}";{i}.5;{"xy"[i % 2]}\n' for i, cell in enumerate(cells * 4)]
    path.write_text("a;b;label\n" + "".join(rows))
    source = read(path, separator=";", decimal=".")
    assert source.x_train.columns[0].kind == "category"
    told = [notice for notice in source.notices if "column 'a'" in notice]
    assert len(told) == bool(phrase)
    assert all(phrase in notice for notice in told)
    assert not read(path, separator=";", decimal=".", categories=("a",)).notices


def test_a_column_that_is_left_out_is_not_called_an_input(path: Path) -> None:
    """Dates that are all different are left out; nothing says that they are taken for words."""
    rows = [f"{2000 + i}-01-01,{i % 7},{'xy'[i % 2]}\n" for i in range(40)]
    path.write_text("day,b,label\n" + "".join(rows))
    (notice,) = read(path).notices
    assert "left out: column 'day'" in notice
