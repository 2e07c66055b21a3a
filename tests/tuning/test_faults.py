"""What goes wrong around a search, and what people do next: nothing is taken for a verdict."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.kinds import Command
from support.searches import SPEC as SMALL
from support.searches import facts

import kzoo
from kzoo.cli.arguments import parse_duration
from kzoo.errors import (
    BrokenOffError,
    ClusterLostError,
    DataError,
    DivergedError,
    Interrupted,
    KzooError,
    RunError,
    SpecError,
    UnknownNameError,
    WorkerError,
)
from kzoo.tuning import trial_data, tune, worker
from kzoo.tuning.executors import InProcess
from kzoo.tuning.needs import Needs, versions
from kzoo.tuning.search import Search

SPEC: dict[str, Any] = {**SMALL, "fit": {**SMALL["fit"], "epochs": 1}}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Search:
    """A search of four trials that nothing disturbed."""
    return search(tmp_path_factory.mktemp("whole"))


def search(tmp_path: Path, data: Any = None, **settings: Any) -> Search:
    """Search `SPEC` in this process, quietly."""
    settings = {"out": tmp_path, "workers": 0, "display": "quiet", **settings}
    return kzoo.tune(settings.pop("spec", SPEC), data, **settings)


def resume(path: Path, **settings: Any) -> Search:
    """Go on in this process, quietly."""
    return kzoo.resume_search(path, **{"workers": 0, "display": "quiet", **settings})


def raising(monkeypatch: pytest.MonkeyPatch, errors: dict[str, BaseException]) -> None:
    """Have the training of some trials raise errors."""
    train = worker._train

    def fail(job: worker.Job) -> kzoo.Run:
        if job.trial.number in errors:
            raise errors[job.trial.number]
        return train(job)

    monkeypatch.setattr(worker, "_train", fail)


def losing_cluster(monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    """Have the executor be lost when it is given a trial."""
    submit = InProcess.submit

    def refuse(self: InProcess, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], worker.Job) and args[0].trial.number == number:
            raise ClusterLostError
        return submit(self, fn, *args, **kwargs)

    monkeypatch.setattr(InProcess, "submit", refuse)


def events(path: Path, kind: str) -> list[dict[str, Any]]:
    """Return the events of a kind that a search's log has."""
    lines = (path / "log.jsonl").read_text("utf-8").splitlines()
    return [event for event in map(json.loads, lines) if event["event"] == kind]


class ResourceExhaustedError(Exception):
    """As TensorFlow's."""


OF_THE_ENVIRONMENT = [
    OSError(errno.ENOSPC, "No space left on device"),
    OSError(errno.EIO, "Input/output error"),
    FileNotFoundError(errno.ENOENT, "No such file or directory", "runs"),
    PermissionError(errno.EACCES, "Permission denied", "runs"),
    MemoryError("no room\nfor it"),
    ResourceExhaustedError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate"),
    DataError("mnist.npz: cannot be read"),
    RunError("checkpoint: cannot be written: No space left on device"),
    ImportError("No module named 'plugin'"),
    UnknownNameError("builder", "mine", ["deep_mlp"]),
]
OF_THE_VALUES = [
    DivergedError("epoch 1: loss became nan"),
    SpecError("model: builder 'deep_mlp' cannot be built"),
    ValueError("negative dimension"),
    ZeroDivisionError("x"),
]


