"""The page of a search."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import kzoo
from kzoo.errors import RunError
from kzoo.figures.optimism import best_accuracy_optimism
from kzoo.reports.charts import scatter_chart
from kzoo.reports.search_content import search_content
from kzoo.reports.search_parameters import Parameter, importance_of
from kzoo.runs import directory
from kzoo.runs.trial import Trial
from kzoo.tuning.log import SearchLog
from kzoo.tuning.search import BEST, LOG, Search

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def search(tmp_path: Path) -> Search:
    """Return a search of 20 trials, of which one failed, written without a training."""
    space = {
        "optimizer.learning_rate": {"type": "float", "min": 1e-4, "max": 1e-1, "sampling": "log"},
        "model.hidden_units.*": {"type": "int", "min": 8, "max": 64},
        "fit.batch_size": {"type": "choice", "values": [16, 64]},
    }
    overrides = {"dataset.name": "digits", "tune": {"space": space}}
    spec = kzoo.load_spec("deep_mlp", overrides=overrides)
    path = tmp_path / "runs" / "deep_mlp-tune-1"
    path.mkdir(parents=True)
    (path / directory.SEARCH).write_text(spec.to_json(), encoding="utf-8")
    random = np.random.default_rng(0)
    with SearchLog(path / LOG) as log:
        for number in range(20):
            rate = float(10 ** random.uniform(-4, -1))
            values = {
                "optimizer.learning_rate": rate,
                "model.hidden_units.*": int(random.integers(8, 65)),
                "fit.batch_size": int(random.choice([16, 64])),
            }
            trial = Trial(f"{number:04}", values)
            log.asked(trial)
            if number == 3:
                log.told(Trial(trial.number, values, "failed", error=HOSTILE, seconds=1.0))
                continue
            score = 0.95 - 0.1 * abs(np.log10(rate) + 2.5)
            log.told(Trial(trial.number, values, "completed", float(score), 5, 2.0))
    return Search(path)


def test_a_search_is_one_page_the_same_twice(
    search: Search, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The best, what trains it, the trials, and what failed; found by the beginning of its name."""
    assert "has not ended" in kzoo.report(search, tmp_path / "page.html").read_text("utf-8")
    (search.path / BEST).touch()
    page = kzoo.report(search, tmp_path / "page.html").read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    path = kzoo.report("deep_mlp-tune")
    assert path == Path("runs/deep_mlp-tune-1/report.html")
    assert path.read_text("utf-8").replace("runs/deep", f"{tmp_path}/runs/deep") == page
    assert len(page) < 500_000
    best = search.best
    assert best is not None
    assert f"{best.score:.4f}" in page
    assert f"kzoo run {search.path / 'best.json'}" in page
    assert "19 trials with a score, 1 that failed" in page
    assert HOSTILE not in page
    assert "0003: &lt;img src=x onerror" in page
    assert "<script" not in page


@pytest.mark.parametrize(("max_trials", "is_told"), [(30, True), (20, False)])
def test_a_search_that_is_not_over_says_so(
    search: Search, tmp_path: Path, max_trials: int, is_told: bool
) -> None:
    """How far it came and what goes on stand at the top, as it has a best to show all the same."""
    with SearchLog(search.path / LOG) as log:
        log.session(max_trials, None, 0, "1 worker")
    (search.path / BEST).touch()
    page = kzoo.report(search, tmp_path / "page.html").read_text("utf-8")
    assert (f"not over: 20 of {max_trials} trials" in page) is is_told
    assert (f"kzoo tune --resume {search.path}" in page) is is_told


def test_the_chart_counts_trials_by_their_numbers(search: Search) -> None:
    """A trial stands at its own number, also behind one that failed and has no dot."""
    chart = search_content(search).progress
    titles = {point.title.partition(":")[0]: point.x for point in chart.points}
    assert "trial 0003" not in titles
    ticks = {f"trial {tick.text}": tick.place for tick in chart.x_ticks}
    assert len(ticks) >= 4
    assert ticks.items() <= titles.items()
    steps = np.diff([x for _, x in sorted(titles.items())])
    # One gap is twice as wide: that of the trial that failed.
    assert steps.max() == pytest.approx(2 * np.median(steps), abs=0.1)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_few_trials_have_whole_numbers(count: int) -> None:
    """There is no trial 0000.5."""
    numbers = [float(number) for number in range(count)]
    chart = scatter_chart(
        "", numbers, numbers, ["" for _ in numbers], 0, x_title="", are_numbers=True
    )
    assert [tick.text for tick in chart.x_ticks] == [f"{number:04}" for number in range(count)]


def test_the_luck_of_the_best_is_two_plain_sentences(
    search: Search, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By how much the score may fall on new data, and that it is an upper estimate."""
    monkeypatch.setattr("kzoo.reports.search_content._validation_rows", lambda best: 287)
    optimism = search_content(search).optimism
    assert optimism is not None
    assert optimism > 0.001
    page = kzoo.report(search, tmp_path / "page.html").read_text("utf-8")
    assert (
        "The best of 19 trials is partly luck: on new data, expect a score that is lower by up to "
        f"about <b>{optimism * 100:.1f} percentage points</b>. This is an upper estimate, from "
        "trials with 287 validation rows each." in page
    )


def test_the_numbers_of_an_axis_are_clear_of_the_lines(search: Search) -> None:
    """The lowest value stands below the axes, the highest above them."""
    parallel = search_content(search).parallel
    heights = [
        float(point.partition(",")[2]) for points, _ in parallel.lines for point in points.split()
    ]
    for axis in parallel.axes:
        low, high = (tick.place for tick in axis.ticks)
        # The letters of a text are above its place.
        assert low - 10 > max(heights)
        assert high < min(heights)


def test_the_parameter_that_decides_comes_first(search: Search) -> None:
    """The score was made of the learning rate alone; the shares are all of it."""
    importance = search_content(search).importance
    assert importance[0][0] == "optimizer.learning_rate"
    assert importance[0][1] > 0.8
    assert sum(share for _, share in importance) == pytest.approx(1)


def test_noise_has_no_important_parameter() -> None:
    """And neither have a few trials."""
    random = np.random.default_rng(1)
    noise = Parameter("a", "a", tuple(random.random(30).tolist()), None, False)
    assert importance_of([noise], random.random(30).tolist())[0] == ()
    assert importance_of([noise], [0.5] * 9)[0] == ()


def test_a_search_without_a_score_is_refused(search: Search) -> None:
    """There is nothing to show yet."""
    (search.path / LOG).write_text("")
    with pytest.raises(RunError, match="no trial with a score"):
        kzoo.report(Search(search.path))


def test_the_best_of_many_equal_ones_is_too_optimistic() -> None:
    """Of one it is not; of 50 equal ones by two standard errors and a quarter; of few rows more."""
    error = (0.9 * 0.1 / 1000) ** 0.5
    assert best_accuracy_optimism([0.9], 1000) == pytest.approx(0, abs=error / 10)
    assert best_accuracy_optimism([0.9] * 50, 1000) == pytest.approx(2.25 * error, rel=0.1)
    assert best_accuracy_optimism([0.9] * 50, 100) > best_accuracy_optimism([0.9] * 50, 1000)
    assert best_accuracy_optimism([0.9, 0.1], 1000) == pytest.approx(0, abs=error / 10)
