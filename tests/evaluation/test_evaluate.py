"""The figures of a run, held to those of scikit-learn and Keras; and runs that are damaged."""

from __future__ import annotations

import io
import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

import kzoo
from kzoo.datasets import load_dataset
from kzoo.errors import DataError, RunError, UnknownNameError
from kzoo.evaluation import evaluate
from kzoo.evaluation.data import match_classes
from kzoo.evaluation.evaluation import Evaluation, evaluation
from kzoo.evaluation.predictions import read_predictions
from kzoo.figures import accuracy_interval
from kzoo.figures.classes import Confusion, confusion_table
from kzoo.runs.model_file import write_model

Arrays = dict[str, npt.NDArray[Any]]


def figures(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike, names: str | tuple[str, ...]
) -> Evaluation:
    """Return the figures of a model that was never run."""
    values = np.asarray(probabilities, float)
    return evaluation(
        values, np.asarray(labels), tuple(names), run="runs/it-1", name="it", dataset="mine"
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_figures_are_those_of_scikit_learn(seed: int) -> None:
    """Accuracy, balanced accuracy, loss, precision, recall, F1 and confusions are the same."""
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.full(5, 0.5), size=200)
    labels = np.where(random.random(200) < 0.7, probabilities.argmax(1), random.integers(0, 5, 200))
    answers, result = probabilities.argmax(1), figures(probabilities, labels, "abcde")
    assert result.accuracy == pytest.approx(reference.accuracy_score(labels, answers))
    balanced = reference.balanced_accuracy_score(labels, answers)
    assert result.balanced_accuracy == pytest.approx(balanced)
    clipped = probabilities.clip(1e-7)
    clipped /= clipped.sum(1, keepdims=True)
    loss = reference.log_loss(labels, clipped, labels=range(5))
    assert result.loss == pytest.approx(loss, abs=1e-5)
    each = reference.precision_recall_fscore_support(labels, answers, labels=range(5))
    ours = [(c.precision, c.recall, c.f1, c.examples) for c in result.classes]
    np.testing.assert_allclose(np.array(ours).T, np.array(each))
    table = confusion_table(answers, labels, 5)
    assert (table == reference.confusion_matrix(labels, answers, labels=range(5))).all()


def test_an_interval_is_wilsons() -> None:
    """Each bound, from 0 to 1, is where the observed fraction is 1.96 deviations away."""
    for correct, total in [(8, 10), (1, 3), (9_871, 10_000), (0, 7), (7, 7), (1, 1)]:
        for bound in accuracy_interval(correct, total):
            assert 0 <= bound <= 1
            deviation = math.sqrt(bound * (1 - bound) / total)
            distance = abs(correct / total - bound)
            assert distance == pytest.approx(1.959964 * deviation, abs=1e-6)
    assert accuracy_interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_a_fraction_of_nothing_is_none() -> None:
    """A class without examples has no recall, one that nothing was taken for no precision."""
    result = figures([[1, 0, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0]], [0, 1, 2], "abcd")
    a, _, c, d = result.classes
    assert (a.precision, a.recall) == (0.5, 1.0)
    assert a.f1 == pytest.approx(2 / 3)
    assert (c.precision, c.precision_interval, c.recall, c.f1) == (None, None, 0.0, 0.0)
    assert (d.recall, d.recall_interval, d.precision, d.f1, d.examples) == (
        None,
        None,
        None,
        None,
        0,
    )
    assert result.balanced_accuracy == pytest.approx(2 / 3)


def test_the_most_frequent_confusions_come_first() -> None:
    """At most ten, those that are equally frequent in the order of the classes."""
    labels = np.repeat(np.arange(12), np.arange(1, 13))
    result = figures(np.eye(12)[(labels + 1) % 12], labels, "abcdefghijkl")
    assert len(result.confusions) == 10
    assert result.confusions[0] == Confusion("l", "a", 12)
    assert [pair.examples for pair in result.confusions] == list(range(12, 2, -1))
    even = figures(np.eye(3)[[1, 2, 0]], [0, 1, 2], "abc").confusions
    assert [pair.actual for pair in even] == ["a", "b", "c"]


def test_where_all_is_right_nothing_is_confused() -> None:
    """Every figure is 1, and no class is taken for another."""
    result = figures(np.eye(3), [0, 1, 2], "abc")
    assert (result.accuracy, result.balanced_accuracy, result.loss) == (1.0, 1.0, 0.0)
    assert result.confusions == ()
    assert {figures.most_confused for figures in result.classes} == {None}


def test_the_loss_of_a_certain_mistake_is_finite() -> None:
    """A probability of 0 counts as 1e-7, as Keras counts it."""
    assert figures([[1, 0], [1, 0]], [0, 1], "ab").loss == pytest.approx(-math.log(1e-7) / 2)


