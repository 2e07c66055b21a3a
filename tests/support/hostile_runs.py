"""Runs that are made to harm who loads them: each case changes a good run of softmax regression."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from support.hostile_data import GIBIBYTE, link, npy, npz_bomb, pipe, sparse
from support.model_files import (
    Change,
    layer,
    setting,
    sparse_weight,
    with_arrays,
    with_bytes,
    with_header,
    with_tensors,
    with_text,
)

KERNEL = "probabilities/kernel"
FILE = "model.safetensors"


def model(change: Change) -> Change:
    """Return a change of a run's model file, of which the run then has no digest."""

    def apply(run: Path) -> None:
        change(run / FILE)
        figures = json.loads((run / "metrics.json").read_text("utf-8"))
        del figures["weights_sha256"]
        (run / "metrics.json").write_text(json.dumps(figures), "utf-8")

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
        model(with_tensors(lambda tensors: tensors[KERNEL].update(shape=[10**9, 10]))),
    ),
    "weights are 5 GB of nothing": ("run", model(sparse_weight(5 * 10**9))),
    "weights are infinite": (
        "run",
        model(with_arrays(lambda arrays: arrays[KERNEL].fill(np.inf))),
    ),
    "weights and 2 GB": ("run", lambda run: os.truncate(run / FILE, 2 * GIBIBYTE)),
    "weights are noise": ("run", put(FILE, lambda: bytes(range(256)) * 99)),
    "weights are a pipe": ("run", lambda run: pipe(run / FILE)),
    "header of a million levels": ("run", model(with_text("[" * 10**6))),
    "header of 15 MB": ("run", model(with_text("[" + "{}," * 5_000_000 + "{}]"))),
    "header of 80 MB": ("run", model(with_text(" " * 80_000_000))),
    "header without end": (
        "run",
        model(with_bytes(lambda content: (2**62).to_bytes(8, "little") + content[8:])),
    ),
    "reshape to 10**21 values": (
        "run",
        model(layer(0, kind="Reshape", settings={"target_shape": [2**24] * 3})),
    ),
    "layer of 16 million units": ("run", model(setting(1, units=2**24))),
    "convolution of a huge kernel": (
        "run",
        model(
            with_header(
                lambda tree: tree["layers"].insert(
                    0,
                    {
                        "kind": "Conv2D",
                        "name": "c",
                        "settings": {"filters": 2**24, "kernel_size": [2**24, 2**24]},
                    },
                )
            )
        ),
    ),
    "three million classes": (
        "run",
        model(with_header(lambda tree: tree["data"].update(class_names=[""] * 3_000_000))),
    ),
    "builder of 290 billion weights": (
        "run",
        model(
            with_header(
                lambda tree: tree.update(
                    model={"builder": "deep_mlp", "hidden_units": [65536] * 64}
                )
            )
        ),
    ),
    "inputs of 10**12 values": (
        "run",
        model(
            with_header(
                lambda tree: tree["data"].update(
                    input_shape=[10**6, 10**6],
                    features={**tree["data"]["features"], "height": 10**6, "width": 10**6},
                )
            )
        ),
    ),
    "inputs of 10**12 values for Keras": (
        "run",
        model(
            with_header(
                lambda tree: (
                    tree["layers"][1].update(kind="Other"),
                    tree["data"].update(
                        input_shape=[10**6, 10**6],
                        features={**tree["data"]["features"], "height": 10**6, "width": 10**6},
                    ),
                )
            )
        ),
    ),
    "weights of another run": ("run", edit("metrics.json", "seconds", total=0)),
    "figures of 16 MB": ("run", put("metrics.json", lambda: b"[" + b"{}," * 5_500_000 + b"{}]")),
    "figures without end": (
        "run",
        lambda run: relink(run / "metrics.json", "/dev/zero"),
    ),
    "facts of 16 MB": (
        "predictions",
        put("environment.json", lambda: b"[" + b"{}," * 5_500_000 + b"{}]"),
    ),
    "facts of 2 GB": ("predictions", lambda run: sparse(run / "environment.json")),
    "facts of a million levels": (
        "predictions",
        put("environment.json", lambda: b"[" * 10**6),
    ),
    "spec of 2 GB": ("spec", lambda run: sparse(run / "spec.json")),
    "spec is a pipe": ("spec", lambda run: pipe(run / "spec.json")),
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
