"""What a run ran on: versions, device, command and the facts of its dataset."""

from __future__ import annotations

import platform
import sys
import time
from importlib.metadata import version
from typing import Any

from kzoo.datasets import Dataset
from kzoo.machine import describe_device
from kzoo.runs.facts import DatasetFacts


def describe_environment(dataset: Dataset) -> dict[str, Any]:
    """Return the contents of ``environment.json``."""
    import keras

    backend = keras.config.backend()
    return {
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "command": sys.argv,
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in dict.fromkeys(["kzoo", "keras", backend, "numpy"])},
        },
        "backend": backend,
        "device": describe_device(),
        "platform": platform.platform(),
        "dataset": DatasetFacts.of(dataset).model_dump(mode="json"),
        "notices": list(dataset.notices),
        "remarks": list(dataset.remarks),
    }