def test_the_figures_of_a_run_are_those_it_reported(trained: kzoo.Run) -> None:
    """Its predictions give the accuracy and the loss that training ended with."""
    result = kzoo.evaluate(trained)
    assert result.accuracy == pytest.approx(trained.metrics["test_accuracy"], abs=1e-12)
    assert result.loss == pytest.approx(trained.metrics["test_loss"], abs=1e-12)
    assert (result.examples, result.dataset, result.name) == (359, "digits", "softmax_regression")
    assert result.run == str(trained.path)
    assert result.notices == tuple(trained.metrics["notices"])
    assert result.majority == pytest.approx(trained.metrics["test_majority"], abs=1e-12)
    assert result.majority_class == trained.metrics["majority_class"]


def test_the_most_frequent_class_is_that_of_the_training(tmp_path: Path) -> None:
    """What always giving it is worth is told of the run's own test rows and of others."""
    random = np.random.default_rng(0)
    x, y = random.standard_normal((60, 2)), np.array(["a"] * 20 + ["b"] * 40)
    tests = random.standard_normal((4, 2)), np.array(["a", "a", "a", "b"])
    changes = {"fit.epochs": 1}
    run = kzoo.run(
        "softmax_regression", (x, y, *tests), overrides=changes, out=tmp_path, display="quiet"
    )
    assert (run.metrics["test_majority"], run.metrics["majority_class"]) == (0.25, "b")
    assert (evaluate(run).majority, evaluate(run, (x, y)).majority) == (0.25, 40 / 60)
    assert evaluate(run).to_dict()["majority_class"] == "b"


@pytest.mark.parametrize("record", [{}, {"majority_class": "no class"}, {"majority_class": 7}])
def test_a_run_that_does_not_say_its_most_frequent_class_has_none(
    copied_run: Path, record: dict[str, Any]
) -> None:
    """A record of an earlier version, or a strange one, is read; the figure is left out."""
    path = copied_run / "metrics.json"
    metrics = json.loads(path.read_text(encoding="utf-8"))
    del metrics["majority_class"], metrics["headline"]
    path.write_text(json.dumps({**metrics, **record}), encoding="utf-8")
    result = evaluate(copied_run)
    assert (result.majority, result.majority_class, result.headline) == (None, None, "accuracy")


def test_a_file_that_is_only_tested_on_is_not_told_of_its_own_training_rows(
    trained: kzoo.Run, tmp_path: Path
) -> None:
    """That its test rows repeat its training rows says nothing of a model trained on others."""
    x = np.full((40, 8, 8), 3, np.uint8)
    path = tmp_path / "twins.npz"
    np.savez(path, x_train=x, y_train=np.arange(40) % 10, x_test=x, y_test=np.arange(40) % 10)
    assert not any("training rows too" in notice for notice in evaluate(trained, path).notices)


def test_rows_that_were_trained_on_are_counted(tmp_path: Path) -> None:
    """Rows with another rare word do not count, in whatever order words and columns come."""
    train = pd.DataFrame({"who": [f"n{i}" for i in range(60)], "size": np.arange(60) % 5})
    train["label"] = np.arange(60) % 2
    table = {"columns": ["who", "size"], "max_categories": 2}
    overrides = {"dataset.table": table, "fit.epochs": 1}
    run = kzoo.run(
        "softmax_regression",
        train,
        overrides=overrides,
        out=tmp_path,
        display="quiet",
    )
    fresh = train.assign(who=[f"m{i}" for i in range(60)])
    known = pd.concat([fresh, train]).iloc[::-1][["label", "size", "who"]]
    assert not any("stand among" in notice for notice in kzoo.evaluate(run, fresh).notices)
    told = [n for n in kzoo.evaluate(run, known).notices if "stand among" in n]
    # Those that were held out to be tested were not trained on.
    assert len(told) == 1
    assert f"{60 - run.dataset.rows['test']} of 120 rows" in told[0]


def test_testing_anew_gives_the_same_figures(trained: kzoo.Run) -> None:
    """The loaded model on the same test set is the model that was trained; Keras agrees."""
    own, anew = evaluate(trained.path), evaluate(trained, "digits", display="quiet")
    assert (anew.classes, anew.confusions) == (own.classes, own.confusions)
    assert anew.loss == pytest.approx(own.loss, abs=1e-6)
    test = load_dataset(trained.spec).test
    model = trained.load()
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    loss, accuracy = model.evaluate(test.x, test.y, batch_size=1000, verbose=0)
    assert (own.loss, own.accuracy) == pytest.approx((loss, accuracy), abs=1e-5)


