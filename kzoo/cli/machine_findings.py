"""What can be found of this machine: its processor, memory, load, and room for runs."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from kzoo import machine
from kzoo.cli.findings import Finding
from kzoo.cli.output import encoding_of, quoted
from kzoo.errors import one_line
from kzoo.machine import GIBIBYTE

# Keras and TensorFlow alone take half of it.
_LEAST_MEMORY = GIBIBYTE
# A run of the largest spec of the zoo writes a tenth of it; a search keeps every trial.
_COMFORTABLE_DISK = GIBIBYTE
_LEAST_DISK = 2**26
# Programs that compute, for each core; kzoo itself comes on top.
_BUSY = 0.5


def check_machine(out: Path) -> list[Finding]:
    """Return what was found of the machine that kzoo runs on.

    Args:
        out: The folder that is to get the runs; it is not made.
    """
    return [*_processor(), *_cores(), *_load(), *_memory(), *_folder(out)]


def _processor() -> Iterator[Finding]:
    units = machine.processor_units()
    if units is None or platform.machine().lower() not in ("x86_64", "amd64"):
        return
    if "avx" not in units:
        text = "no AVX units: TensorFlow's and JAX's packages end in an illegal instruction"
        yield Finding("problem", "processor", text, "lscpu")
        return
    found = sorted(units & machine.BFLOAT16_UNITS)
    known = [name for name in ("avx2", "avx512f") if name in units]
    figures = {"bfloat16_units": found}
    if found:
        text = f"{', '.join(known + found)}: bfloat16 can be faster for convolutions"
        command = "kzoo doctor small_cnn"
    else:
        text = f"{', '.join(known or ['avx'])}; no bfloat16 units: float32 is faster"
        command = "kzoo run small_cnn model.dtype_policy=float32"
    yield Finding("ok", "processor", text, command, figures)


def _cores() -> Iterator[Finding]:
    cores, quota = machine.count_cores(), machine.container_cores()
    figures = {"cores": cores, "container_cores": quota}
    if quota is not None and quota < cores:
        threads = max(round(quota), 1)
        text = f"{cores} cores seen, but the container gets the time of {quota:g}"
        command = f"export TF_NUM_INTRAOP_THREADS={threads}"
        yield Finding("note", "cores", text, command, figures)
    else:
        command = f"kzoo tune deep_mlp --workers {cores}"
        yield Finding("ok", "cores", f"{cores} to compute on", command, figures)


def _load() -> Iterator[Finding]:
    """Yield that other programs compute, which makes every time that is measured too long."""
    if not hasattr(os, "getloadavg"):
        return
    cores, load = machine.count_cores(), os.getloadavg()[0]
    if load > _BUSY * cores:
        text = f"other programs compute (load {load:.1f}, {cores} cores): times are too long now"
        yield Finding("note", "load", text, "top", {"load": load})


def _memory() -> Iterator[Finding]:
    whole, physical = machine.memory(), machine.physical_memory()
    free = machine.available_memory()
    free = whole if free is None else min(free, whole)
    figures = {"memory": whole, "available": free}
    text = f"{gibibytes(whole)} GiB, {gibibytes(free)} of them free"
    limited = machine.container_memory()
    if physical is not None and limited is not None and limited < physical:
        text += f" (the container's limit; the machine has {gibibytes(physical)})"
    if whole < _LEAST_MEMORY:
        text += f"; expected {gibibytes(_LEAST_MEMORY)} or more"
        yield Finding("problem", "memory", text, "free -h", figures)
    elif free < _LEAST_MEMORY or "container" in text:
        yield Finding("note", "memory", text, "kzoo doctor deep_mlp", figures)
    else:
        yield Finding("ok", "memory", text, "kzoo doctor deep_mlp", figures)


def _folder(out: Path) -> Iterator[Finding]:
    """Yield whether runs can be written and how much of them; nothing is left behind."""
    folder = nearest_folder(out)
    elsewhere = "kzoo run deep_mlp --out ~/runs"
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
        free = shutil.disk_usage(folder).free
    except OSError as error:
        reason = error.strerror or type(error).__name__
        text = f"{out}: nothing can be written there: {reason}"
        yield Finding("problem", "runs", one_line(text), elsewhere)
        return
    figures = {"free": free}
    text = one_line(f"{out} can be written; {gibibytes(free)} GiB are free")
    if free < _LEAST_DISK:
        yield Finding("problem", "runs", f"{text}, too few for a run", elsewhere, figures)
    elif free < _COMFORTABLE_DISK:
        yield Finding("note", "runs", f"{text}, few for a search", elsewhere, figures)
    else:
        command = f"kzoo run deep_mlp --out {quoted(out, encoding_of(sys.stdout))}"
        yield Finding("ok", "runs", text, command, figures)


def nearest_folder(out: Path) -> Path:
    """Return what is there of a folder's path: itself, or what it would be made in."""
    path = out.absolute()
    return next((place for place in (path, *path.parents) if place.exists()), path)


def gibibytes(size: float) -> str:
    """Return a number of GiB, as people say it."""
    return f"{size / GIBIBYTE:.3g}"
