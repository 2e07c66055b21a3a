"""A second figure beside the objective: the trials that no other beats in both."""

from __future__ import annotations

import csv
import json
from itertools import permutations
from pathlib import Path
from typing import Annotated, Any

import keras
import numpy as np
import pytest
from pydantic import Field
from support.kinds import Command
from support.searches import SPEC, facts

import kzoo
from kzoo.errors import SpecError
from kzoo.figures import Direction
from kzoo.runs.cost import stored_operations
from kzoo.runs.trial import Trial
from kzoo.spec import load_spec
from kzoo.spec.tune import CostName
from kzoo.tuning.front import pareto_front
from kzoo.tuning.search import Search

UNITS = {"model.hidden_units.*": {"type": "choice", "values": [2, 32, 8, 64]}}


def search(tmp_path: Path, metric: CostName | None = "parameters", **changes: Any) -> Search:
    """Search four widths on a grid."""
    also = {"also": {"metric": metric}} if metric else {}
    tune = {"algorithm": "grid", "space": UNITS, **also, **changes}
    return kzoo.tune({**SPEC, "tune": tune}, out=tmp_path, workers=0, display="quiet")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Search:
    """A finished search by accuracy and parameters, of which the best one's weights are kept."""
    return search(tmp_path_factory.mktemp("search"), keep_weights=1)


def trial(number: int, score: float | None, cost: float | None) -> Trial:
    """Return a trial that has ended."""
    state: Any = "failed" if score is None else "completed"
    return Trial(f"{number:04d}", {}, state, score, cost=cost)


@pytest.mark.parametrize("direction", ["max", "min"])
@pytest.mark.parametrize("seed", range(5))
def test_the_front_has_what_no_other_beats(seed: int, direction: Direction) -> None:
    """It is what comparing all pairs gives, ties and trials without a figure included."""
    random = np.random.default_rng(seed)
    scores, costs = random.integers(0, 8, (2, 30)).astype(float)
    trials = [trial(i, *pair) for i, pair in enumerate(zip(scores, costs, strict=True))]
    trials += [trial(30, 9.0 if direction == "max" else -1.0, None), trial(31, None, None)]
    sign = 1 if direction == "max" else -1
    beaten = {
        b
        for a, b in permutations(range(30), 2)
        if sign * scores[a] >= sign * scores[b]
        and costs[a] <= costs[b]
        and (scores[a], costs[a]) != (scores[b], costs[b])
    }
    front = pareto_front(trials, direction)
    assert {int(one.number) for one in front} == set(range(30)) - beaten
    assert [sign * (one.score or 0.0) for one in front] == sorted(
        (sign * (one.score or 0.0) for one in front), reverse=True
    )


def test_trials_have_the_cost_of_their_models(finished: Search) -> None:
    """Each has the parameters of its run, the front is of scores and parameters, and best on it."""
    for one in finished.trials:
        assert one.run is not None
        units = one.values["model.hidden_units.*"]
        own = (64 + 1) * units + (units + 1) * units + (units + 1) * 10
        assert one.cost == kzoo.Run(one.run).metrics["parameters"] == own
    front = finished.front
    assert front == pareto_front(finished.trials, "max")
    assert front[0] == finished.best
    assert front[-1].values == {"model.hidden_units.*": 2}
    assert len(front) > 1


def test_of_equal_scores_the_cheaper_is_the_best(finished: Search, tmp_path: Path) -> None:
    """The best is always one of the front, if its cost is known."""
    log = (finished.path / "log.jsonl").read_text("utf-8").splitlines()
    events = [json.loads(line) for line in log]
    for event in events:
        if event["event"] == "told":
            event["trial"]["score"] = 0.5
    text = "".join(json.dumps(event) + "\n" for event in events)
    (tmp_path / "log.jsonl").write_text(text, "utf-8")
    (tmp_path / "search.json").write_bytes((finished.path / "search.json").read_bytes())
    best = Search(tmp_path).best
    assert best is not None
    assert best.values == {"model.hidden_units.*": 2}
    assert Search(tmp_path).front == [best]


