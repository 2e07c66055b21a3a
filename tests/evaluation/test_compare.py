"""Runs side by side: what differs, what is more than chance, what it costs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from support.compared import answering, rewrite, write_predictions
from support.zoo import BUNDLED

import kzoo
from kzoo.errors import RunError
from kzoo.registry import get_weights
from kzoo.runs.cost import stored_operations
from kzoo.runs.layer_figures import layer_figures
from kzoo.runs.layers import describe_layers, describe_weights
from kzoo.runs.model_file import StoredModel, read_model

Make = Callable[..., Path]
# Of the digits, a fifth.
EXAMPLES = 359


@pytest.fixture
def make(trained: kzoo.Run, tmp_path: Path) -> Make:
    """Return a function that makes a run of a name, with some answers wrong."""

    def answer(folder: str, wrong: Iterable[int], **settings: Any) -> Path:
        return answering(trained, tmp_path / folder, wrong=wrong, **settings)

    return answer


def compare(*runs: Path) -> kzoo.Comparison:
    """Compare runs without timing their answers."""
    return kzoo.compare(*runs, measure=False)


def test_few_wrong_answers_more_are_no_more_than_chance_explains(make: Make) -> None:
    """Three examples of 359 that only one has right could be chance, and the words say so."""
    (pair,) = compare(make("a", range(10)), make("b", range(13), seed=1)).pairs
    assert (pair.test.only_first, pair.test.only_second) == (3, 0)
    assert pair.p == stats.binomtest(3, 3).pvalue == 0.25
    assert not pair.more_than_chance
    assert pair.words == (
        "softmax_regression seed 0 and softmax_regression seed 1: the "
        "difference of 0.0084 may be chance (McNemar, exact, p = 0.25)."
    )


def test_many_wrong_answers_more_are_more_than_chance(make: Make) -> None:
    """Thirty that only one has right are more than chance; the better one is named first."""
    (pair,) = compare(make("a", range(10)), make("b", range(40), name="other")).pairs
    assert pair.p == pytest.approx(stats.chi2.sf(29**2 / 30, 1))
    assert pair.difference == pytest.approx(-30 / EXAMPLES)
    assert pair.words == (
        "softmax_regression is better than other: the difference of 0.0836 is more than chance "
        f"(McNemar, p = {pair.p:.2g})."
    )


def test_of_three_runs_all_pairs_are_tested_together(make: Make) -> None:
    """Cochran's Q says whether there is a difference at all, and Holm corrects the pairs."""
    runs = [make("a", range(10)), make("b", range(12), seed=1), make("c", range(60), name="c")]
    result = compare(*runs)
    (together,) = result.together
    right = np.ones((3, result.runs[0].examples))
    for row, wrong in zip(right, (10, 12, 60), strict=True):
        row[:wrong] = 0
    assert together.test.p == pytest.approx(stats.friedmanchisquare(*right).pvalue)
    assert together.more_than_chance
    assert [pair.more_than_chance for pair in result.pairs] == [False, True, True]
    assert all("Holm" in pair.words for pair in result.pairs)
    largest = max(result.pairs, key=lambda pair: pair.p)
    assert largest.p == largest.test.p == 0.5


def test_where_q_finds_nothing_no_pair_is_called_different(make: Make) -> None:
    """What a pair alone would say is not said where all runs together show no difference."""
    first = make("a", [0, *range(200, 300)], name="a")
    second = make("b", [*range(1, 11), *range(200, 300)], name="b")
    third = make("c", [*range(20, 25), *range(100, 200)], name="c")
    result = compare(first, second, third)
    pair = result.pairs[0]
    assert (pair.test.only_first, pair.test.only_second) == (10, 1)
    assert pair.p == pytest.approx(3 * stats.binomtest(1, 11).pvalue)
    assert pair.p < 0.05 < result.together[0].test.p
    assert not pair.more_than_chance
    assert pair.words.endswith("as Cochran's Q finds no difference among the runs.")


def test_equal_accuracies_have_no_interval(make: Make) -> None:
    """Two seeds that are right as often look certain and are not."""
    (seeds,) = compare(make("a", range(10)), make("b", range(10), seed=1)).seeds
    assert seeds.interval is None
    assert "accuracy 0.9721 with each (no interval: equal values do not show" in seeds.words


def test_runs_of_one_spec_get_a_mean_and_an_interval_over_their_seeds(make: Make) -> None:
    """Three seeds: the mean of their accuracies and Student's interval."""
    wrongs = [10, 14, 12]
    result = compare(*(make(f"s{n}", range(w), seed=n) for n, w in enumerate(wrongs)))
    (seeds,) = result.seeds
    accuracies = [1 - wrong / EXAMPLES for wrong in wrongs]
    expected = stats.t.interval(0.95, 2, np.mean(accuracies), stats.sem(accuracies))
    assert seeds.seeds == (0, 1, 2)
    assert seeds.mean == pytest.approx(np.mean(accuracies))
    assert seeds.interval == pytest.approx((expected[0], min(expected[1], 1)))
    assert [row.path for row in result.differences] == ["seed"]
    assert "seeds 0, 1, 2: mean accuracy 0.9666" in seeds.words


def test_only_settings_that_differ_are_told(make: Make) -> None:
    """A setting that one spec does not have is None there; what is no setting is left out."""
    other = make("b", range(12), name="other")
    rewrite(
        other / "spec.json",
        lambda tree: tree.update(
            model={"builder": "deep_mlp", "hidden_units": [8]}, description="another"
        ),
    )
    found = {row.path: row.values for row in compare(make("a", range(10)), other).differences}
    assert found["model.builder"] == ("softmax_regression", "deep_mlp")
    assert found["model.hidden_units"] == (None, (8,)) or found["model.hidden_units"][1] == [8]
    assert not found.keys() & {"name", "description", "seed", "fit.epochs"}


