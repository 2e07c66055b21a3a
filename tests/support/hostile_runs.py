"""Runs that are made to harm who loads them: each case changes a good run of softmax regression."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from support.hostile_data import GIBIBYTE, link, npy, npz_bomb, pipe, sparse

Change = Callable[[Path], object]
DatasetChange = Callable[[Any, str], object]


def weights(change: Callable[[Any, str], object]) -> Callable[[Path], None]:
    """Return a change of a dataset in a run's weights."""

    def apply(run: Path) -> None:
        import h5py

        with h5py.File(run / "model.weights.h5", "a") as file:
            name = "layers/functional/layers/dense/vars/0"
            del file[name]
            change(file, name)

    return apply


def virtual(file: Any, name: str) -> None:
    """Make a dataset up of another file's."""
    import h5py

    layout = h5py.VirtualLayout((64, 10), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (64, 10))
    file.create_virtual_dataset(name, layout)


def external(file: Any, name: str) -> None:
    """Keep a dataset's values in another file."""
    file.create_dataset(name, (64, 10), "f4", external=[("/etc/passwd", 0, 2560)])


def set_link(kind: str, *target: str) -> Callable[[Any, str], None]:
    """Return a change that puts an HDF5 link in a dataset's place."""

    def apply(file: Any, name: str) -> None:
        import h5py

        file[name] = getattr(h5py, kind)(*target)

    return apply


def edit(name: str, section: str, **values: object) -> Callable[[Path], None]:
    """Return a change of a section in one of a run's JSON files."""

    def apply(run: Path) -> None:
        tree = json.loads((run / name).read_text("utf-8"))
        tree[section].update(values)
        (run / name).write_text(json.dumps(tree), "utf-8")

    return apply


def put(name: str, content: Callable[[], bytes]) -> Change:
    """Return a change that puts this content, made when it is wanted, for one of a run's files."""
    return lambda run: (run / name).write_bytes(content())


def relink(path: Path, target: str) -> Path:
    """Put a symbolic link in a file's place."""
    path.unlink()
    return link(path, target)


# What to call a case, how to read the run, and what is changed.
RUNS: dict[str, tuple[str, Change]] = {
    "weights declare 40 GB": (
        "run",
        weights(lambda f, n: f.create_dataset(n, (10**9, 10), "f4", chunks=(1000, 10))),
    ),
    "weights are compressed": (
        "run",
        weights(lambda f, n: f.create_dataset(n, (64, 10), "f4", compression="gzip")),
    ),
    "weights are not there": (
        "run",
        weights(lambda f, n: f.create_dataset(n, (64, 10), "f4")),
    ),
    "weights link to a file": ("run", weights(set_link("ExternalLink", "x.h5", "/x"))),
    "weights link to themselves": ("run", weights(set_link("SoftLink", "/"))),
    "weights are virtual": ("run", weights(virtual)),
    "weights lie elsewhere": ("run", weights(external)),
    "weights are infinite": (
        "run",
        weights(lambda f, n: f.create_dataset(n, data=np.full((64, 10), np.inf, "f4"))),
    ),
    "weights of 2 GB": (
        "run",
        lambda run: os.truncate(run / "model.weights.h5", 2 * GIBIBYTE),
    ),
    "weights are noise": (
        "run",
        put("model.weights.h5", lambda: b"\x89HDF\r\n\x1a\n" + bytes(range(256)) * 99),
    ),
    "weights are a pipe": ("run", lambda run: pipe(run / "model.weights.h5")),
    "weights of another run": ("run", edit("metrics.json", "seconds", total=0)),
    "model of 290 billion weights": (
        "run",
        edit("spec.json", "model", builder="deep_mlp", hidden_units=[65536] * 64),
    ),
    "inputs of 10**12 values": (
        "run",
        edit("environment.json", "dataset", input_shape=[10**6, 10**6]),
    ),
    "figures of 16 MB": ("run", put("metrics.json", lambda: b"[" + b"{}," * 5_500_000 + b"{}]")),
    "figures without end": (
        "run",
        lambda run: relink(run / "metrics.json", "/dev/zero"),
    ),
    "facts of 16 MB": ("run", put("environment.json", lambda: b"[" + b"{}," * 5_500_000 + b"{}]")),
    "facts of 2 GB": ("run", lambda run: sparse(run / "environment.json")),
    "facts of a million levels": ("run", put("environment.json", lambda: b"[" * 10**6)),
    "spec of 2 GB": ("run", lambda run: sparse(run / "spec.json")),
    "spec is a pipe": ("run", lambda run: pipe(run / "spec.json")),
    "history of 2 GB": ("history", lambda run: sparse(run / "history.csv")),
    "history of 8 million rows": (
        "history",
        put("history.csv", lambda: b"a\n" + b"1\n" * 8_300_000),
    ),
    "history of 2 million columns": (
        "history",
        put("history.csv", lambda: b",".join(b"%x" % i for i in range(2_000_000)) + b"\nx"),
    ),
    "history of a long cell": ("history", put("history.csv", lambda: b"a\n" + b"1" * 10**6)),
    "predictions bomb": (
        "predictions",
        lambda run: npz_bomb(
            run / "predictions.npz", "probabilities.npy", npy("|u1", "(2048, 1048576)")
        ),
    ),
    "predictions are noise": ("predictions", put("predictions.npz", lambda: b"PK\x03\x04" * 999)),
}
