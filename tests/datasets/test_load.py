"""Digits, splits, fingerprints, arrays in memory and the real MNIST."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split
from support.specs import spec_on

from kzoo.datasets import Arrays, Dataset, load_dataset
from kzoo.datasets.dataset import take_fingerprints
from kzoo.datasets.split import hold_out, validation_rows
from kzoo.errors import DataError, UnknownNameError

deterministic = settings(derandomize=True, deadline=None, max_examples=50)


def make_arrays(rows: int = 100, classes: int = 4) -> tuple[np.ndarray[Any, Any], Any]:
    """Return a table whose first column is the row's number, and labels that take turns."""
    x = np.random.default_rng(0).normal(size=(rows, 3)).astype(np.float32)
    x[:, 0] = np.arange(rows)
    return x, np.arange(rows) % classes


def shares(labels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the fraction of each class."""
    return np.bincount(labels) / len(labels)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    """The digits as the default spec has them."""
    return load_dataset(spec_on("digits"))


@pytest.fixture
def real_mnist(mnist_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """MNIST from the folder that KZOO_DATA names."""
    monkeypatch.setenv("KZOO_DATA", str(mnist_folder))
    return load_dataset(spec_on("mnist"))


def test_digits_are_small_uint8_images(digits: Dataset) -> None:
    """The digits are 8x8 images of uint8 from 0 to 16 with int32 labels."""
    assert digits.input_shape == (8, 8)
    assert digits.train.x.dtype == np.uint8
    assert digits.train.x.max() == 16
    assert digits.train.y.dtype == np.int32


def test_digits_classes_are_named_by_their_figure(digits: Dataset) -> None:
    """The digits' ten classes are called 0 to 9."""
    assert digits.class_names == tuple("0123456789")
    assert digits.num_classes == 10


def test_digits_are_scaled_by_sixteen(digits: Dataset) -> None:
    """The digits' scaling divides by 16, their largest value, not by 255."""
    assert digits.scaling.scale == 1 / 16
    assert digits.scaling.offset == 0


def test_digits_hold_out_a_fifth_for_the_test(digits: Dataset) -> None:
    """The digits' 1,797 rows become 359 to test on and, of the others, 287 to validate on."""
    assert digits.validation is not None
    assert (len(digits.train), len(digits.validation), len(digits.test)) == (1151, 287, 359)


def test_digits_test_split_keeps_the_classes_in_proportion(digits: Dataset) -> None:
    """Every class has the same share of the test rows as of the training rows."""
    np.testing.assert_allclose(shares(digits.test.y), shares(digits.train.y), atol=0.005)


def test_digits_test_rows_are_the_same_for_every_seed(digits: Dataset) -> None:
    """Another seed of the spec leaves the test set as it was."""
    other = load_dataset(spec_on("digits", seed=1))
    np.testing.assert_array_equal(other.test.x, digits.test.x)
    np.testing.assert_array_equal(other.test.y, digits.test.y)


def test_digits_validation_rows_differ_by_seed(digits: Dataset) -> None:
    """Another seed of the spec draws other validation rows."""
    other = load_dataset(spec_on("digits", seed=1))
    assert other.validation is not None
    assert digits.validation is not None
    assert not np.array_equal(other.validation.x, digits.validation.x)


def test_digits_record_what_was_held_out(digits: Dataset) -> None:
    """The missing test split and the cut default of validation rows are on record, and quiet."""
    assert digits.notices == ()
    assert digits.holds_out_test
    assert digits.parts == "1,797 rows: 1,151 to train on, 287 to validate, 359 to test, held out"
    assert digits.remarks == (
        "digits has no test split: 359 of its examples are held out as one.",
        "validation_size 5000 is more than 20 % of 1438 training rows: 287 are taken",
    )


def test_validation_size_zero_gives_no_validation() -> None:
    """With validation_size 0 every training row is trained on."""
    dataset = load_dataset(spec_on("digits", validation_size=0))
    assert dataset.validation is None
    assert len(dataset.train) == 1438


def test_validation_size_within_a_fifth_is_taken_as_it_is() -> None:
    """A validation_size of at most 20 % is taken without a notice."""
    dataset = load_dataset(spec_on("digits", validation_size=200))
    assert dataset.validation is not None
    assert len(dataset.validation) == 200
    assert not any("validation_size" in notice for notice in dataset.notices)


@pytest.mark.parametrize(("wanted", "taken"), [(5, 10), (300, 287)])
def test_validation_rows_that_were_asked_for_and_not_had_are_told(wanted: int, taken: int) -> None:
    """Fewer validation rows than classes, or more than a fifth, are changed under a notice."""
    dataset = load_dataset(spec_on("digits", validation_size=wanted))
    assert dataset.validation is not None
    assert len(dataset.validation) == taken
    (notice,) = dataset.notices
    assert f"validation_size {wanted} is" in notice
    assert notice.endswith(f": {taken} are taken")
    again = load_dataset(spec_on("digits", validation_size=taken))
    np.testing.assert_array_equal(again.train.x, dataset.train.x)


@pytest.mark.parametrize(
    ("wanted", "available", "rows"), [(0, 100, 0), (20, 100, 20), (21, 100, 20), (5000, 4, 0)]
)
def test_validation_rows_are_at_most_a_fifth(wanted: int, available: int, rows: int) -> None:
    """At most 20 % of the rows validate, and a notice stands where fewer are taken than wanted."""
    taken, notice = validation_rows(wanted, available)
    assert taken == rows
    assert (notice is None) == (taken == wanted)


@deterministic
@given(
    rows=st.integers(20, 200),
    classes=st.integers(2, 5),
    held=st.integers(5, 10),
    seed=st.integers(0, 2**32 - 1),
)
def test_hold_out_parts_the_rows(rows: int, classes: int, held: int, seed: int) -> None:
    """The two parts are disjoint, complete, and of the size asked for."""
    x = np.arange(rows)[:, None]
    kept, taken = hold_out(
        Arrays(x, (np.arange(rows) % classes).astype(np.int32)), held, seed=seed, where="it"
    )
    assert len(taken) == held
    assert sorted([*kept.x[:, 0], *taken.x[:, 0]]) == list(range(rows))


@deterministic
@given(seed=st.integers(0, 2**32 - 1), classes=st.integers(2, 5))
def test_hold_out_keeps_the_classes_in_proportion(seed: int, classes: int) -> None:
    """Every class is held out in proportion, to within one example."""
    x, y = make_arrays(100, classes)
    _, taken = hold_out(Arrays(x, y.astype(np.int32)), 20, seed=seed, where="it")
    assert np.abs(np.bincount(taken.y) - 20 / classes).max() <= 1


@deterministic
@given(seed=st.integers(0, 2**32 - 1))
def test_hold_out_is_told_by_the_seed_alone(seed: int) -> None:
    """The same seed holds out the same rows, with their labels."""
    x, y = make_arrays()
    data = Arrays(x, y.astype(np.int32))
    first, second = (hold_out(data, 20, seed=seed, where="it")[1] for _ in range(2))
    np.testing.assert_array_equal(first.x, second.x)
    np.testing.assert_array_equal(first.y, first.x[:, 0].astype(int) % 4)


@deterministic
@given(
    counts=st.lists(st.integers(2, 40), min_size=1, max_size=9),
    part=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_hold_out_draws_the_rows_that_scikit_learn_draws(
    counts: list[int], part: float, seed: int
) -> None:
    """Runs of other versions of kzoo held out these rows, whatever the classes."""
    y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    rows = round(len(counts) + part * (len(y) - 2 * len(counts)))
    _, expected = train_test_split(np.arange(len(y)), test_size=rows, stratify=y, random_state=seed)
    assume(len(np.unique(y[expected])) == len(counts))
    _, taken = hold_out(
        Arrays(np.arange(len(y))[:, None], y.astype(np.int32)), rows, seed=seed, where="it"
    )
    np.testing.assert_array_equal(taken.x[:, 0], np.sort(expected))


def test_hold_out_keeps_the_order_of_the_rows() -> None:
    """What is left, and what is held out, stay in the order they had."""
    x, y = make_arrays()
    for part in hold_out(Arrays(x, y.astype(np.int32)), 20, seed=3, where="it"):
        assert (np.diff(part.x[:, 0]) > 0).all()


TRAIN, TEST, VALIDATE = "one to train on", "one to test on", "one to validate on"


@pytest.mark.parametrize(
    ("count", "tests", "validation_size", "said"),
    [
        (1, False, 0, f"a single example of 41; expected 2 or more, {TRAIN} and {TEST}: add some, "
         "or give a test file of its own with dataset.test"),
        (1, True, 8, f"a single example of 41; expected 2 or more, {TRAIN} and {VALIDATE}: add "
         "some, or set dataset.validation_size=0"),
        (2, False, 8, f"2 examples of 42; expected 3 or more, {TRAIN}, {VALIDATE} and {TEST}: add "
         "some, or give a test file of its own with dataset.test, or set "
         "dataset.validation_size=0"),
        (1, False, 8, f"a single example of 41; expected 3 or more, {TRAIN}, {VALIDATE} and "
         f"{TEST}: add some, or give a test file of its own with dataset.test and set "
         "dataset.validation_size=0"),
    ],
)  # fmt: skip
def test_a_class_too_rare_for_every_part_is_named(
    count: int, tests: bool, validation_size: int, said: str
) -> None:
    """The error has the class, its count, that of all the data, and what helps."""
    x, y = make_arrays(40 + count, 2)
    y[40:] = 2
    test = (x[:2], np.array([0, 2])) if tests else ()
    with pytest.raises(DataError) as error:
        load_dataset(spec_on("digits", validation_size=validation_size), (x, y, *test))
    assert str(error.value) == f"data: class 2 has {said}"


@deterministic
@given(
    counts=st.lists(st.integers(3, 40), min_size=2, max_size=8),
    wanted=st.integers(1, 6000),
    seed=st.integers(0, 99),
)
def test_every_class_is_in_every_part(counts: list[int], wanted: int, seed: int) -> None:
    """Whatever the classes' sizes, from three up, none is left out, and as many rows give it so."""
    y = np.repeat(np.arange(len(counts)), counts)
    x = np.arange(len(y), dtype=np.float32)[:, None]
    dataset = load_dataset(spec_on("digits", validation_size=wanted, seed=seed), (x, y))
    parts = [dataset.train, *filter(None, [dataset.validation]), dataset.test]
    for part in parts:
        assert set(part.y) == set(range(len(counts)))
    assert sorted(np.concatenate([part.x[:, 0] for part in parts])) == list(range(len(y)))
    taken = len(dataset.validation) if dataset.validation else 0
    again = load_dataset(spec_on("digits", validation_size=taken, seed=seed), (x, y))
    np.testing.assert_array_equal(again.train.x, dataset.train.x)


def test_fingerprint_is_the_same_for_the_same_data() -> None:
    """Equal arrays have equal fingerprints, wherever they lie in memory."""
    x, y = make_arrays()
    labels = y.astype(np.int32)
    first = take_fingerprints(Arrays(x, labels), None)
    assert first == take_fingerprints(Arrays(np.asfortranarray(x), labels.copy()), None)
    assert len(first.data) == len(first.train) == 64


@deterministic
@given(byte=st.integers(0, 299), bit=st.integers(0, 7))
def test_fingerprint_changes_with_any_bit(byte: int, bit: int) -> None:
    """A single flipped bit of the inputs gives another fingerprint."""
    labels = np.zeros(100, np.int32)
    x = np.zeros((100, 3), np.uint8)
    flipped = x.copy()
    flipped.flat[byte] ^= 1 << bit
    assert take_fingerprints(Arrays(x, labels), None) != take_fingerprints(
        Arrays(flipped, labels), None
    )


@pytest.mark.parametrize(
    "other",
    [
        Arrays(np.zeros((4, 6), np.int8), np.zeros(4, np.int32)),
        Arrays(np.zeros((4, 3, 2), np.uint8), np.zeros(4, np.int32)),
        Arrays(np.zeros((4, 6), np.uint8), np.array([0, 0, 0, 1], np.int32)),
    ],
    ids=["dtype", "shape", "labels"],
)
def test_fingerprint_changes_with_dtype_shape_and_labels(other: Arrays) -> None:
    """The same bytes in another type or shape, or with other labels, are other data."""
    plain = Arrays(np.zeros((4, 6), np.uint8), np.zeros(4, np.int32))
    assert take_fingerprints(other, None) != take_fingerprints(plain, None)


def test_fingerprint_tells_where_the_test_split_begins() -> None:
    """The same rows split elsewhere into training and test rows are other data."""
    x, y = np.zeros((6, 2), np.uint8), np.zeros(6, np.int32)
    prints = {
        take_fingerprints(Arrays(x[:n], y[:n]), Arrays(x[n:], y[n:]) if n < 6 else None).data
        for n in (2, 3, 6)
    }
    assert len(prints) == 3


def test_fingerprint_is_the_same_for_every_seed(digits: Dataset) -> None:
    """The fingerprint is that of the data before the split, so the seed has no part in it."""
    assert (
        load_dataset(spec_on("digits", seed=7, validation_size=0)).fingerprint == digits.fingerprint
    )


def test_arrays_without_a_test_split_give_one_up() -> None:
    """Of arrays (x, y) a fifth is held out, noted under the name arrays."""
    dataset = load_dataset(spec_on("digits"), make_arrays())
    assert dataset.name == "arrays"
    assert (len(dataset.train), len(dataset.test)) == (64, 20)
    assert dataset.remarks[0].startswith("data has no test split: 20 of its examples")


def test_arrays_with_a_test_split_keep_it() -> None:
    """Of arrays (x, y, x_test, y_test) the test rows are taken as they are."""
    x, y = make_arrays()
    dataset = load_dataset(spec_on("digits", validation_size=20), (x, y, x[:10] + 1, y[:10]))
    np.testing.assert_array_equal(dataset.test.x, x[:10] + 1)
    np.testing.assert_array_equal(dataset.test.y, y[:10])
    assert (dataset.notices, dataset.remarks, dataset.holds_out_test) == ((), (), False)


def test_arrays_may_be_lists() -> None:
    """Plain lists of numbers and of words are arrays too."""
    dataset = load_dataset(
        spec_on("digits", validation_size=0),
        ([[1, 2], [3, 4], [5, 6], [7, 8]] * 5, ["cat", "dog"] * 10),
    )
    assert dataset.class_names == ("cat", "dog")
    assert dataset.input_shape == (2,)


@pytest.mark.parametrize(
    ("data", "received"),
    [
        ((), "0 parts"),
        (([[1]],), "1 parts"),
        (([[1]], [0], [[1]]), "3 parts"),
        ({"x": 1}, "dict"),
        (np.zeros((3, 2)), "ndarray"),
    ],
)
def test_arrays_of_another_form_are_refused(data: Any, received: str) -> None:
    """Anything but two or four arrays is an error that says what was received."""
    with pytest.raises(DataError, match=rf"^data: received {received}; expected \(x, y\) or"):
        load_dataset(spec_on("digits"), data)


@pytest.mark.parametrize("part", ["x", "y"])
def test_ragged_lists_are_refused(part: str) -> None:
    """Lists whose rows differ in length are a DataError that names the array."""
    x, y = [[1, 2], [3, 4]], [0, 1]
    data = ([[1, 2], [3]], y) if part == "x" else (x, [[0], [1, 2]])
    with pytest.raises(DataError, match=f"^data: {part}_train: "):
        load_dataset(spec_on("digits"), data)


@pytest.mark.parametrize("missing", ["x_test", "y_test"])
def test_half_a_test_split_in_memory_is_refused(missing: str) -> None:
    """A test split of which one half is None is an error, and is not dropped in silence."""
    x, y = make_arrays()
    data = (x, y, None, y) if missing == "x_test" else (x, y, x, None)
    with pytest.raises(DataError, match=missing):
        load_dataset(spec_on("digits"), data)


def test_a_spec_run_on_arrays_asks_for_them_again() -> None:
    """The dataset name that a run on arrays leaves in its spec says to pass them again."""
    with pytest.raises(DataError, match=r"run on arrays in memory; pass them again"):
        load_dataset(spec_on("arrays"))


@pytest.mark.parametrize(
    ("name", "guess"), [("mnits", "mnist"), ("digit", "digits"), ("Fashion_MNIST", "fashion_mnist")]
)
def test_an_unknown_dataset_names_the_nearest(name: str, guess: str) -> None:
    """A misspelt dataset name is answered with the nearest one."""
    with pytest.raises(UnknownNameError, match=f"dataset.name: unknown dataset .* '{guess}'"):
        load_dataset(spec_on(name))


def test_an_unknown_dataset_with_no_neighbour_lists_all() -> None:
    """A dataset name like no other is answered with all that are known."""
    with pytest.raises(UnknownNameError, match=r"Known: cifar10, cifar100, digits, .*mnist"):
        load_dataset(spec_on("xyzzy"))


@pytest.mark.parametrize("name", ["nowhere.npz", "folder/nowhere", "nowhere.csv"])
def test_a_missing_path_is_named(name: str, tmp_path: Path) -> None:
    """A path that leads to nothing is an error that names it."""
    path = tmp_path / name
    with pytest.raises(DataError, match=r"no such file or folder; expected an \.npz file, a table"):
        load_dataset(spec_on(str(path)))


@pytest.mark.parametrize("ending", ["", ".npz"])
def test_a_path_too_long_for_the_system_is_refused(ending: str) -> None:
    """A name that no file system takes is an error of kzoo's, not of the system's."""
    with pytest.raises((DataError, UnknownNameError)):
        load_dataset(spec_on("n" * 300 + ending))


@pytest.mark.parametrize("name", ["data.txt", "folder.npz", "data"])
def test_another_kind_of_file_is_refused(name: str, tmp_path: Path) -> None:
    """A file of another kind, or a folder, is an error that says what is read."""
    path = tmp_path / name
    path.mkdir() if name == "folder.npz" else path.write_text("1,2\n")
    with pytest.raises(DataError, match=r"not a kind of data that kzoo reads; expected an \.npz"):
        load_dataset(spec_on(str(path)))


def test_real_mnist_has_the_usual_sizes(real_mnist: Dataset) -> None:
    """MNIST is 55,000 rows to train on, 5,000 to validate on and 10,000 to test on."""
    assert real_mnist.validation is not None
    sizes = len(real_mnist.train), len(real_mnist.validation), len(real_mnist.test)
    assert sizes == (55_000, 5_000, 10_000)
    assert real_mnist.notices == ()


def test_real_mnist_stays_uint8(real_mnist: Dataset) -> None:
    """MNIST's 28x28 images stay uint8 in memory and are scaled by 255."""
    assert real_mnist.validation is not None
    for split in (real_mnist.train, real_mnist.validation, real_mnist.test):
        assert split.x.dtype == np.uint8
        assert split.x.shape[1:] == (28, 28)
    assert real_mnist.scaling.scale == 1 / 255


def test_real_mnist_classes_are_named_by_their_figure(real_mnist: Dataset) -> None:
    """MNIST's ten classes are called 0 to 9."""
    assert real_mnist.class_names == tuple("0123456789")
    assert set(np.unique(real_mnist.test.y)) == set(range(10))
