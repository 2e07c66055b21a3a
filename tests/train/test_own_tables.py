"""Tables of one's own, from the file to the saved model: nothing of their meaning is lost."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.tables import TABLES

import kzoo
from kzoo.datasets.features import TableFeatures
from kzoo.errors import DataError, SpecError

FEW = settings(
    derandomize=True,
    deadline=None,
    max_examples=10,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@dataclass(frozen=True)
class Trained:
    """A run on a table of one's own, and that table as pandas reads it."""

    run: kzoo.Run
    path: Path
    frame: pd.DataFrame
    label: str

    @property
    def inputs(self) -> list[str]:
        """The names of the columns that are inputs."""
        features = self.run.dataset.features
        assert isinstance(features, TableFeatures)
        return [column.name for column in features.columns]


def frame_of(name: str, text_path: Path) -> pd.DataFrame:
    """Return a table as a person would read it with pandas."""
    if name == "titanic":
        return pd.read_csv(text_path)
    if name == "german":
        return pd.read_csv(text_path, sep=";", decimal=",")
    names = [f"column{number}" for number in range(1, 7)]
    return pd.read_csv(text_path, header=None, names=names, skipinitialspace=True, na_values="?")


@pytest.fixture(scope="module", params=TABLES)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Train a small model on each of the tables."""
    folder = tmp_path_factory.mktemp(request.param)
    make, label = TABLES[request.param]
    path = folder / "table.csv"
    path.write_text(make(), encoding="utf-8")
    tree = {
        "name": "own",
        "model": {"builder": "deep_mlp", "hidden_units": [16]},
        "dataset": {"name": str(path), "label": label, "validation_size": 50},
        "fit": {"epochs": 20, "batch_size": 40},
    }
    run = kzoo.run(tree, out=folder, display="quiet")
    return Trained(run, path, frame_of(request.param, path), label)


def test_a_table_trains_better_than_guessing(trained: Trained) -> None:
    """The words, the missing values and the numbers of each table are learnt from."""
    majority = trained.frame[trained.label].value_counts(normalize=True).max()
    assert trained.run.metrics["test_accuracy"] > majority + 0.05


def test_the_saved_model_answers_alike_in_plain_keras(trained: Trained) -> None:
    """What is saved takes the raw inputs, missing values and codes, without kzoo."""
    plain = keras.models.load_model(trained.run.path / "model.keras")
    test = kzoo.load_dataset(trained.run.spec).test
    answers = plain.predict(test.x, verbose=0)
    np.testing.assert_array_equal(answers, trained.run.load().predict(test.x, verbose=0))
    assert (answers.argmax(axis=1) == test.y).mean() == trained.run.metrics["test_accuracy"]


def test_the_same_file_is_tested_on_what_was_held_out(trained: Trained) -> None:
    """The training file, known by its fingerprint, gives the run's own figures."""
    again = kzoo.evaluate(trained.run, trained.path, display="quiet")
    assert again.accuracy == trained.run.metrics["test_accuracy"]
    assert again.examples == 100


@FEW
@given(st.randoms(use_true_random=False))
def test_shuffled_columns_are_put_right(trained: Trained, draw: random.Random) -> None:
    """In whatever order columns stand, in a file or a frame, the answers are the same."""
    names = list(trained.frame.columns)
    draw.shuffle(names)
    shuffled = trained.path.with_name("shuffled.csv")
    trained.frame[names].to_csv(shuffled, index=False)
    expected = kzoo.evaluate(trained.run, trained.frame)
    assert expected.examples == 500
    assert kzoo.evaluate(trained.run, trained.frame[names]).metrics == expected.metrics
    other = kzoo.evaluate(
        trained.run, (trained.frame[trained.inputs], trained.frame[trained.label])
    )
    assert other.metrics == expected.metrics


@FEW
@given(st.data())
def test_a_missing_or_renamed_column_is_named(trained: Trained, data: st.DataObject) -> None:
    """No column is taken for another: what is missing is an error, with the nearest name."""
    name = data.draw(st.sampled_from(trained.inputs))
    with pytest.raises(DataError, match="received no column"):
        kzoo.evaluate(trained.run, trained.frame.drop(columns=name))
    with pytest.raises(DataError, match=rf"no column '{name}'.*Did you mean '{name}2'"):
        kzoo.evaluate(trained.run, trained.frame.rename(columns={name: f"{name}2"}))


def test_an_extra_column_is_told(trained: Trained) -> None:
    """A column that the model was not trained on changes nothing, and is named."""
    more = trained.frame.assign(extra=1.0)
    result = kzoo.evaluate(trained.run, more)
    assert result.metrics == kzoo.evaluate(trained.run, trained.frame).metrics
    assert any("not trained on the columns extra" in notice for notice in result.notices)


@FEW
@given(st.data())
def test_a_column_of_another_kind_is_refused_or_counted(
    trained: Trained, data: st.DataObject
) -> None:
    """Words for numbers are an error; words never seen count as unknown and are counted."""
    features = trained.run.dataset.features
    assert isinstance(features, TableFeatures)
    column = data.draw(st.sampled_from(features.columns))
    if column.kind == "category":
        result = kzoo.evaluate(trained.run, trained.frame.assign(**{column.name: "never seen"}))
        told = f"column {column.name!r}: 500 rows have a word that no training row has"
        assert any(told in notice for notice in result.notices)
    else:
        with pytest.raises(DataError, match=rf"row 0, column '{column.name}': received 'many'"):
            kzoo.evaluate(trained.run, trained.frame.assign(**{column.name: "many"}))


