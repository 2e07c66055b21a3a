"""A run that was stopped at any moment goes on to the bits of one that never was."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from support.callbacks import StopAt
from support.digest import digest
from support.kinds import Command

import kzoo
from kzoo.errors import Interrupted, RunError
from kzoo.runs import Run, directory, holding

SPEC: dict[str, Any] = {
    "name": "small",
    "model": {"builder": "mlp_dropout", "hidden_units": [16, 16]},
    "dataset": {"name": "digits", "validation_size": 200},
    "optimizer": {"name": "adam", "learning_rate": 0.01, "schedule": {"name": "cosine"}},
    "fit": {
        "epochs": 6,
        "batch_size": 64,
        "early_stopping": {"patience": 4},
        "restore_best_weights": True,
    },
}
CNN: dict[str, Any] = {
    **SPEC,
    "model": {"builder": "small_cnn"},
    "dataset": {**SPEC["dataset"], "augment": {"shift": 0.1}},
    "fit": {"epochs": 3},
}
LONG = 200  # epochs
HALF: dict[str, Any] = {**CNN, "model": {"builder": "small_cnn", "dtype_policy": "mixed_bfloat16"}}


def interrupt(spec: dict[str, Any], out: Path, epoch: int, **settings: Any) -> Path:
    """Train until an epoch begins, and return the run's directory."""
    with pytest.raises(KeyboardInterrupt):
        kzoo.run(spec, out=out, display="quiet", callbacks=[StopAt(epoch)], **settings)
    (path,) = out.iterdir()
    return path


def go_on(path: Path) -> Run:
    """Resume with the callback that the run began with."""
    return kzoo.resume(path, display="quiet", callbacks=[StopAt(-1)])


@pytest.mark.parametrize(
    ("spec", "execution"),
    [
        (SPEC, "compiled"),
        (SPEC, "plain"),
        (HALF, "graph"),
        pytest.param(CNN, "graph", marks=pytest.mark.slow),
        pytest.param(SPEC, "graph", marks=pytest.mark.slow),
        pytest.param(CNN, "plain", marks=pytest.mark.slow),
    ],
    ids=["mlp-compiled", "mlp-plain", "half-graph", "cnn-graph", "mlp-graph", "cnn-plain"],
)
def test_a_resumed_run_has_the_same_bits(
    spec: dict[str, Any], execution: str, tmp_path: Path
) -> None:
    """Dropout, augmentation, early stopping and the best weights go on in each execution."""
    if execution == "graph" and keras.config.backend() != "tensorflow":
        pytest.skip("graphs are TensorFlow's")
    spec = {**spec, "fit": {**spec["fit"], "execution": execution}}
    whole = kzoo.run(spec, out=tmp_path / "whole", display="quiet", callbacks=[StopAt(-1)])
    path = interrupt(spec, tmp_path / "broken", 2)
    assert not (path / directory.METRICS).exists()
    resumed = go_on(path)
    assert digest(resumed.path) == digest(whole.path)
    assert not (path / directory.CHECKPOINT).exists()


def test_resumed_twice_and_after_the_last_epoch(tmp_path: Path) -> None:
    """Any number of breaks, one of them between the last epoch and the figures, changes nothing."""
    whole = kzoo.run(SPEC, out=tmp_path / "whole", display="quiet", callbacks=[StopAt(-1)])
    path = interrupt(SPEC, tmp_path / "broken", 1)
    for epoch in (3, 5):
        with pytest.raises(KeyboardInterrupt):
            kzoo.resume(path, display="quiet", callbacks=[StopAt(epoch)])
    checkpoint = (path / directory.CHECKPOINT).read_bytes()
    go_on(path)
    (path / directory.METRICS).unlink()
    assert digest(path) == digest(whole.path)
    (path / directory.CHECKPOINT).write_bytes(checkpoint)
    assert digest(go_on(path).path) == digest(whole.path)


def test_early_stopping_that_had_stopped_stays_stopped(tmp_path: Path) -> None:
    """A training that ended early, and was broken off before its figures, trains no more."""
    fit = {**SPEC["fit"], "epochs": 30, "early_stopping": {"patience": 1, "min_delta": 0.5}}
    spec = {**SPEC, "fit": fit}
    whole = kzoo.run(spec, out=tmp_path / "whole", display="quiet")
    assert whole.metrics["epochs"] < 30

    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kzoo.train.runner.write_results", fail)
        with pytest.raises(KeyboardInterrupt):
            kzoo.run(spec, out=tmp_path / "broken", display="quiet")
    (path,) = (tmp_path / "broken").iterdir()
    assert digest(kzoo.resume(path, display="quiet").path) == digest(whole.path)


