"""What a model answers in Python is what Keras answers, matched by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from support.photos import photo
from support.tables import titanic

import kzoo
from kzoo.evaluation.predictions import read_predictions
from kzoo.prediction import Answerer
from kzoo.runs.model import predict as keras_predict
from kzoo.runs.record import open_model


@pytest.fixture(scope="module")
def passengers(tmp_path_factory: pytest.TempPathFactory) -> tuple[kzoo.Run, Path]:
    """Return a run on a table of words, numbers and missing values, and the table."""
    folder = tmp_path_factory.mktemp("table")
    path = folder / "train.csv"
    path.write_text(titanic(), "utf-8")
    spec = {
        "name": "passengers",
        "model": {"builder": "deep_mlp", "hidden_units": [16]},
        "dataset": {"name": str(path), "label": "Survived"},
        "fit": {"epochs": 3},
    }
    return kzoo.run(spec, out=folder, display="quiet"), path


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> kzoo.Run:
    """Return a run on images."""
    spec = {
        "name": "digits",
        "model": {"builder": "small_cnn", "filters": [8, 8]},
        "dataset": {"name": "digits"},
        "fit": {"epochs": 2},
    }
    return kzoo.run(spec, out=tmp_path_factory.mktemp("runs"), display="quiet")


def test_arrays_are_answered_as_by_keras(digits: kzoo.Run) -> None:
    """Probabilities and classes are those of the run's own test."""
    test = kzoo.load_dataset(digits.spec).test
    probabilities, classes = kzoo.predict(digits, test.x)
    kept, _ = read_predictions(digits)
    np.testing.assert_allclose(probabilities, kept, atol=1e-6)
    assert classes == [str(index) for index in kept.argmax(axis=1)]


def test_one_example_and_a_channel_axis_are_taken(digits: kzoo.Run) -> None:
    """An image alone, and images with an axis for their one channel, are what they are."""
    x = kzoo.load_dataset(digits.spec).test.x[:3]
    expected = kzoo.predict(digits, x).probabilities
    np.testing.assert_array_equal(kzoo.predict(digits, x[..., None]).probabilities, expected)
    np.testing.assert_array_equal(kzoo.predict(digits, x[0]).probabilities, expected[:1])
    np.testing.assert_array_equal(kzoo.predict(digits, x.tolist()).probabilities, expected)


def test_a_table_is_matched_by_name(passengers: tuple[kzoo.Run, Path], tmp_path: Path) -> None:
    """Shuffled columns, others more and no label give the run's own test predictions."""
    run, path = passengers
    kept, _ = read_predictions(run)
    frame = pd.read_csv(path)
    shuffled = frame.drop(columns="Survived").sample(frac=1, axis=1, random_state=1)
    shuffled["note"] = "x"
    shuffled.to_csv(tmp_path / "test.csv", index=False)
    by_file = kzoo.predict(run, tmp_path / "test.csv")
    by_frame = kzoo.predict(run, shuffled)
    np.testing.assert_array_equal(by_file.probabilities, by_frame.probabilities)
    assert by_file.carried is not None
    assert list(by_file.carried["PassengerId"]) == [str(row) for row in frame["PassengerId"]]
    # The rows that were held out are among them.
    distances = np.abs(by_file.probabilities[None, :, 0] - kept[:, None, 0])
    assert distances.min(axis=1).max() < 1e-6


def test_numpy_and_keras_agree_on_a_table(passengers: tuple[kzoo.Run, Path]) -> None:
    """Medians, codes and gaps become the same inputs."""
    run, _ = passengers
    x = kzoo.load_dataset(run.spec).train.x
    assert np.isnan(x).any()
    answered = Answerer(open_model(run))(x)
    np.testing.assert_allclose(answered, keras_predict(run.load(), x), atol=1e-6)


def test_unknown_words_are_counted(passengers: tuple[kzoo.Run, Path]) -> None:
    """A word that no training row has is told."""
    run, path = passengers
    frame = pd.read_csv(path).head(5)
    frame.loc[0, "Embarked"] = "Atlantis"
    (notice,) = kzoo.predict(run, frame).notices
    assert "column 'Embarked': 1 row has a word that no training row has" in notice


