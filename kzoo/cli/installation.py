"""What can be found of an installation without importing Keras."""

from __future__ import annotations

import json
import os
import platform
import shlex
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from kzoo import machine, registry
from kzoo.cli.findings import Finding
from kzoo.cli.machine_findings import check_machine
from kzoo.cli.output import encoding_of, quoted
from kzoo.errors import KzooError, how_to_install, one_line

# What the first line names besides kzoo itself.
_NAMED = ("keras", "tensorflow", "numpy")
_DEVELOPERS = "dev"
_TESTED_BACKENDS = ("tensorflow", "jax")
_UNTESTED_BACKEND = "torch"
# What Keras's settings are unless its file says otherwise.
_CHANNELS_LAST, _FLOAT = "channels_last", "float32"
_DATASET = "mnist"


def check_installation(out: Path, *, with_spec: bool = False) -> list[Finding]:
    """Return what was found of this installation and machine; Keras is not imported.

    A plugin's builders are imported, and so is whatever they import.

    Args:
        out: The folder that is to get the runs; it is not made.
        with_spec: Whether a spec is looked at too, which says more of the data and the device.
    """
    return [
        *_versions(),
        *_extras(),
        *_plugins(),
        *_keras_settings(),
        *_variables(),
        *check_machine(out),
        *_data(),
        *([] if with_spec else [_more()]),
    ]


def _python_wanted(kzoo: Distribution) -> str:
    """Return the versions of Python that kzoo takes; empty where its metadata say nothing."""
    # A backport of importlib.metadata raises where the standard library gives None.
    return str(kzoo.metadata.json.get("requires_python", ""))


def _versions() -> Iterator[Finding]:
    """Yield a problem for each requirement that is not met, or one line of versions."""
    try:
        kzoo = distribution("kzoo")
    except PackageNotFoundError:
        text = "kzoo is not installed, so neither are its builders; it is only on Python's path"
        yield Finding("problem", "versions", text, "pip install -e .")
        return
    python, wanted = platform.python_version(), _python_wanted(kzoo)
    problems = []
    if not SpecifierSet(wanted).contains(python, prereleases=True):
        text = f"Python {python} runs; kzoo needs {wanted}"
        problems.append(Finding("problem", "versions", text, "python3.12 -m venv venv"))
    for requirement in _requirements():
        found = _version(requirement.name)
        if not _is_met(requirement):
            text = (
                f"{requirement.name} {found} is installed; kzoo needs {requirement.specifier}"
                if found
                else f"{requirement.name} is not installed; kzoo needs {_plain(requirement)}"
            )
            command = f"pip install {shlex.quote(_plain(requirement))}"
            problems.append(Finding("problem", "versions", text, command))
    yield from problems
    if not problems:
        numbers = {name: _version(name) or "" for name in _NAMED}
        figures = {"kzoo": kzoo.version, "python": python, **numbers}
        text = ", ".join(f"{name} {number}" for name, number in figures.items())
        yield Finding("ok", "versions", text, "pip check", figures)


def _requirements(extra: str = "") -> list[Requirement]:
    """Return what kzoo needs here, or what one of its extras needs besides."""
    found = []
    for requirement in map(Requirement, distribution("kzoo").requires or []):
        marker = requirement.marker
        is_basic = marker is None or marker.evaluate({"extra": ""})
        is_wanted = is_basic
        if extra:
            is_wanted = marker is not None and not is_basic and marker.evaluate({"extra": extra})
        if is_wanted:
            found.append(requirement)
    return found


def _is_met(requirement: Requirement) -> bool:
    found = _version(requirement.name)
    return found is not None and requirement.specifier.contains(found, prereleases=True)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _plain(requirement: Requirement) -> str:
    """Return what to give to pip, without the condition."""
    return f"{requirement.name}{requirement.specifier}"


def _extras() -> Iterator[Finding]:
    try:
        names = distribution("kzoo").metadata.get_all("Provides-Extra") or []
    except PackageNotFoundError:
        return
    names = [name for name in names if name != _DEVELOPERS]
    missing = [name for name in names if not all(map(_is_met, _requirements(name)))]
    if missing:
        text = f"not installed, or too old: {', '.join(missing)}"
        yield Finding("note", "extras", text, how_to_install(*missing), {"missing": missing})
    elif names:
        yield Finding("ok", "extras", ", ".join(names), "kzoo export --help", {"missing": []})


def _plugins() -> Iterator[Finding]:
    problems = list(_broken())
    for origin, problem in problems:
        name = shlex.quote(origin.partition(" ")[0])
        yield Finding("problem", "plugins", one_line(problem), f"pip uninstall {name}")
    if not problems:
        models, specs = registry.list_models(), registry.list_specs()[0]
        text = f"{len(models)} builders and {len(specs)} specs, all usable"
        figures = {"builders": len(models), "specs": len(specs)}
        yield Finding("ok", "plugins", text, "kzoo list", figures)


def _broken() -> Iterator[tuple[str, str]]:
    """Yield the distributions of what cannot be used, and why: builders, specs, their content."""
    from kzoo.spec import outline_spec

    yield from registry.find_problems()
    for file in registry.list_specs()[0]:
        try:
            outline_spec(file.path)
        except KzooError as error:
            yield file.origin, f"{file.origin}: {error}"


