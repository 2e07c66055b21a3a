"""Weights & Biases: a folder that is sent when its owner says so."""

from __future__ import annotations

import hashlib
import importlib
import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from kzoo.logs.library import Subject, typed

# What names a project, or a group of runs, has none of these.
_REFUSED = re.compile(r"[/\\#?%:]")


class WeightsAndBiases:
    """Logs by wandb's Keras callback; sends nothing, unless WANDB_MODE says so."""

    name: ClassVar[str] = "wandb"
    package: ClassVar[str] = "wandb"
    distribution: ClassVar[str] = "wandb"
    least: ClassVar[str] = "0.22"

    def is_in_use(self) -> bool:
        """Whether there is a run that `wandb.init` began."""
        wandb = sys.modules.get(self.package)
        return getattr(wandb, "run", None) is not None

    def open(self, subject: Subject) -> _WandbRun:
        """Begin a run of the subject's own identity; go on with it where that was sent."""
        return _WandbRun(subject, _place(subject.folder), _mode())

    def opening(self, folder: Path) -> str:
        """Return the command that sends what was logged, or say that it is sent."""
        if _mode() != "offline":
            return f"{_mode()}, as WANDB_MODE says"
        return f"wandb sync {typed(_place(folder) / 'wandb')}/offline-run-*"


def _mode() -> str:
    return os.environ.get("WANDB_MODE") or "offline"


def _place(folder: Path) -> Path:
    """Return the folder that gets a folder ``wandb``."""
    return Path(os.environ.get("WANDB_DIR") or folder).absolute()


class _WandbRun:
    def __init__(self, subject: Subject, place: Path, mode: str) -> None:
        # Else its reports of errors in it are sent, offline too.
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        identity = f"{subject.experiment}/{subject.name}"
        number = hashlib.sha256(identity.encode()).hexdigest()[:16]
        place.mkdir(parents=True, exist_ok=True)
        # A log that was never sent is begun anew: what it had of earlier epochs is told again.
        for earlier in (place / "wandb").glob(f"offline-run-*-{number}"):
            shutil.rmtree(earlier, ignore_errors=True)
        # By its name: its types are known only where it is installed.
        wandb: Any = importlib.import_module("wandb")
        self._run: Any = wandb.init(
            id=number,
            name=subject.name,
            project=os.environ.get("WANDB_PROJECT") or "kzoo",
            group=_REFUSED.sub("_", subject.experiment)[:128] if subject.is_trial else None,
            config=dict(subject.parameters),
            dir=str(place),
            mode=mode,
            resume="allow" if mode in ("online", "shared") else None,
            settings=wandb.Settings(
                silent=True,
                # What is printed belongs to the display.
                console="off",
                disable_git=True,
                disable_code=True,
                x_disable_stats=True,
                x_disable_machine_info=True,
            ),
        )
        # Each epoch is a step.
        self.epochs = int(self._run.step) if self._run.resumed else 0
        try:
            from wandb.integration.keras import WandbMetricsLogger

            self.callbacks = [WandbMetricsLogger()]
        except BaseException:
            self.close(is_finished=False)
            raise

    def finish(self, figures: Mapping[str, float], epochs: int) -> None:
        """Put the figures into the run's summary."""
        self._run.summary.update(dict(figures))

    def close(self, *, is_finished: bool) -> None:
        """End the run."""
        self._run.finish(exit_code=0 if is_finished else 1)