REFUSALS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a missing column": (lambda frame: frame.drop(columns="Age"), "received no column 'Age'"),
    "a word for a number": (
        lambda frame: frame.assign(Age="old"),
        "column 'Age': received 'old'; expected a number",
    ),
    "an array for words": (lambda frame: np.zeros((3, 8)), "expected a table or a pandas.DataF"),
    "a word": (lambda frame: "nothing.csv", "no such file or folder"),
    "a picture that is not there": (lambda frame: "x.png", "no such file or folder; expected"),
    "infinity": (lambda frame: frame.assign(Fare=np.inf), "expected a finite number"),
    "no rows": (lambda frame: frame.head(0), "received a header only"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_the_model_does_not_take_is_named(
    passengers: tuple[kzoo.Run, Path], case: str
) -> None:
    """Each refusal says what was received and what is expected."""
    run, path = passengers
    change, said = REFUSALS[case]
    with pytest.raises(kzoo.DataError, match=said):
        kzoo.predict(run, change(pd.read_csv(path)))


def test_a_model_of_tables_takes_no_picture(
    passengers: tuple[kzoo.Run, Path], tmp_path: Path
) -> None:
    """Whatever is in it."""
    Image.new("L", (8, 8)).save(tmp_path / "x.png")
    with pytest.raises(kzoo.DataError, match="received a picture; expected"):
        kzoo.predict(passengers[0], tmp_path / "x.png")


@pytest.mark.parametrize("shape", [(3, 9, 8), (3, 64), (0, 8, 8), (3, 8, 8, 3), (), (3,)], ids=str)
def test_arrays_of_another_shape_are_refused(digits: kzoo.Run, shape: tuple[int, ...]) -> None:
    """The shape that is expected is named."""
    with pytest.raises(kzoo.DataError, match=r"\(8, 8\)|no examples|examples"):
        kzoo.predict(digits, np.zeros(shape))


def test_lists_of_unequal_lengths_are_refused(digits: kzoo.Run) -> None:
    """They are no array, and that is said."""
    with pytest.raises(kzoo.DataError, match="data: x: received lists of unequal lengths"):
        kzoo.predict(digits, [[[1, 2], [3]]])


def test_pictures_of_colour_models(tmp_path: Path) -> None:
    """A colour model gets three channels, its own size and the camera's turn; a grey one grey."""
    draw = np.random.default_rng(0)
    x, y = draw.integers(0, 256, (80, 6, 8, 3), np.uint8), np.arange(80) % 2
    x[y == 1] //= 2
    spec = {
        "name": "colours",
        "model": {"builder": "softmax_regression"},
        "dataset": {"name": "arrays"},
        "fit": {"epochs": 2},
    }
    run = kzoo.run(spec, (x, y), out=tmp_path, display="quiet")
    Image.fromarray(x[0]).save(tmp_path / "a.png")
    turned = Image.fromarray(np.rot90(x[0], k=1))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "b.png", exif=exif)
    Image.fromarray(x[0]).resize((80, 60), Image.Resampling.NEAREST).save(tmp_path / "c.png")
    Image.fromarray(x[0]).convert("L").save(tmp_path / "d.png")
    paths = [tmp_path / f"{name}.png" for name in "abcd"]
    answered = kzoo.predict(run, paths)
    expected = kzoo.predict(run, x[0]).probabilities[0]
    np.testing.assert_array_equal(answered.probabilities[0], expected)
    np.testing.assert_array_equal(answered.probabilities[1], expected)
    assert answered.steps[3] == ("grey given three equal channels",)


def test_digits_get_values_in_their_own_unit(digits: kzoo.Run, tmp_path: Path) -> None:
    """A PNG of 0 to 255 is what the 0 to 16 of the data were."""
    x = kzoo.load_dataset(digits.spec).test.x[:5]
    for index, image in enumerate(x):
        Image.fromarray((image * 255.0 / 16).round().astype(np.uint8)).save(
            tmp_path / f"{index}.png"
        )
    answered = kzoo.predict(digits, tmp_path)
    expected = kzoo.predict(digits, x).probabilities
    np.testing.assert_allclose(answered.probabilities, expected, atol=1e-6)


def test_a_photograph_is_prepared_unless_it_is_left_alone(digits: kzoo.Run, tmp_path: Path) -> None:
    """What was done is told; `as_is` only changes the size."""
    Image.fromarray(photo("7")).save(tmp_path / "7.jpg")
    prepared = kzoo.predict(digits, tmp_path / "7.jpg")
    assert "dark ink on light paper inverted" in prepared.steps[0]
    assert "trained on digits, few images of 8x8 pixels" in prepared.notices[0]
    alone = kzoo.predict(digits, tmp_path / "7.jpg", as_is=True)
    assert (alone.steps, alone.notices) == (((),), ())
