"""A trial whose parts are timed, for `search_length.py`: what workers import and call."""

from __future__ import annotations

import functools
import json
import os
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kzoo.runs.trial import Trial
from kzoo.tuning import worker

# The seconds of the parts of the trial that runs in this process; a part within another counts
# for itself alone.
_parts: defaultdict[str, float] = defaultdict(float)
_inner: list[float] = []


def _timed(part: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        began = time.perf_counter()
        _inner.append(0.0)
        try:
            return function(*arguments, **named)
        finally:
            seconds = time.perf_counter() - began
            _parts[part] += seconds - _inner.pop()
            if _inner:
                _inner[-1] += seconds

    return call


@functools.cache
def _install() -> None:
    """Put timers around the parts of every trial of this process."""
    from kzoo.engine.accelerated import Accelerated
    from kzoo.train import records, reuse, training

    places: list[tuple[str, Any, str]] = [
        ("load", worker, "_load_spec"),
        ("load", worker, "load_data"),
        ("build", reuse.Workbench, "prepare"),
        ("compile", Accelerated, "_prepare"),
        ("fit", training, "train"),
        ("save", records, "write_beginning"),
        ("save", records, "write_results"),
        ("save", records, "forget_checkpoint"),
    ]
    for part, owner, name in places:
        setattr(owner, name, _timed(part, getattr(owner, name)))


def timed_trial(job: worker.Job, file: Path) -> Trial:
    """Run a trial; write down when it began and ended, and its parts, as a line of JSON."""
    _install()
    _parts.clear()
    began, processor = time.time(), time.process_time()
    trial = worker.run_trial(job)
    line = {
        "worker": os.getpid(),
        "number": trial.number,
        "began": began,
        "ended": time.time(),
        "processor": time.process_time() - processor,
        "parts": dict(_parts),
    }
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(line) + "\n")
    return trial