def test_a_model_that_answers_nothing_is_an_error(trained: kzoo.Run, tmp_path: Path) -> None:
    """Weights so large that no number is left give no figures that are none either."""
    copy = kzoo.Run(Path(shutil.copytree(trained.path, tmp_path / "copy")))
    stored = copy.model
    huge = {name: np.full_like(values, 3e38) for name, values in stored.weights.items()}
    write_model(stored.path, replace(stored, weights=huge))
    metrics = json.loads((copy.path / "metrics.json").read_text("utf-8"))
    del metrics["weights_sha256"]
    (copy.path / "metrics.json").write_text(json.dumps(metrics), "utf-8")
    with pytest.raises(RunError, match="copy: its model gives probabilities that are not finite"):
        evaluate(kzoo.Run(copy.path), "digits", display="quiet")


@pytest.mark.parametrize(
    "as_labels",
    [
        lambda y: y,
        lambda y: y.astype(np.uint8),
        lambda y: y.astype(np.float32),
        lambda y: y[:, None],
        lambda y: y.astype(str),
        lambda y: y.astype(str).astype(object),
        lambda y: [int(label) for label in y],
    ],
)
def test_arrays_are_a_test_set(trained: kzoo.Run, as_labels: Callable[[Any], Any]) -> None:
    """Labels are indices or names, of whatever type; the figures are the same."""
    test = load_dataset(trained.spec).test
    result = kzoo.evaluate(trained, (test.x, as_labels(test.y)))
    assert result.accuracy == pytest.approx(trained.metrics["test_accuracy"], abs=1e-12)
    assert (result.dataset, result.notices) == ("arrays", ())


