"""What a run came to, as one number: two runs that have the same one have the same bits."""

from __future__ import annotations

import csv
import hashlib
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from kzoo.runs import directory


def digest(run: Path) -> str:
    """Return the sha256 of a run's weights, history and predictions, times left out."""
    found = hashlib.sha256()
    for name, values in sorted(load_file(run / directory.WEIGHTS).items()):
        found.update(name.encode())
        found.update(values.tobytes())
    with (run / directory.HISTORY).open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            row.pop("seconds")
            found.update(repr(sorted(row.items())).encode())
    if (run / directory.PREDICTIONS).exists():
        with np.load(run / directory.PREDICTIONS) as archive:
            for name in sorted(archive):
                found.update(archive[name].tobytes())
    return found.hexdigest()


if __name__ == "__main__":
    print(digest(Path(sys.argv[1])))