@pytest.mark.parametrize("error", OF_THE_ENVIRONMENT, ids=lambda error: type(error).__name__)
def test_a_fault_of_the_environment_is_no_verdict(
    error: Exception, whole: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search stops with one line and its best so far; resumed, it is the undisturbed one."""
    with monkeypatch.context() as patch:
        raising(patch, {"0002": error})
        with pytest.raises(BrokenOffError, match=r"^trial 0002: ") as end:
            search(tmp_path)
    assert "\n" not in str(end.value)
    path = end.value.path
    assert [event["trial"]["state"] for event in events(path, "told")] == ["completed"] * 2
    for name in ("best.json", "trials.csv", "trials.png"):
        assert (path / name).is_file()
    assert facts(resume(path)) == facts(whole)


@pytest.mark.parametrize("error", OF_THE_VALUES, ids=lambda error: type(error).__name__)
def test_a_fault_of_the_values_fails_its_trial_alone(
    error: Exception, whole: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is recorded and the search goes on; `--retry-failed` tries it again."""
    with monkeypatch.context() as patch:
        raising(patch, {"0001": error})
        found = search(tmp_path)
    states = [trial.state for trial in found.trials]
    assert states == ["completed", "failed", "completed", "completed"]
    assert str(error).splitlines()[0] in (found.trials[1].error or "")
    assert facts(resume(found.path)) == facts(found)
    assert facts(resume(found.path, retry_failed=True)) == facts(whole)
    assert [event["number"] for event in events(found.path, "retried")] == ["0001"]


def test_the_command_tries_failed_trials_again(
    whole: Search, kzoo_here: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--retry-failed` goes with `--resume` alone."""
    with monkeypatch.context() as patch:
        raising(patch, {"0001": DivergedError("epoch 1: loss became nan")})
        found = search(tmp_path)
    said = kzoo_here("tune", "deep_mlp", "--retry-failed")
    assert (said.returncode, said.stdout) == (2, "")
    assert "goes with --resume SEARCH" in said.stderr
    again = ["tune", "--resume", str(found.path), "--retry-failed", "--workers", "0", "--quiet"]
    assert kzoo_here(*again).returncode == 0
    assert facts(Search(found.path)) == facts(whole)


@pytest.mark.parametrize(
    "lack", ["this worker does not see the search's folder", "this worker has keras 2.0"]
)
def test_a_worker_is_asked_before_the_first_trial(
    lack: str, whole: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it lacks ends the search before anything is proposed; mended, it goes on."""

    def refuse(needs: Needs) -> None:
        raise WorkerError(lack)

    with monkeypatch.context() as patch:
        patch.setattr(worker, "check_place", refuse)
        with pytest.raises(BrokenOffError, match=f"^this process: {lack}$") as end:
            search(tmp_path)
    assert events(end.value.path, "asked") == []
    assert facts(resume(end.value.path)) == facts(whole)


@pytest.mark.parametrize(("workers", "most", "started"), [(8, 3, 3), (2, 9, 2), (2, None, 2)])
def test_no_more_workers_than_trials_are_started(
    workers: int, most: int | None, started: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More would have nothing to do; where nobody says how many trials, all are started."""
    asked: list[int] = []

    class Counted(InProcess):
        def __init__(self, count: int, threads: int) -> None:
            asked.append(count)

    monkeypatch.setattr(tune, "LocalWorkers", Counted)
    with tune._executor(workers, None, most):
        pass
    assert asked == [started]


def test_what_was_asked_of_a_session_is_written_down(whole: Search, tmp_path: Path) -> None:
    """Any number of trials is taken at any resume, below those tried too; the last one lasts."""
    found = search(tmp_path, max_trials=3)
    for number in (2, 1):
        assert facts(resume(found.path, max_trials=number)) == facts(found)
    assert facts(resume(found.path)) == facts(found)
    assert facts(resume(found.path, max_trials=4)) == facts(whole)
    assert facts(resume(found.path, time_limit=60.0)) == facts(whole)
    told = [(event["max_trials"], event["time_limit"]) for event in events(found.path, "session")]
    assert told == [(3, None), (2, None), (1, None), (1, None), (4, None), (4, 60.0)]
    assert {event["where"] for event in events(found.path, "session")} == {"this process"}
    resume(found.path, workers=1)
    assert events(found.path, "session")[-1]["where"] == "a process of its own"


@pytest.mark.parametrize(
    "settings",
    [{"max_trials": 0}, {"max_trials": 1_000_000}, {"time_limit": 0}, {"time_limit": float("nan")}],
    ids=str,
)
def test_bounds_are_checked_where_they_are_given(
    settings: dict[str, Any], whole: Search, tmp_path: Path
) -> None:
    """A finished search keeps all that it has, and a new one is not begun."""
    before = sorted((path.name, path.stat().st_mtime_ns) for path in whole.path.iterdir())
    with pytest.raises(SpecError, match=next(iter(settings))):
        resume(whole.path, **settings)
    assert sorted((path.name, path.stat().st_mtime_ns) for path in whole.path.iterdir()) == before
    with pytest.raises(SpecError, match=next(iter(settings))):
        search(tmp_path, **settings)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", ["0", "1000000", "x", "-1"])
def test_the_command_line_refuses_them_too(number: str, kzoo_here: Command) -> None:
    """One line says what is accepted."""
    said = kzoo_here("tune", "deep_mlp", "--max-trials", number)
    assert said.returncode == 2
    assert "--max-trials" in said.stderr


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("1.5s", 1.5), ("20m", 1200), ("8h", 28800), ("2d", 172800)],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    """A number of seconds, or a unit behind it."""
    assert parse_duration(text) == seconds


def test_a_search_of_no_more_time_ends_and_goes_on(
    whole: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without time for a trial none is begun; the next session has all of them."""
    found = search(tmp_path, time_limit=1e-9)
    assert found.trials == []
    assert (found.path / "trials.csv").is_file()
    assert facts(resume(found.path)) == facts(whole)


def test_a_time_limit_breaks_off_what_runs(tmp_path: Path) -> None:
    """A worker that trains for ever is ended at the limit; its trial stays under way."""
    spec = kzoo.load_spec(SPEC, {"fit.epochs": 100_000, "tune.max_trials": 1})
    began = time.monotonic()
    found = search(tmp_path, spec=spec, workers=1, time_limit=8.0)
    # Nothing of the training is waited for: it takes hours.
    assert time.monotonic() - began < 100
    assert [trial.state for trial in found.trials] == ["running"]
    assert found.best is None


def test_a_trial_in_this_process_ends_with_its_epoch_at_the_limit(tmp_path: Path) -> None:
    """It stays under way, and goes on from that epoch when the search is resumed."""
    spec = kzoo.load_spec(SPEC, {"fit.epochs": 2000, "tune.max_trials": 1})
    found = search(tmp_path, spec=spec, time_limit=4.0)
    assert [trial.state for trial in found.trials] == ["running"]
    assert list(found.path.glob("trials/0000-*/checkpoint.safetensors"))
    assert events(found.path, "told") == []


STOPS: dict[str, BaseException | None] = {
    "ctrl-c": Interrupted(signal.SIGINT, Path("run")),
    "terminated": Interrupted(signal.SIGTERM, Path("run")),
    "a full disk": OSError(errno.ENOSPC, "No space left on device"),
    "a lost cluster": None,
}


@pytest.mark.parametrize("stop", STOPS)
def test_every_stop_leaves_the_best_so_far(
    stop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are a table, a picture and a spec that runs."""
    error = STOPS[stop]
    if error is None:
        losing_cluster(monkeypatch, "0002")
    else:
        raising(monkeypatch, {"0002": error})
    with pytest.raises((Interrupted, BrokenOffError)):
        search(tmp_path)
    (path,) = tmp_path.iterdir()
    found = Search(path)
    assert found.best is not None
    assert kzoo.load_spec(path / "best.json").found is not None
    assert (path / "trials.csv").read_text("utf-8").count("\n") == 4
    assert (path / "trials.png").is_file()


ARRAYS = (
    np.random.default_rng(0).normal(size=(120, 5)).astype(np.float32),
    np.arange(120) % 3,
)


def test_a_moved_search_of_arrays_goes_on(tmp_path: Path) -> None:
    """Its data lie beside its record, and are found wherever the folder is."""
    found = search(tmp_path, ARRAYS, max_trials=1)
    moved = tmp_path / "elsewhere" / "moved"
    moved.parent.mkdir()
    shutil.move(found.path, moved)
    assert len(resume(moved, max_trials=2).trials) == 2
    run = kzoo.run(moved / "best.json", out=tmp_path, display="quiet")
    assert run.dataset.name == str(moved / "data.npz")


def test_moved_data_are_said_once(tmp_path: Path) -> None:
    """Without them the search says how to name them; other data are refused; then they last."""
    first, second, other = (tmp_path / name for name in ("a.npz", "b.npz", "c.npz"))
    np.savez(first, x_train=ARRAYS[0], y_train=ARRAYS[1])
    np.savez(other, x_train=ARRAYS[0] + 1, y_train=ARRAYS[1])
    spec = {**SPEC, "dataset": {"name": str(first), "validation_size": 20}}
    found = search(tmp_path / "runs", spec=spec, max_trials=1)
    first.rename(second)
    with pytest.raises(RunError, match=r"not at .*a\.npz any more; .*--data"):
        resume(found.path, max_trials=2)
    with pytest.raises(RunError, match="is not what the search began with"):
        resume(found.path, max_trials=2, data=other)
    resume(found.path, max_trials=2, data=second)
    assert len(resume(found.path, max_trials=3).trials) == 3


def test_data_changed_under_way_are_refused(tmp_path: Path) -> None:
    """A worker that starts later reads another file: its trial is not trained on it."""
    place = tmp_path / "a.npz"
    np.savez(place, x_train=ARRAYS[0], y_train=ARRAYS[1])
    spec = {**SPEC, "dataset": {"name": str(place), "validation_size": 20}}
    found = search(tmp_path / "runs", spec=spec, max_trials=1)
    spec_now = kzoo.load_spec(found.path / "search.json")
    np.savez(place, x_train=ARRAYS[0] + 1, y_train=ARRAYS[1])
    trial_data._loaded.clear()
    needs = Needs(
        found.path, trial_data.data_of(spec_now), events(found.path, "began")[0]["fingerprint"],
        (), versions(),
    )  # fmt: skip
    trial = found.trials[0]
    tree = spec_now.model_copy(update={"tune": None}).to_dict()
    job = worker.Job(trial, tree, "val_accuracy", tmp_path / "new", needs)
    with pytest.raises(KzooError, match="are not those that the search began with"):
        worker.run_trial(job)
    with pytest.raises(KzooError, match="are not those that the search began with"):
        worker.ask_worker(needs, tree)
    trial_data._loaded.clear()


def test_a_trial_is_not_resumed_as_a_run(whole: Search, kzoo_here: Command) -> None:
    """Its search goes on with it; the test set stays unseen."""
    trial = whole.trials[0].run
    assert trial is not None
    said = kzoo_here("run", "--resume", trial)
    assert said.returncode == 1
    assert "finished already" not in said.stderr
    assert "is a trial of the search" in said.stderr
    assert f"kzoo tune --resume {whole.path}" in said.stderr
    assert not (trial / "predictions.npz").exists()


SCRIPT = '''
from __future__ import annotations
import os
import sys
from typing import Annotated
from pydantic import Field
import kzoo

Units = Annotated[int, Field(ge=1)]


@kzoo.register
def own(input_shape, num_classes, *, units: Units = 8, dies: bool = False):
    """A small net, which can end its process.

    Args:
        units: How many.
        dies: Whether it does.
    """
    import keras

    if dies:
        os._exit(3)
    layers = [keras.layers.Flatten(), keras.layers.Dense(units, "relu")]
    end = keras.layers.Dense(num_classes, "softmax")
    return keras.Sequential([keras.Input(input_shape), *layers, end])


@kzoo.register
def other(input_shape, num_classes, *, units: Units = 8):
    """Another one.

    Args:
        units: How many.
    """
    return own(input_shape, num_classes, units=2 * units)


space = {SPACE}
spec = {"model": {"builder": "own"}, "dataset": {"name": "digits"}, "fit": {"epochs": 1}}
spec["tune"] = {"algorithm": "grid", "space": space}
found = kzoo.tune(spec, workers=int(sys.argv[1]), display="quiet")
print(*(trial.state for trial in found.trials))
'''


@pytest.mark.parametrize("workers", [1, 2])
def test_a_builder_of_a_script_reaches_workers_without_a_guard(
    workers: int, tmp_path: Path
) -> None:
    """The script is not imported there; one trial kills its process, and that trial alone fails."""
    space = '{"model.dies": {"type": "boolean"}}'
    assert run_script(tmp_path, space, workers) == ["completed", "failed"]
    (path,) = (tmp_path / "runs").iterdir()
    assert "its worker died 3 times" in (Search(path).trials[1].error or "")


def test_a_target_ends_a_search(whole: Search, tmp_path: Path) -> None:
    """The first trial that is good enough is the last one; without it there are all."""
    scores = [trial.score or 0.0 for trial in whole.trials]
    number = next(n for n in range(1, 4) if scores[n] > max(scores[:n]))
    spec = kzoo.load_spec(SPEC, {"tune.target": scores[number]})
    found = search(tmp_path, spec=spec)
    assert facts(found) == facts(whole)[: number + 1]
    assert facts(resume(found.path)) == facts(found)
    low = kzoo.load_spec(SPEC, {"tune.objective.metric": "val_loss", "tune.target": 1e-9})
    assert len(search(tmp_path, spec=low).trials) == 4


def test_a_trial_whose_time_is_over_ends_with_its_score(tmp_path: Path) -> None:
    """It is stopped after an epoch, its score is that epoch's, and it can be the best."""
    changes = {"tune.trial_seconds": 1e-6, "fit.epochs": 50, "tune.max_trials": 2}
    found = search(tmp_path, spec=kzoo.load_spec(SPEC, changes))
    assert [(trial.state, trial.epochs) for trial in found.trials] == [("stopped", 1)] * 2
    for trial in found.trials:
        assert trial.run is not None
        assert trial.score == kzoo.Run(trial.run).history["val_accuracy"][-1]
    assert found.best is not None
    long = kzoo.load_spec(SPEC, {"tune.trial_seconds": 1e6, "tune.max_trials": 1})
    assert search(tmp_path, spec=long).trials[0].state == "completed"


@pytest.mark.parametrize("kept", [0, 1, 3, 9])
def test_only_the_best_trials_keep_their_weights(kept: int, tmp_path: Path) -> None:
    """The others say so; their figures and specs stay."""
    found = search(tmp_path, spec=kzoo.load_spec(SPEC, {"tune.keep_weights": kept}))
    ranked = sorted(found.trials, key=lambda trial: trial.score or 0.0, reverse=True)
    for place, trial in enumerate(ranked):
        assert trial.run is not None
        run = kzoo.Run(trial.run)
        assert run.metrics["val_accuracy"] == trial.score
        if place < kept:
            assert kzoo.load(run).count_params() > 0
        else:
            assert not list(run.path.glob("model.*"))
            with pytest.raises(RunError, match=r"kept the weights of the best.*kzoo run .*spec"):
                kzoo.load(run)


def test_every_builder_of_a_space_reaches_workers(tmp_path: Path) -> None:
    """Also one that only a trial chooses, which calls the other one."""
    space = '{"model.builder": {"type": "choice", "values": ["own", "other"]}}'
    assert run_script(tmp_path, space, 1) == ["completed", "completed"]


def run_script(folder: Path, space: str, workers: int) -> list[str]:
    """Run `SCRIPT` over a space in a process of its own; return the states of its trials."""
    (folder / "script.py").write_text(SCRIPT.replace("{SPACE}", space), "utf-8")
    said = subprocess.run(
        [sys.executable, "script.py", str(workers)],
        cwd=folder,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )
    assert said.returncode == 0, said.stderr
    return said.stdout.split()


@kzoo.register
def of_mixed_values(
    input_shape: tuple[int, ...], num_classes: int, *, size: bool | int | str = "some"
) -> Any:
    """Return a linear model, whatever its size is called.

    Args:
        input_shape: Shape of one example.
        num_classes: Number of classes.
        size: Means nothing.
    """
    import keras

    last = keras.layers.Dense(num_classes, activation="softmax", dtype="float32")
    return keras.Sequential([keras.Input(input_shape), keras.layers.Flatten(), last])


def test_a_choice_of_numbers_words_and_truths_ends_with_its_picture(tmp_path: Path) -> None:
    """Beside words numbers are categories too."""
    spec = {
        "name": "mixed",
        "model": {"builder": "of_mixed_values"},
        "dataset": {"name": "digits"},
        "fit": {"epochs": 1, "batch_size": 200, "execution": "graph"},
        "tune": {
            "algorithm": "grid",
            "space": {"model.size": {"type": "choice", "values": [2, "some", True]}},
        },
    }
    found = kzoo.tune(spec, out=tmp_path, workers=0, display="quiet")
    assert len(found.trials) == 3
    assert (found.path / "trials.png").is_file()


def test_each_session_with_a_limit_goes_on_by_an_epoch(tmp_path: Path) -> None:
    """What a limit waits for is saved: three sessions of a moment each end a trial of three."""
    changes = {"tune.max_trials": 1, "fit.batch_size": 1, "fit.epochs": 3}
    spec = kzoo.load_spec(SPEC, changes)
    found = kzoo.tune(spec, out=tmp_path, workers=0, time_limit=0.5, display="quiet")
    sessions = 1
    while not found.trials or found.trials[0].state == "running":
        assert sessions < 4
        found = kzoo.resume_search(found.path, workers=0, time_limit=0.5, display="quiet")
        sessions += 1
    assert found.trials[0].epochs == 3
