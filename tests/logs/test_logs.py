"""Runs and trials in the logs of other libraries, read back by these."""

from __future__ import annotations

import importlib.util
import os
import random
import shutil
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from packaging.version import Version
from support.callbacks import StopAt
from support.digest import digest
from support.kinds import Command
from support.logs import events, hyperparameters, wandb_run
from support.searches import SPEC as SEARCHED

import kzoo
from kzoo.engine.batches import live_by_batch
from kzoo.errors import RunError
from kzoo.logs import LIBRARIES, Subject, find_libraries, opening
from kzoo.logs.callback import Logs
from kzoo.logs.library import flatten
from kzoo.runs.history import EpochRecorder

SPEC: dict[str, Any] = {
    "name": "small",
    "model": {"builder": "mlp_dropout", "hidden_units": [16, 16]},
    "dataset": {"name": "digits", "validation_size": 200},
    "optimizer": {"name": "adam", "learning_rate": 0.01, "schedule": {"name": "cosine"}},
    "fit": {"epochs": 4, "batch_size": 128},
}
VARIABLES = (
    "WANDB_MODE", "WANDB_DIR", "WANDB_PROJECT", "WANDB_ERROR_REPORTING", "MLFLOW_TRACKING_URI",
    "MLFLOW_EXPERIMENT_NAME", "MLFLOW_ALLOW_FILE_STORE", "MLFLOW_DISABLE_TELEMETRY",
)  # fmt: skip


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of whoever runs the tests out of them, and theirs out of others."""
    for name in VARIABLES:
        # First set, so that what a log sets is undone too.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def need(name: str) -> None:
    """Skip a test where a library is not installed, or is too old."""
    library = LIBRARIES[name]
    try:
        installed = Version(version(library.distribution))
    except PackageNotFoundError:
        pytest.skip(f"{library.distribution} is not installed")
    if installed < Version(library.least):
        pytest.skip(f"{library.distribution} {installed} is older than {library.least}")


def train(out: Path, *log: str, **more: Any) -> kzoo.Run:
    """Train `SPEC` quietly."""
    return kzoo.run(SPEC, out=out, display="quiet", log=log, **more)


def break_off(out: Path, *log: str, epoch: int = 2) -> Path:
    """Train until an epoch begins; return the run's directory."""
    with pytest.raises(KeyboardInterrupt):
        train(out, *log, callbacks=[StopAt(epoch)])
    (path,) = out.iterdir()
    return path