def _keras_settings() -> Iterator[Finding]:
    """Yield what Keras's own settings say that a run would meet; they are read, not taken."""
    folder = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    path = folder / "keras.json"
    settings = {}
    if path.is_file():
        try:
            settings = dict(json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            text = f"{path} cannot be read; Keras takes its defaults"
            yield Finding("note", "keras", text, f"rm {_quoted(path)}")
    by_variable = os.environ.get("KERAS_BACKEND")
    backend = by_variable or str(settings.get("backend", "tensorflow"))
    yield _backend(backend, "KERAS_BACKEND" if by_variable else str(path))
    if settings.get("image_data_format", _CHANNELS_LAST) != _CHANNELS_LAST:
        text = (
            f"{path} wants channels first: convolutional specs build another model than the zoo's"
        )
        yield Finding("problem", "keras", one_line(text), f"rm {_quoted(path)}")
    if settings.get("floatx", _FLOAT) != _FLOAT:
        text = f"{path} says floatx {settings['floatx']}: figures are not those of {_FLOAT}"
        yield Finding("note", "keras", one_line(text), f"rm {_quoted(path)}")


def _backend(backend: str, source: str) -> Finding:
    mend, figures = "export KERAS_BACKEND=tensorflow", {"backend": backend}
    says = one_line(f"{source} says {backend}")
    if backend not in (*_TESTED_BACKENDS, _UNTESTED_BACKEND):
        text = f"{says}, with which Keras cannot train"
        return Finding("problem", "backend", text, mend, figures)
    # On Python's path alone: a backend is looked for, and no import hook shall import it.
    if PathFinder.find_spec(backend) is None:
        text = f"{says}, which is not installed"
        return Finding("problem", "backend", text, mend, figures)
    if backend == _UNTESTED_BACKEND:
        text = f"{says}; kzoo is tested with {' and '.join(_TESTED_BACKENDS)}"
        return Finding("note", "backend", text, mend, figures)
    return Finding("ok", "backend", backend, "kzoo doctor softmax_regression", figures)


def _variables() -> Iterator[Finding]:
    """Yield the variables of the environment that change results or speed."""
    cores = machine.count_cores()
    if os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "0":
        text = "TF_ENABLE_ONEDNN_OPTS=0: convolutions are slower, and results have other bits"
        yield _unset("TF_ENABLE_ONEDNN_OPTS", text)
    if os.environ.get("TF_DETERMINISTIC_OPS", "").lower() in ("1", "true"):
        text = "TF_DETERMINISTIC_OPS=1: TensorFlow compiles nothing, so most trainings are slower"
        yield _unset("TF_DETERMINISTIC_OPS", text)
    for name, who in (
        ("TF_NUM_INTRAOP_THREADS", "TensorFlow"),
        # Measured: TensorFlow's own threads do not heed it.
        ("OMP_NUM_THREADS", "NumPy, for `kzoo predict` (not TensorFlow),"),
    ):
        value = os.environ.get(name, "")
        if value.isdecimal() and 0 < int(value) < cores:
            yield _unset(name, f"{name}={value}: {who} uses so many of {cores} cores")
    for name in ("XLA_FLAGS", "TF_XLA_FLAGS"):
        flags = os.environ.get(name)
        if flags:
            yield _unset(name, f"{name}={one_line(flags)}: the compiler is not at its defaults")


def _unset(name: str, text: str) -> Finding:
    return Finding("note", "environment", text, f"unset {name}", {name: os.environ[name]})


def _data() -> Iterator[Finding]:
    from kzoo.datasets.catalogue import NAMED_DATASETS
    from kzoo.datasets.keras_datasets import is_at_hand

    told = os.environ.get("KZOO_DATA")
    is_here = is_at_hand(NAMED_DATASETS[_DATASET])
    then = "" if is_here else f"; {_DATASET} would be downloaded"
    figures = {"KZOO_DATA": told, _DATASET: is_here}
    if told and not Path(told).is_dir():
        text = one_line(f"KZOO_DATA: {told} is no folder{then}")
        yield Finding("note", "datasets", text, "unset KZOO_DATA", figures)
    elif told and not Path(told, f"{_DATASET}.npz").is_file():
        text = one_line(f"KZOO_DATA: {told} holds no {_DATASET}.npz{then}")
        yield Finding("note", "datasets", text, f"ls {_quoted(Path(told))}", figures)
    elif is_here:
        yield Finding("ok", "datasets", f"{_DATASET} is at hand", "kzoo run deep_mlp", figures)
    else:
        text = f"{_DATASET} is not here: a run downloads it (11 MB), or uses digits where it cannot"
        yield Finding("note", "datasets", text, "kzoo run deep_mlp --data digits", figures)


def _more() -> Finding:
    text = "Keras itself, the device, memory and time are looked at with a spec"
    return Finding("note", "training", text, "kzoo doctor deep_mlp")


def _quoted(path: Path) -> str:
    return quoted(path, encoding_of(sys.stdout))