def test_missing_values_and_few_rows_are_tested_on(trained: Trained) -> None:
    """One row, of one class, with nothing known but its label, is enough to test on."""
    row = trained.frame.head(1).astype(object)
    row[trained.inputs] = None
    result = kzoo.evaluate(trained.run, row)
    assert result.examples == 1


def test_a_file_that_is_not_the_training_file_is_tested_whole(trained: Trained) -> None:
    """Other rows are all tested on, without a part held out."""
    other = trained.path.with_name("other.csv")
    lines = trained.path.read_text("utf-8").splitlines()
    other.write_text("\n".join(lines[:61]) + "\n", encoding="utf-8")
    assert kzoo.evaluate(trained.run, other, display="quiet").examples in (60, 61)


def test_rows_that_were_trained_on_are_told_in_any_order(trained: Trained) -> None:
    """The training rows, shuffled, and a part of them, are no test, and a notice counts them."""
    shuffled = trained.frame.sample(frac=1, random_state=0)
    for rows, known in ((shuffled, 400), (shuffled[:100], None)):
        notices = kzoo.evaluate(trained.run, rows).notices
        told = [notice for notice in notices if "those that the run was trained on" in notice]
        assert len(told) == 1
        # Rows of few columns come twice.
        if known is not None:
            assert known <= int(told[0].split(": ")[1].split()[0]) <= 500


def test_the_columns_stand_in_the_records(trained: Trained) -> None:
    """The run's records have name, kind and words of every input, as they are in the table."""
    facts = trained.run.dataset
    assert isinstance(facts.features, TableFeatures)
    for column in facts.features.columns:
        values = trained.frame[column.name].dropna()
        if column.kind == "category":
            assert set(column.words) <= set(values.astype(str))
        elif column.kind == "boolean":
            assert values.dtype == bool
        else:
            (standard,) = column.standards
            mean = standard.mean + column.offset
            assert mean == pytest.approx(values.mean(), abs=values.std() / 3)
    assert sum(facts.class_counts) == 500


def test_a_data_frame_is_trained_on_as_its_file_is(trained: Trained, tmp_path: Path) -> None:
    """A frame, whole or with its labels apart, gives the bits that its file gives."""
    section = trained.run.spec.dataset.model_copy(update={"name": "digits", "label": None})
    tree: dict[str, Any] = trained.run.spec.model_copy(update={"dataset": section}).to_dict()
    pair = (trained.frame.drop(columns=trained.label), trained.frame[trained.label].to_numpy())
    apart = kzoo.run(tree, pair, out=tmp_path, display="quiet")
    tree["dataset"]["label"] = trained.label
    whole = kzoo.run(tree, trained.frame, out=tmp_path, display="quiet")
    expected = trained.run.load().get_weights()
    for run in (apart, whole):
        assert all(map(np.array_equal, run.load().get_weights(), expected))


@pytest.mark.parametrize("name", TABLES)
def test_a_test_file_of_its_own_is_used_whole(name: str, tmp_path: Path) -> None:
    """dataset.test and dataset.validation are read like the training table, columns by name."""
    make, label = TABLES[name]
    for split, seed, rows in (("train", 0, 200), ("test", 1, 37), ("validation", 2, 23)):
        (tmp_path / f"{split}.csv").write_text(make(rows, seed), encoding="utf-8")
    tree = {
        "model": {"builder": "softmax_regression"},
        "dataset": {
            "name": str(tmp_path / "train.csv"),
            "label": label,
            "test": str(tmp_path / "test.csv"),
            "validation": str(tmp_path / "validation.csv"),
        },
    }
    dataset = kzoo.load_dataset(tree)
    assert [len(split) for split in dataset.splits] == [200, 23, 37]
    assert not dataset.holds_out_test


@pytest.mark.parametrize(
    "spec",
    [
        {"model": {"builder": "softmax_regression"}},
        {"model": {"builder": "softmax_regression"}, "dataset": {"validation_size": 20}},
    ],
    ids=["no section", "no name"],
)
def test_a_spec_need_not_name_data_that_are_passed_beside_it(
    spec: dict[str, Any], tmp_path: Path
) -> None:
    """Without them it is refused, in one line and with nothing of pydantic behind it."""
    x = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    y = (x[:, 0] > 0).astype(int)
    overrides = {"fit.epochs": 1}
    run = kzoo.run(spec, (x, y), overrides=overrides, out=tmp_path, display="quiet")
    assert run.dataset.name == run.spec.dataset.name == "arrays"
    assert len(kzoo.load_dataset(spec, (x, y)).test) == 40
    with pytest.raises(SpecError, match=r"dataset(\.name)?: is missing") as caught:
        kzoo.run(spec, out=tmp_path)
    assert caught.value.__cause__ is None


def test_a_path_in_the_place_of_arrays_says_where_paths_go(tmp_path: Path) -> None:
    """The data of a call are arrays; a path is a setting of the spec."""
    with pytest.raises(DataError, match=r"overrides=\{'dataset.name': 'mine.csv'\}"):
        kzoo.run("softmax_regression", "mine.csv", out=tmp_path)  # type: ignore[arg-type]
