"""Callbacks of one's own in the trials of a search."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import cloudpickle
import keras
import pytest
from support.searches import SPEC, facts

import kzoo
from kzoo.errors import Interrupted, SpecError
from kzoo.tuning import worker
from kzoo.tuning.clock import TrialClock


class Noted(keras.callbacks.Callback):
    """Writes a line an epoch, with how many epochs this very callback has seen."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file
        self.seen = 0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write it."""
        self.seen += 1
        with self.file.open("a", encoding="utf-8") as lines:
            lines.write(f"{self.seen} of {epoch + 1}: {(logs or {})['val_accuracy']}\n")


class Remembered(Noted):
    """One whose memory a checkpoint keeps."""

    def get_state(self) -> dict[str, Any]:
        """Return how many it has seen."""
        return {"seen": self.seen}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.seen = state["seen"]


def search(out: Path, **more: Any) -> kzoo.tuning.search.Search:
    """Search for two trials."""
    overrides = {"tune.max_trials": 2, **more.pop("overrides", {})}
    settings = {"workers": 0, "display": "quiet", **more}
    return kzoo.tune(SPEC, overrides=overrides, out=out, **settings)


@pytest.mark.parametrize("workers", [0, 1])
def test_each_trial_has_callbacks_of_its_own(workers: int, tmp_path: Path) -> None:
    """They see its epochs alone, in a worker's process too, and change no bit."""

    class Local(Noted):
        """A class that no other process can import."""

    given = Local(tmp_path / "lines")
    # As a script's own: pytest's name for this file is none that a worker can import.
    module = sys.modules[__name__]
    cloudpickle.register_pickle_by_value(module)
    try:
        found = search(tmp_path / "runs", workers=workers, callbacks=[given])
    finally:
        cloudpickle.unregister_pickle_by_value(module)
    expected = [
        f"{epoch} of {epoch}: {score}"
        for trial in found.trials
        for epoch, score in enumerate(kzoo.Run(trial.run or Path()).history["val_accuracy"], 1)
    ]
    assert (tmp_path / "lines").read_text("utf-8").splitlines() == expected
    assert given.seen == 0
    if workers == 0:
        assert facts(search(tmp_path / "plain")) == facts(found)


@pytest.mark.parametrize(
    ("kind", "seen"),
    [(Remembered, ["1", "2", "2", "3"]), (Noted, ["1", "2", "1", "2", "3"])],
    ids=["remembers", "forgets"],
)
def test_a_trial_that_was_broken_off_ends_as_it_would_have(
    kind: type[Noted], seen: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on where its callbacks remember, and begins anew where they do not."""
    settings = {"overrides": {"tune.max_trials": 1}}
    whole = search(tmp_path / "whole", callbacks=[kind(tmp_path / "whole lines")], **settings)
    on_epoch_end = TrialClock.on_epoch_end

    def interrupt(clock: TrialClock, epoch: int, logs: dict[str, Any] | None = None) -> None:
        on_epoch_end(clock, epoch, logs)
        if epoch == 1:
            raise Interrupted(2, Path("run"))

    lines = tmp_path / "lines"
    with monkeypatch.context() as patch:
        patch.setattr(TrialClock, "on_epoch_end", interrupt)
        with pytest.raises(Interrupted) as end:
            search(tmp_path / "broken", callbacks=[kind(lines)], **settings)
    path = end.value.path
    found = kzoo.resume_search(path, workers=0, display="quiet", callbacks=[kind(lines)])
    assert facts(found) == facts(whole)
    assert [line.split()[0] for line in lines.read_text("utf-8").splitlines()] == seen


def test_callbacks_that_forget_are_refused_where_trials_go_on_with_others(tmp_path: Path) -> None:
    """Hyperband's promoted trials begin with the epochs of an earlier one."""
    changes = {"tune.algorithm": "hyperband", "fit.epochs": 4}
    with pytest.raises(SpecError, match="callbacks: Noted may remember earlier epochs"):
        search(tmp_path, callbacks=[Noted(tmp_path / "lines")], overrides=changes)
    assert list(tmp_path.iterdir()) == []
    changes |= {"tune.max_trials": 100, "tune.space": {"optimizer.learning_rate": {
        "type": "float", "min": 1e-3, "max": 1e-1, "sampling": "log"}}}  # fmt: skip
    found = search(tmp_path, callbacks=[Remembered(tmp_path / "lines")], overrides=changes)
    assert any(trial.epochs == 4 for trial in found.trials)
    lines = (tmp_path / "lines").read_text("utf-8").splitlines()
    assert {line.split(":")[0] for line in lines} == {f"{n} of {n}" for n in range(1, 5)}


def test_what_cannot_be_copied_is_refused(tmp_path: Path) -> None:
    """Before anything is made."""
    callback = Noted(tmp_path / "lines")
    callback.lock = threading.Lock()
    with pytest.raises(SpecError, match="callbacks: Noted cannot be copied for each trial: "):
        search(tmp_path, callbacks=[callback])
    with pytest.raises(SpecError, match="callbacks: received str; expected Keras callbacks"):
        search(tmp_path, callbacks=["no"])
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_lacks_the_callbacks_is_told_of_before_the_first_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search can be resumed once that is mended."""
    monkeypatch.setattr("kzoo.tuning.session.carry_callbacks", lambda _: b"damaged")
    monkeypatch.setattr(worker, "_train", None)
    with pytest.raises(kzoo.errors.BrokenOffError, match="cannot have the callbacks"):
        search(tmp_path, callbacks=[Noted(tmp_path / "lines")])