X, Y = np.zeros((6, 8, 8), np.uint8), np.arange(6)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            (X[:, :7], Y),
            "data: received examples of shape (7, 8); expected (8, 8), as in digits",
        ),
        ((X, Y[:4]), "data: y: received 4 labels; expected 6, one an example"),
        ((X, np.eye(6)), "data: y: received shape (6, 6); expected (6,); for one-hot labels pass"),
        (
            (X[:0], Y[:0]),
            "data: x: received shape (0, 8, 8); expected (examples, ...), at least one",
        ),
        ((X, Y + 7), "data: y: received class '10'; expected the classes that the run was trained"),
        ((X, Y - 1), "data: y: received class '-1'"),
        ((X, Y + 0.5), "data: y: received labels of type float64; expected whole numbers or words"),
        ((X, ["one"] * 6), "data: y: received class 'one'; expected the classes that the run was"),
        (
            (np.where(X == 0, np.nan, X), Y),
            "data: x: received nan at index [0, 0, 0]; expected finite",
        ),
        ((X.astype(str), Y), "data: x: received values of type <U3; expected numbers"),
        (([[1], [1, 2]], Y), "data: x: received lists of unequal lengths; expected an array"),
        ((X, Y, X), "data: received 3 parts; expected (x, y)"),
        (X, "data: received ndarray; expected (x, y), a pandas.DataFrame, or a dataset's name"),
        ("", "data: received an empty name; expected a dataset's name or path"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(trained: kzoo.Run, data: Any, said: str) -> None:
    """The error says what was received and what the run was trained on."""
    with pytest.raises(DataError) as refused:
        kzoo.evaluate(trained, data)
    assert str(refused.value).startswith(said)


def test_an_unknown_dataset_has_a_nearest_name(trained: kzoo.Run) -> None:
    """A misspelt name is answered as in training."""
    with pytest.raises(UnknownNameError, match="Did you mean 'digits'"):
        kzoo.evaluate(trained, "digit")


def test_classes_match_by_name_then_by_number() -> None:
    """Names in any order; numbers where none is a name; one that is neither is an error."""
    assert match_classes(["dog", "cat"], ["cat", "dog"], where="it") == [1, 0]
    assert match_classes(["1", "0"], ["cat", "dog"], where="it") == [1, 0]
    assert match_classes(["10", "20"], ["20", "10"], where="it") == [1, 0]
    with pytest.raises(DataError, match=r"it: received class 'dgo'; .* cat, dog. Did you mean 'do"):
        match_classes(["cat", "dgo"], ["cat", "dog"], where="it")
    with pytest.raises(DataError, match=r"0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ... \(20\)"):
        match_classes(["no"], list(map(str, range(20))), where="it")


def test_values_of_another_size_are_a_notice(trained: kzoo.Run, tmp_path: Path) -> None:
    """Pixels up to 255 for a model that was trained on pixels up to 16 are worth a word."""
    x = np.random.default_rng(0).integers(0, 256, (40, 8, 8), np.uint8)
    np.savez(tmp_path / "bright.npz", x_train=x, y_train=np.arange(40) % 4)
    result = evaluate(trained, tmp_path / "bright.npz", display="quiet")
    assert result.examples == 40
    assert any("has values of another size than digits" in notice for notice in result.notices)


def test_how_its_own_table_was_read_is_not_asked_of_other_data(tmp_path: Path) -> None:
    """A run on a table with a label column is tested on tables with it, and on other kinds."""
    rows = "".join(f"{index % 2},{index * index},1\n" for index in range(40))
    (tmp_path / "table.csv").write_text(f"kind,a,b\n{rows}", encoding="utf-8")
    tree = {
        "model": {"builder": "softmax_regression"},
        "dataset": {"name": str(tmp_path / "table.csv"), "label": "kind"},
        "fit": {"epochs": 1},
    }
    run = kzoo.run(tree, out=tmp_path, display="quiet")
    x, y = np.random.default_rng(0).random((40, 2)), np.arange(40) % 2
    np.savez(tmp_path / "other.npz", x_train=x, y_train=y)
    for name, examples in {"table.csv": 8, "other.npz": 40}.items():
        assert evaluate(run, tmp_path / name, display="quiet").examples == examples


def archive(run: kzoo.Run, **arrays: npt.NDArray[Any]) -> bytes:
    """Return the predictions of a run with some arrays changed."""
    with np.load(run.path / "predictions.npz") as file:
        whole = {**file, **arrays}
    stream = io.BytesIO()
    save: Any = np.savez_compressed
    save(stream, **whole)
    return stream.getvalue()


def single(array: npt.NDArray[Any]) -> bytes:
    """Return an array as a file of its own."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def damaged(run: kzoo.Run, folder: Path, content: bytes) -> kzoo.Run:
    """Return a copy of a run whose predictions are these bytes."""
    copy = folder / "copy"
    shutil.copytree(run.path, copy, dirs_exist_ok=True)
    (copy / "predictions.npz").write_bytes(content)
    return kzoo.Run(copy)


P, L = np.full((3, 10), 0.1), np.array([0, 1, 2])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "damaged (it is no archive); expected predictions that a run wrote"),
        (b"hello", "damaged (it is no archive)"),
        (b"PK\3\4 and no more", "damaged (File is not a zip file); expected predictions"),
        (single(P), "damaged (it is no archive)"),
        ({"probabilities": np.array([{}])}, "damaged (Object arrays cannot be loaded"),
        ({"labels": np.array([{}])}, "damaged (Object arrays cannot be loaded"),
        ({"probabilities": P}, "labels: received shape (359,); expected (3,)"),
        ({"probabilities": P[0]}, "probabilities: received shape (10,); expected (examples, 10)"),
        ({"probabilities": P[:, 1:]}, "probabilities: received shape (3, 9); expected (examples"),
        ({"probabilities": P[:0], "labels": L[:0]}, "probabilities: received shape (0, 10); expec"),
        ({"probabilities": P * np.nan, "labels": L}, "probabilities: received float64 values, not"),
        ({"probabilities": P > 0, "labels": L}, "probabilities: received bool values, not all fin"),
        ({"probabilities": P, "labels": L + 8}, "labels: received numbers from 8 to 10; expected "
         "whole numbers from 0 to 9"),
        ({"probabilities": P, "labels": L - 1}, "labels: received numbers from -1 to 1"),
        ({"probabilities": P, "labels": L / 2}, "labels: received float64 values; expected whole"),
        ({"probabilities": P, "labels": L.astype(str)}, "labels: received <U21 values; expected"),
        ({"probabilities": P, "labels": L}, "its accuracy is 0.333333; expected 0."),
    ],
)  # fmt: skip
def test_damaged_predictions_are_one_clear_error(
    trained: kzoo.Run, tmp_path: Path, content: bytes | Arrays, said: str
) -> None:
    """The error names the file, what is wrong in it, and what is expected."""
    run = damaged(
        trained, tmp_path, content if isinstance(content, bytes) else archive(trained, **content)
    )
    with pytest.raises(RunError) as refused:
        evaluate(run)
    assert str(refused.value).startswith(f"{run.path / 'predictions.npz'}: {said}")


def test_a_missing_array_is_named(trained: kzoo.Run, tmp_path: Path) -> None:
    """An archive without labels says so."""
    stream = io.BytesIO()
    np.savez(stream, probabilities=P)
    with pytest.raises(RunError, match=r"labels is not a file in the archive; expected prob"):
        evaluate(damaged(trained, tmp_path, stream.getvalue()))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_no_damage_is_more_than_an_error(
    data: st.DataObject, trained: kzoo.Run, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Predictions cut off anywhere, or with any byte changed, are read whole or refused."""
    content = bytearray((trained.path / "predictions.npz").read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        del content[place:]
    else:
        content[place] = data.draw(st.integers(0, 255))
    run = damaged(trained, tmp_path_factory.getbasetemp(), bytes(content))
    try:
        probabilities, labels = read_predictions(run)
    except RunError:
        return
    assert (probabilities.argmax(1) == labels).mean() == pytest.approx(
        trained.metrics["test_accuracy"], abs=1e-6
    )