def test_a_run_without_a_checkpoint_begins_again_in_its_directory(tmp_path: Path) -> None:
    """Killed in its first epoch, a run has a spec and is resumed from nothing."""
    whole = kzoo.run(SPEC, out=tmp_path / "whole", display="quiet", callbacks=[StopAt(-1)])
    path = interrupt(SPEC, tmp_path / "broken", 0)
    assert digest(go_on(path).path) == digest(whole.path)


def test_a_finished_run_is_given_back(tmp_path: Path) -> None:
    """Resuming what is finished trains nothing."""
    run = kzoo.run(SPEC, out=tmp_path, display="quiet")
    before = digest(run.path)
    assert kzoo.resume(run).metrics == run.metrics
    assert digest(run.path) == before


def test_a_changed_spec_is_refused_with_the_difference(tmp_path: Path) -> None:
    """A spec that was edited between says where it differs."""
    path = interrupt(SPEC, tmp_path, 2)
    spec = json.loads((path / directory.SPEC).read_text("utf-8"))
    spec["optimizer"]["learning_rate"] = 0.02
    (path / directory.SPEC).write_text(json.dumps(spec), "utf-8")
    said = r"optimizer\.learning_rate: received 0\.02; the run began with 0\.01"
    with pytest.raises(RunError, match=said):
        go_on(path)


def test_changed_data_are_refused_with_the_difference(tmp_path: Path) -> None:
    """Other contents, and other rows, are told apart."""
    x = np.random.default_rng(0).normal(size=(90, 4)).astype(np.float32)
    y = np.arange(90) % 3
    spec = {**SPEC, "fit": {"epochs": 4}}
    path = interrupt(spec, tmp_path, 2, data=(x, y))
    with pytest.raises(RunError, match="other contents"):
        kzoo.resume(path, (x + 1e-3, y), display="quiet", callbacks=[StopAt(-1)])
    with pytest.raises(RunError, match=r"dataset: rows: received"):
        kzoo.resume(path, (x[:60], y[:60]), display="quiet", callbacks=[StopAt(-1)])
    kzoo.resume(path, (x, y), display="quiet", callbacks=[StopAt(-1)])


def test_a_callback_with_a_memory_of_its_own_is_refused_by_name(tmp_path: Path) -> None:
    """Keras's ReduceLROnPlateau counts epochs, and no checkpoint has its count."""
    counting = keras.callbacks.ReduceLROnPlateau()
    with pytest.raises(KeyboardInterrupt):
        kzoo.run(SPEC, out=tmp_path, display="quiet", callbacks=[counting, StopAt(2)])
    (path,) = tmp_path.iterdir()
    with pytest.raises(RunError, match="callback ReduceLROnPlateau may remember"):
        kzoo.resume(path, display="quiet", callbacks=[counting, StopAt(-1)])


def test_a_callback_that_is_missing_is_named(tmp_path: Path) -> None:
    """A run that began with a callback that remembers is not resumed without it."""
    path = interrupt(SPEC, tmp_path, 2)
    with pytest.raises(RunError, match="began with the callback StopAt"):
        kzoo.resume(path, display="quiet")