def test_the_files_of_a_search_say_its_front(finished: Search) -> None:
    """The table marks it, best.json names it, and each trial of it is a spec that runs."""
    front, best = finished.front, finished.best
    assert best is not None
    with (finished.path / "trials.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["parameters"]) for row in rows] == [one.cost for one in finished.trials]
    assert [row["trial"] for row in rows if row["front"] == "1"] == sorted(
        one.number for one in front
    )
    found = load_spec(finished.path / "best.json").found
    assert found is not None
    assert found.cost is not None
    assert (found.trial, found.cost.metric, found.cost.value) == (
        best.number, "parameters", best.cost,
    )  # fmt: skip
    assert found.front == tuple(one.number for one in front)
    files = {path.stem: load_spec(path) for path in (finished.path / "front").glob("*.json")}
    assert set(files) == {one.number for one in front}
    for one in front:
        spec = files[one.number]
        assert spec.found is not None
        assert (spec.found.trial, spec.found.score) == (one.number, one.score)
        units = one.values["model.hidden_units.*"]
        assert spec.model.parameters["hidden_units"] == [units, units]
    run = kzoo.run(finished.path / "front" / f"{front[-1].number}.json",
                   out=finished.path.parent, display="quiet")  # fmt: skip
    assert run.metrics["parameters"] == front[-1].cost
    page = kzoo.report(finished, finished.path.parent / "page.html").read_text("utf-8")
    assert "Score and parameters" in page
    for one in front:
        assert f"{one.cost:,.0f}</td>" in page


def test_the_weights_of_the_front_are_kept(finished: Search) -> None:
    """Beside those of the best, and of no other."""
    kept = [one for one in finished.trials if one.run and (one.run / "model.keras").exists()]
    assert kept == sorted(finished.front, key=lambda one: one.number)


def test_python_and_the_command_show_the_front(finished: Search, kzoo_here: Command) -> None:
    """A search shows it as a table; the command prints it, as JSON too."""
    numbers = [one.number for one in finished.front]
    summary = finished.summary()
    assert summary["front"] == numbers
    assert [one["parameters"] for one in summary["trials"]] == [one.cost for one in finished.trials]
    assert all(isinstance(one["parameters"], int) for one in summary["trials"])
    assert summary["best"]["parameters"] == finished.front[0].cost
    lines = finished.front_lines()
    for one, line in zip(finished.front, lines, strict=True):
        assert line == f"{one.score:.4f} with {one.cost:,.0f} parameters (trial {one.number})"
    assert ", ".join(lines) in str(finished._repr_html_())
    done = kzoo_here("tune", "--resume", str(finished.path), "--plain")
    assert done.returncode == 0, done.stderr
    for line in lines:
        assert line in done.stdout
    assert "parameters, less is better; the search improves the score alone" in done.stderr
    assert f"parameters {finished.front[0].cost:,.0f}" in done.stderr


@pytest.mark.parametrize("metric", ["operations", "weight_bytes", "seconds_per_example"])
def test_every_cost_can_be_weighed(metric: CostName, tmp_path: Path) -> None:
    """Each is what its run's model costs; more units cost more."""
    found = search(tmp_path, metric, space={
        "model.hidden_units.*": {"type": "choice", "values": [2, 512]}})  # fmt: skip
    small, large = (one.cost for one in found.trials)
    assert small is not None
    assert large is not None
    assert 0 < small < large
    for one in found.trials:
        assert one.run is not None
        stored = kzoo.Run(one.run).model
        if metric == "operations":
            assert one.cost == stored_operations(stored)
        elif metric == "weight_bytes":
            assert one.cost == sum(array.nbytes for array in stored.weights.values())
        else:
            assert one.cost == float(f"{one.cost:.2g}")


def test_a_search_that_goes_on_takes_the_costs_from_its_log(
    finished: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has ended is not measured again, and the search is that of one that never stopped."""
    asked = []

    def counting(run: kzoo.Run, name: CostName) -> float:
        asked.append(run.path)
        return int(run.metrics["parameters"])

    monkeypatch.setattr("kzoo.tuning.worker.cost_of", counting)
    begun = search(tmp_path, max_trials=2)
    assert len(asked) == 2
    whole = kzoo.resume_search(begun.path, max_trials=4, workers=0, display="quiet")
    assert len(asked) == 4
    assert facts(whole) == facts(finished)
    assert [one.cost for one in whole.trials] == [one.cost for one in finished.trials]
    assert {path.stem for path in (whole.path / "front").iterdir()} == {
        one.number for one in whole.front
    }


def test_without_a_second_figure_nothing_is_measured(
    finished: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scores are the same, and neither columns nor files are more."""

    def forbidden(*_: Any) -> float:
        raise AssertionError

    monkeypatch.setattr("kzoo.tuning.worker.cost_of", forbidden)
    plain = search(tmp_path, None)
    assert facts(plain) == facts(finished)
    assert plain.front == []
    assert not (plain.path / "front").exists()
    header = (plain.path / "trials.csv").read_text("utf-8").splitlines()[0]
    assert header == "trial,status,score,epochs,seconds,run,error,model.hidden_units.*"
    assert "front" not in plain.summary()
    best = json.loads((plain.path / "best.json").read_text("utf-8"))
    assert not {"cost", "front"} & set(best["found"])


def upturned(
    input_shape: tuple[int, ...], num_classes: int, *, units: Annotated[int, Field(ge=1)] = 4
) -> keras.Model:
    """Return a model with a layer that the forward pass does not know.

    Args:
        input_shape: Shape of one example.
        num_classes: Number of classes.
        units: How many.
    """
    inputs = keras.Input(input_shape)
    x = keras.layers.Dense(units)(keras.layers.Flatten()(inputs))
    x = keras.layers.UnitNormalization()(x)
    return keras.Model(inputs, keras.layers.Dense(num_classes, "softmax")(x), name="upturned")


@pytest.mark.usefixtures("use_plugins")
def test_a_cost_that_is_not_known_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A layer that only Keras computes has no operations here: the trial is left out, loudly."""
    kzoo.register(upturned)
    space = {"model.units": {"type": "choice", "values": [2, 8]}}
    tune = {"algorithm": "grid", "space": space, "also": {"metric": "operations"}}
    spec = {**SPEC, "model": {"builder": "upturned"}, "tune": tune}
    found = kzoo.tune(spec, out=tmp_path, workers=0, display="plain")
    assert [one.cost for one in found.trials] == [None, None]
    assert found.front == []
    assert found.best is not None
    assert "operations of 2 trials are not known" in capsys.readouterr().err
    assert "not known of any trial" in kzoo.report(found).read_text("utf-8")


def test_a_cost_that_is_none_gets_the_nearest() -> None:
    """A slip is answered with the name that was meant."""
    tune = {"space": UNITS, "also": {"metric": "paramters"}}
    with pytest.raises(SpecError, match="Did you mean 'parameters'"):
        load_spec({**SPEC, "tune": tune})