def go_on(path: Path, *log: str) -> kzoo.Run:
    """Resume what was broken off."""
    return kzoo.resume(path, display="quiet", callbacks=[StopAt(-1)], log=log)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> kzoo.Run:
    """The run of `SPEC` that nothing logs."""
    return train(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def in_events(tmp_path_factory: pytest.TempPathFactory) -> kzoo.Run:
    """The run of `SPEC` that TensorBoard logs."""
    need("tensorboard")
    return train(tmp_path_factory.mktemp("events"), "tensorboard")


def points(run: kzoo.Run, name: str) -> Any:
    """Return a column of a run's history as a log has it: Keras counts epochs from 0."""
    return [(step, pytest.approx(value, rel=1e-6)) for step, value in enumerate(run.history[name])]


def hold_to_events(run: kzoo.Run) -> None:
    """Hold the event files of a run to its history and its figures."""
    folder = run.path / "logs" / "tensorboard"
    training, validation, final = (
        events(folder / "train"), events(folder / "validation"), events(folder),
    )  # fmt: skip
    for name in ("accuracy", "loss", "learning_rate"):
        assert training[f"epoch_{name}"] == points(run, name)
    for name in ("accuracy", "loss"):
        assert validation[f"epoch_{name}"] == points(run, f"val_{name}")
    for name in ("test_accuracy", "test_loss", "seconds.total"):
        value = run.metrics["seconds"]["total"] if name == "seconds.total" else run.metrics[name]
        ((step, logged),) = final[name]
        assert step == run.metrics["epochs"]
        assert logged == pytest.approx(value, rel=1e-6)
    assert hyperparameters(folder) == flatten(run.spec.to_dict())


def test_event_files_have_parameters_epochs_and_figures(in_events: kzoo.Run) -> None:
    """TensorBoard's own reader finds the spec, every epoch once, and the test's figures."""
    hold_to_events(in_events)
    assert hyperparameters(in_events.path / "logs" / "tensorboard")["fit.batch_size"] == 128


def test_no_log_changes_a_bit(plain: kzoo.Run, in_events: kzoo.Run) -> None:
    """Weights, history and predictions are those of the run without a log."""
    assert digest(in_events.path) == digest(plain.path)


def test_a_resumed_run_has_each_epoch_once_in_its_log(plain: kzoo.Run, tmp_path: Path) -> None:
    """It goes on to the same bits, and its log is that of an uninterrupted run."""
    need("tensorboard")
    resumed = go_on(break_off(tmp_path, "tensorboard"), "tensorboard")
    assert digest(resumed.path) == digest(plain.path)
    hold_to_events(resumed)


def test_a_log_that_is_asked_for_at_the_resume_has_the_earlier_epochs(tmp_path: Path) -> None:
    """The checkpoint has the rows of all epochs, learning rates included."""
    need("tensorboard")
    hold_to_events(go_on(break_off(tmp_path), "tensorboard"))


def test_a_resume_needs_no_log(plain: kzoo.Run, tmp_path: Path) -> None:
    """A log is no part of what a checkpoint remembers."""
    need("tensorboard")
    resumed = go_on(break_off(tmp_path, "tensorboard"))
    assert digest(resumed.path) == digest(plain.path)


def test_wandb_logs_offline_and_changes_no_bit(plain: kzoo.Run, tmp_path: Path) -> None:
    """The run's own folder has the configuration, the epochs and the figures, also resumed."""
    need("wandb")
    resumed = go_on(break_off(tmp_path, "wandb"), "wandb")
    assert digest(resumed.path) == digest(plain.path)
    (folder,) = (resumed.path / "logs" / "wandb").glob("offline-run-*")
    config, history, summary, run = wandb_run(folder)
    assert flatten(resumed.spec.to_dict()).items() <= config.items()
    assert (run.project, run.display_name, run.run_group) == ("kzoo", resumed.path.name, "")
    for name in ("loss", "val_accuracy", "learning_rate"):
        logged = [(row["epoch/epoch"], row[f"epoch/{name}"]) for row in history]
        assert logged == points(resumed, name)
    assert summary["test_accuracy"] == resumed.metrics["test_accuracy"]


def test_mlflow_logs_into_the_run_and_changes_no_bit(
    plain: kzoo.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow's own client finds parameters, epochs and figures, also after a resume."""
    need("mlflow")
    resumed = go_on(break_off(tmp_path, "mlflow"), "mlflow")
    assert digest(resumed.path) == digest(plain.path)
    assert "MLFLOW_ALLOW_FILE_STORE" not in os.environ
    import mlflow

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    client = mlflow.MlflowClient(tracking_uri=(resumed.path / "logs" / "mlflow").as_uri())
    experiment = client.get_experiment_by_name("kzoo")
    (logged,) = client.search_runs([experiment.experiment_id])
    assert logged.info.run_name == resumed.path.name
    assert logged.info.status == "FINISHED"
    parameters = {name: str(value) for name, value in flatten(resumed.spec.to_dict()).items()}
    assert parameters.items() <= logged.data.params.items()
    for name in ("loss", "val_accuracy", "learning_rate"):
        steps = [
            (point.step, point.value)
            for point in client.get_metric_history(logged.info.run_id, name)
        ]
        assert sorted(steps) == points(resumed, name)
    assert logged.data.metrics["test_accuracy"] == resumed.metrics["test_accuracy"]
    assert mlflow.active_run() is None


@pytest.mark.parametrize("workers", [1, 2])
def test_trials_are_runs_of_one_experiment(workers: int, tmp_path: Path) -> None:
    """Each has its values as parameters and its score as a figure, from worker processes too."""
    need("tensorboard")
    found = kzoo.tune(
        SEARCHED, out=tmp_path, workers=workers, max_trials=3, display="quiet", log="tensorboard"
    )
    folder = found.path / "logs" / "tensorboard"
    assert {path.name for path in folder.iterdir()} == {trial.number for trial in found.trials}
    for trial in found.trials:
        assert trial.run is not None
        parameters = hyperparameters(folder / trial.number)
        assert trial.values.items() <= parameters.items()
        assert parameters["fit.batch_size"] == 200
        final = events(folder / trial.number)
        ((step, score),) = final["score"]
        assert step == 3
        assert score == pytest.approx(trial.score, rel=1e-6)
        assert not [name for name in final if name.startswith("test_")]
        training = events(folder / trial.number / "train")
        assert training["epoch_loss"] == points(kzoo.Run(trial.run), "loss")


def test_trials_of_wandb_are_one_group(tmp_path: Path) -> None:
    """The group is the search, and the scores are in the summaries."""
    need("wandb")
    found = kzoo.tune(SEARCHED, out=tmp_path, max_trials=2, display="quiet", log=["wandb"])
    scores = {}
    for folder in (found.path / "logs" / "wandb").glob("offline-run-*"):
        config, _, summary, run = wandb_run(folder)
        assert run.run_group == found.path.name
        scores[run.display_name] = summary["score"]
        (trial,) = [trial for trial in found.trials if trial.number == run.display_name]
        assert trial.values.items() <= config.items()
    assert scores == {trial.number: trial.score for trial in found.trials}


@pytest.mark.parametrize("workers", [1, 2])
def test_trials_of_mlflow_are_one_experiment(
    workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Worker processes write into one store, under the search's name."""
    need("mlflow")
    found = kzoo.tune(
        SEARCHED, out=tmp_path, workers=workers, max_trials=3, display="quiet", log=["mlflow"]
    )
    import mlflow

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    client = mlflow.MlflowClient(tracking_uri=(found.path / "logs" / "mlflow").as_uri())
    experiment = client.get_experiment_by_name(found.path.name)
    runs = client.search_runs([experiment.experiment_id])
    scores = {run.info.run_name: run.data.metrics["score"] for run in runs}
    assert scores == {trial.number: trial.score for trial in found.trials}
    units = {run.info.run_name: run.data.params["model.hidden_units.each"] for run in runs}
    assert units == {
        trial.number: str(trial.values["model.hidden_units.*"]) for trial in found.trials
    }


class Broken:
    """A log that fails at an epoch, and draws from the global random generators before."""

    epochs = 0

    def __init__(self, epoch: int) -> None:
        def fail(epoch_now: int, logs: dict[str, Any]) -> None:
            random.random()  # noqa: S311  # no secret
            np.random.rand()
            if epoch_now == epoch:
                raise OSError("no space left on device")

        self.callbacks = [keras.callbacks.LambdaCallback(on_epoch_end=fail)]
        self.closed: list[bool] = []

    def finish(self, figures: dict[str, float], epochs: int) -> None:
        """Never reached."""
        raise AssertionError

    def close(self, *, is_finished: bool) -> None:
        """Remember it."""
        self.closed.append(is_finished)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Broken:
    """A log that fails in the second epoch, in the place of TensorBoard's."""
    need("tensorboard")
    log = Broken(1)
    monkeypatch.setattr(type(LIBRARIES["tensorboard"]), "open", lambda *_: log)
    return log


def test_a_log_that_fails_is_said_and_the_run_goes_on(
    broken: Broken, plain: kzoo.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, no other bits, and the log is closed as one that is not finished."""
    run = train(tmp_path, "tensorboard")
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        "NOTICE: the tensorboard log ends here, the training goes on: OSError: no space left on "
        "device"
    )
    assert digest(run.path) == digest(plain.path)
    assert broken.closed == [False]


def test_a_trial_whose_log_fails_has_its_score(
    broken: Broken, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The search says which trial's log ended."""
    found = kzoo.tune(
        SEARCHED, out=tmp_path, max_trials=1, workers=0, display="plain", log="tensorboard"
    )
    assert found.trials[0].state == "completed"
    said = capsys.readouterr().err
    assert "NOTICE: trial 0000: the tensorboard log ends here" in said


def test_a_log_that_cannot_begin_is_said_and_the_run_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder of wandb's that cannot be made costs the log alone."""
    need("wandb")
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("WANDB_DIR", str(file / "below"))
    run = train(tmp_path / "runs", "wandb")
    assert run.metrics["epochs"] == 4
    assert "NOTICE: the wandb log ends here" in capsys.readouterr().err


def test_batches_are_not_told(tmp_path: Path) -> None:
    """So that training keeps its blocks of steps."""
    subject = Subject("name", "kzoo", tmp_path, {})
    logs = Logs(["tensorboard"], subject, EpochRecorder())
    assert not live_by_batch([logs], "train")
    assert not live_by_batch([logs], "test")


def test_the_persons_own_settings_say_where(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """WANDB_MODE, WANDB_DIR and MLFLOW_TRACKING_URI are what a person asks for."""
    monkeypatch.chdir(tmp_path)
    path = Path("runs", "one")
    assert opening(["tensorboard", "wandb", "mlflow"], path) == {
        "tensorboard log": "tensorboard --logdir runs/one/logs/tensorboard",
        "wandb log": "wandb sync runs/one/logs/wandb/offline-run-*",
        "mlflow log": "MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri "
        "runs/one/logs/mlflow",
    }
    monkeypatch.setenv("WANDB_DIR", str(tmp_path / "my logs"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mine.db")
    assert opening(["wandb", "mlflow"], path) == {
        "wandb log": "wandb sync 'my logs/wandb'/offline-run-*",
        "mlflow log": "mlflow ui --backend-store-uri sqlite:///mine.db",
    }
    monkeypatch.setenv("WANDB_MODE", "online")
    assert opening(["wandb"], path) == {"wandb log": "online, as WANDB_MODE says"}


def test_wandbs_own_folder_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With WANDB_DIR nothing of wandb lies in the run."""
    need("wandb")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path / "mine"))
    run = train(tmp_path / "runs", "wandb")
    assert list((tmp_path / "mine" / "wandb").glob("offline-run-*"))
    assert not (run.path / "logs").exists()


def test_a_run_that_is_open_in_the_library_is_left_alone(tmp_path: Path) -> None:
    """Kzoo neither ends it nor writes into it."""
    need("wandb")
    import wandb

    own = wandb.init(mode="offline", dir=str(tmp_path), settings=wandb.Settings(silent=True))
    try:
        with pytest.raises(RunError, match="log wandb: this process has a run of its own open"):
            train(tmp_path / "runs", "wandb")
        assert wandb.run is own
    finally:
        own.finish()
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("command", ["run", "tune"])
def test_an_unknown_log_is_refused_before_anything_is_spent(
    refuses: Callable[..., None], command: str
) -> None:
    """With the nearest name."""
    expected = (
        "log: received 'tensorbord'; expected one of tensorboard, wandb, mlflow. Did you mean "
        "'tensorboard'?"
    )
    refuses({}, [command, "deep_mlp", "--log", "tensorbord"], expected)


def test_a_missing_library_is_refused_with_its_install_command(
    refuses: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each extra has the name of its library."""
    monkeypatch.setattr(
        "kzoo.logs.table.find_spec",
        lambda name: None if name in ("wandb", "mlflow") else importlib.util.find_spec(name),
    )
    for name, distribution in (("wandb", "wandb"), ("mlflow", "mlflow-skinny")):
        expected = (
            f"log {name}: needs {distribution}, which is not installed; install it with: pip "
            f'install "kzoo[log-{name}]"'
        )
        refuses({}, ["run", "deep_mlp", "--log", name], expected)


def test_a_library_that_is_too_old_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """With both versions."""
    need("tensorboard")
    monkeypatch.setattr("kzoo.logs.table.version", lambda name: "1.15.0")
    with pytest.raises(RunError, match=r"received tensorboard 1\.15\.0; expected 2\.\d+ or later"):
        find_libraries("tensorboard")


def test_the_extras_are_what_the_table_needs() -> None:
    """Each library has an extra that brings the version it needs."""
    import tomllib

    file = Path(__file__).parents[2] / "pyproject.toml"
    extras = tomllib.loads(file.read_text("utf-8"))["project"]["optional-dependencies"]
    for library in LIBRARIES.values():
        assert extras[f"log-{library.name}"] == [f"{library.distribution}>={library.least}"]


def test_the_commands_say_how_logs_are_opened_and_gone_on_with(
    kzoo_here: Command, tmp_path: Path
) -> None:
    """In the header, at the end, and in the command that resumes."""
    need("tensorboard")
    finished = kzoo_here(
        "run", "softmax_regression", "dataset.name=digits", "fit.epochs=2", "--log",
        "tensorboard", "--plain",
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    (path,) = (tmp_path / "runs").iterdir()
    line = f"tensorboard log: tensorboard --logdir runs/{path.name}/logs/tensorboard"
    assert [said.strip() for said in finished.stderr.splitlines()].count(line) == 2
    shutil.rmtree(path / "logs")
    again = kzoo_here("run", "--resume", path, "--log", "tensorboard")
    assert "is finished already. --log is not used." in again.stderr
    assert not (path / "logs").exists()


def test_names_are_taken_once_and_alone(tmp_path: Path) -> None:
    """A single name need not be a list."""
    need("tensorboard")
    assert find_libraries("tensorboard") == find_libraries(["tensorboard", "tensorboard"])
    assert find_libraries(()) == ()


def test_nothing_of_the_environment_is_left_behind_by_looking() -> None:
    """Finding a library imports and sets nothing."""
    need("wandb")
    before = dict(os.environ)
    find_libraries("wandb")
    assert dict(os.environ) == before