@pytest.mark.parametrize("damage", ["cut", "empty", "swapped", "nan", "silent"])
def test_a_damaged_checkpoint_is_refused(damage: str, tmp_path: Path) -> None:
    """What does not fit the model is one line, before a weight is touched."""
    from safetensors.numpy import load, save

    path = interrupt(SPEC, tmp_path, 2)
    file = path / directory.CHECKPOINT
    content = file.read_bytes()
    if damage in ("cut", "empty"):
        file.write_bytes(content[: len(content) // 2] if damage == "cut" else b"")
    else:
        arrays = load(content)
        length = int.from_bytes(content[:8], "little")
        facts = json.loads(content[8 : 8 + length])["__metadata__"]
        if damage == "silent":
            facts["facts"] = '{"epoch": 2}'
        elif damage == "swapped":
            arrays["weights/0"] = arrays["weights/0"].T.copy()
        else:
            arrays["weights/0"][0] = np.nan
        file.write_bytes(save(arrays, facts))
    with pytest.raises(RunError, match="checkpoint"):
        go_on(path)


def test_a_directory_that_another_holds_is_refused_by_name(tmp_path: Path) -> None:
    """Two processes never write one run; the holder is named."""
    path = interrupt(SPEC, tmp_path, 1)
    held = f"""
import sys, time
from pathlib import Path
from kzoo.runs import holding
with holding(Path({str(path)!r})):
    print("held", flush=True)
    sys.stdin.read()
"""
    holder = subprocess.Popen(
        [sys.executable, "-c", held], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    try:
        with pytest.raises(RunError, match=f"is held by process {holder.pid} on "):
            go_on(path)
    finally:
        holder.kill()
        holder.communicate()
    with holding(path):
        pass


@pytest.fixture(scope="module")
def long_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of some seconds that nothing interrupted."""
    changes = {"fit.epochs": LONG}
    return kzoo.run(SPEC, out=tmp_path_factory.mktemp("long"), display="quiet", overrides=changes)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_with_the_command_that_resumes(
    number: int, long_run: Run, kzoo_here: Command, tmp_path: Path
) -> None:
    """The step is finished, the checkpoint kept, the exit status that of the signal; no traceback.

    Resumed in another process, it has the bits of a run that nothing interrupted.
    """
    changes = [f"fit.epochs={LONG}", "--plain", "--out", "runs"]
    (tmp_path / "spec.json").write_text(json.dumps(SPEC), "utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "kzoo", "run", "spec.json", *changes],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background jobs ignore an interrupt, and their children with them.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(f"runs/*/{directory.CHECKPOINT}")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    (path,) = (tmp_path / "runs").iterdir()
    assert process.returncode == 128 + number
    assert "Traceback" not in said
    assert said.splitlines()[-1] == f"Interrupted. Go on with: kzoo run --resume runs/{path.name}"
    resumed = kzoo_here("run", "--resume", "latest", "--quiet", "--json")
    assert resumed.returncode == 0
    assert json.loads(resumed.stdout)["epochs"] == long_run.metrics["epochs"]
    assert digest(path) == digest(long_run.path)


def test_a_finished_run_says_so_on_the_command_line(kzoo_here: Command, copied_run: Path) -> None:
    """Resuming it prints its figures, and that it is finished."""
    said = kzoo_here("run", "--resume", copied_run.name)
    assert said.returncode == 0
    assert "is finished already" in said.stderr
    assert "test accuracy" in said.stdout


def test_resume_takes_no_spec(kzoo_here: Command) -> None:
    """The command line refuses what cannot be both."""
    said = kzoo_here("run", "deep_mlp", "--resume", "latest")
    assert said.returncode == 2
    assert "--resume" in said.stderr
    assert kzoo_here("run").returncode == 2


def test_interrupted_is_a_keyboard_interrupt() -> None:
    """Whoever catches Ctrl-C in Python catches this."""
    with pytest.raises(KeyboardInterrupt, match="runs/mine can be gone on with"):
        raise Interrupted(signal.SIGINT, Path("runs/mine"))


def test_a_full_disk_leaves_the_earlier_checkpoint_whole(tmp_path: Path) -> None:
    """Where a checkpoint cannot be written, one line says so, and the one before can be used."""
    whole = kzoo.run(SPEC, out=tmp_path / "whole", display="quiet", callbacks=[StopAt(-1)])
    path = interrupt(SPEC, tmp_path / "broken", 2)
    before = (path / directory.CHECKPOINT).read_bytes()
    script = f"""
import resource, signal, kzoo
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) // 2}, {len(before) // 2}))
from kzoo.errors import RunError
import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from support.callbacks import StopAt
try:
    kzoo.resume({str(path)!r}, display="quiet", callbacks=[StopAt(-1)])
except RunError as error:
    print(error)
"""
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    assert "checkpoint.safetensors: cannot be written: File too large" in said
    assert (path / directory.CHECKPOINT).read_bytes() == before
    assert not list(path.glob(".writing-*"))
    assert digest(go_on(path).path) == digest(whole.path)