@pytest.mark.parametrize("what", ["fingerprint", "labels", "held-out rows"])
def test_runs_on_different_data_stand_side_by_side_without_a_test(make: Make, what: str) -> None:
    """Whatever shows that the examples are others, a notice says so and nothing is tested."""
    first, second = make("a", range(10)), make("b", range(40), name="other")
    with np.load(second / "predictions.npz") as archive:
        labels, rows = archive["labels"], archive["training_rows"]
    right = np.ones(len(labels), bool)
    if what == "fingerprint":
        rewrite(
            second / "environment.json",
            lambda tree: tree["dataset"].update(fingerprint="0" * 64),
        )
    elif what == "labels":
        write_predictions(second, labels[::-1], right, rows)
    else:
        write_predictions(second, labels, right, rows[1:])
    result = compare(first, second)
    assert not result.pairs
    assert not result.together
    assert [one.test_set for one in result.runs] == [1, 2]
    (notice,) = result.notices
    assert "not tested on the same examples: softmax_regression on 359 examples of dig" in notice


def test_of_runs_on_different_data_those_on_the_same_are_tested(make: Make) -> None:
    """Two runs on one test set and a third on another: one pair, and a notice."""
    third = make("c", range(40), name="c")
    rewrite(third / "environment.json", lambda tree: tree["dataset"].update(fingerprint="0" * 64))
    result = compare(make("a", range(10), name="a"), third, make("b", range(50), name="b"))
    assert [(pair.first, pair.second) for pair in result.pairs] == [("a", "b")]
    assert not result.pairs[0].corrected
    assert result.notices


def test_runs_that_share_spec_and_seed_are_called_by_their_folders(make: Make) -> None:
    """A label tells each run from the others."""
    result = compare(make("a", range(10)), make("b", range(10)))
    assert [one.label for one in result.runs] == ["a", "b"]
    (pair,) = result.pairs
    assert (pair.p, pair.difference) == (1, 0)
    assert not result.seeds
    assert not result.differences


def test_what_is_compared_is_json_data(make: Make) -> None:
    """`to_dict` has the figures and the sentences."""
    tree = compare(make("a", range(10)), make("b", range(40), seed=1)).to_dict()
    assert json.loads(json.dumps(tree))["pairs"][0]["words"].endswith(".")
    assert tree["runs"][0]["cost"]["parameters"] == 650
    assert tree["runs"][0]["cost"]["examples_per_second"] is None


def test_answers_are_timed(make: Make) -> None:
    """Each model answers some examples a second."""
    result = kzoo.compare(make("a", range(10)), make("b", range(10), seed=1))
    assert all((one.cost.examples_per_second or 0) > 1 for one in result.runs)


@pytest.mark.parametrize("name", BUNDLED)
def test_operations_are_those_of_the_layers(name: str) -> None:
    """Counted from the model file, the operations are what `kzoo show --layers` counts."""
    weights = get_weights(name)
    assert weights is not None
    stored = read_model(weights)
    builder, parameters = stored.model["builder"], dict(stored.model)
    del parameters["builder"]
    model = kzoo.build(builder, input_shape=(28, 28), num_classes=10, **parameters)
    layers = describe_layers(model)
    rebuilt = StoredModel(
        stored.path, name, {}, stored.data, {}, layers, describe_weights(model, layers), {}
    )
    counted = [figures.operations for figures in layer_figures(kzoo.load(name))]
    assert None not in counted
    assert stored_operations(rebuilt) == stored_operations(stored) == sum(filter(None, counted))


def test_what_cannot_be_compared_is_refused(make: Make) -> None:
    """One run, a run twice, and a run without test figures each say what is expected."""
    first, second = make("a", range(10)), make("b", range(12), seed=1)
    with pytest.raises(RunError, match="received 1 run; expected two or more"):
        compare(first)
    with pytest.raises(RunError, match="is given twice"):
        compare(first, second, first)
    rewrite(second / "metrics.json", lambda tree: tree.pop("test_accuracy"))
    with pytest.raises(RunError, match="was not tested"):
        compare(first, second)
    (second / "metrics.json").unlink()
    with pytest.raises(RunError, match="is not finished"):
        compare(first, second)


def test_runs_on_other_columns_of_a_file_are_tested_on_the_same_rows(tmp_path: Path) -> None:
    """Without a column the same rows are held out; once the file has changed, others may be."""
    random = np.random.default_rng(0)
    x, file = random.normal(size=(200, 3)), tmp_path / "table.csv"
    lines = [f"{a:.3f},{b:.3f},{c:.3f},{'yn'[int(a + b > 0)]}\n" for a, b, c in x]
    file.write_text("a,b,c,label\n" + "".join(lines), "utf-8")

    def train(setting: str = "seed", value: Any = 0) -> kzoo.Run:
        overrides = {"dataset.name": str(file), "fit.epochs": 2, setting: value}
        return kzoo.run("softmax_regression", overrides=overrides, out=tmp_path, display="quiet")

    whole, other_seed = train(), train("seed", 1)
    less = train("dataset.table.exclude", "c")
    result = compare(whole.path, less.path, other_seed.path)
    assert [one.test_set for one in result.runs] == [1, 1, 1]
    assert not result.notices
    assert {row.path for row in result.differences} == {"seed", "dataset.table.exclude"}
    file.write_text(file.read_text("utf-8").replace("a,b,c", "a,c,b", 1), "utf-8")
    changed = train("dataset.table.exclude", "b")
    assert compare(whole.path, changed.path).notices
