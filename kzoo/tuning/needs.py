"""What a worker has to have before it may run a trial of a search."""

from __future__ import annotations

import importlib
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from kzoo import registry
from kzoo.errors import SpecError, WorkerError, describe_error
from kzoo.runs import directory
from kzoo.spec import Spec
from kzoo.spec.build import parameter_hints
from kzoo.spec.sampled import ends_of
from kzoo.spec.space import nodes

# Other versions of these train to other bits, or cannot read what they are sent.
_PACKAGES = ("kzoo", "keras", "tensorflow", "numpy", "distributed")


@dataclass(frozen=True)
class CarriedBuilder:
    """A builder that no distribution registers, on its way to a worker.

    Attributes:
        name: What it is registered as.
        module: The module that registers it; None where only this process has it, as the cells of a
            notebook and the script that was started.
        pickled: The function, by cloudpickle; None where there is a module.
    """

    name: str
    module: str | None
    pickled: bytes | None


@dataclass(frozen=True)
class Needs:
    """What a search needs of a worker.

    Attributes:
        search: Its directory, an absolute path that the worker has to see.
        data: The part of the spec that says which data are read, as text.
        fingerprint: The sha256 of the data that the search began with.
        builders: The builders that the worker may not have.
        versions: The versions of the packages that have to be the same.
        callbacks: More Keras callbacks, of which each trial gets copies; by cloudpickle.
    """

    search: Path
    data: str
    fingerprint: str
    builders: tuple[CarriedBuilder, ...]
    versions: Mapping[str, str]
    callbacks: bytes = b""


@cache
def versions() -> dict[str, str]:
    """Return the versions of this process that decide what a training comes to."""
    found = {"python": ".".join(platform.python_version_tuple()[:2])}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "none"
    return found


def check_place(needs: Needs) -> None:
    """Have the builders, and refuse another machine's folder or other versions.

    Raises:
        WorkerError: this worker lacks something; the message says what.
    """
    if not (needs.search / directory.SEARCH).is_file():
        raise WorkerError(
            f"this worker does not see the search's folder {needs.search}; expected it at the "
            "same path on every worker"
        )
    own = versions()
    for package, version in needs.versions.items():
        if own[package] != version:
            raise WorkerError(f"this worker has {package} {own[package]}; expected {version}")
    for builder in needs.builders:
        _install(builder)


def check_data(needs: Needs, data: str, fingerprint: str) -> None:
    """Refuse data that are not those of the search.

    Args:
        needs: Of the search.
        data: The part of a trial's spec that says which data are read. Where the trial itself
            varies it, there is nothing to compare with.
        fingerprint: Of what this worker read.

    Raises:
        WorkerError: they differ.
    """
    if data == needs.data and fingerprint != needs.fingerprint:
        raise WorkerError(
            f"the data are not those that the search began with (sha256 {fingerprint[:12]}, was "
            f"{needs.fingerprint[:12]}); put the first ones back, or begin a new search"
        )


def carry_callbacks(callbacks: Sequence[Any]) -> bytes:
    """Return callbacks in what another process can read.

    Raises:
        SpecError: one of them cannot be sent, or is no callback.
    """
    import cloudpickle

    from kzoo.start import keras

    for callback in callbacks:
        kind = type(callback).__name__
        if not isinstance(callback, keras.callbacks.Callback):
            raise SpecError(f"callbacks: received {kind}; expected Keras callbacks")
        try:
            cloudpickle.dumps(callback)
        except Exception as error:
            raise SpecError(
                f"callbacks: {kind} cannot be copied for each trial: {describe_error(error)}; "
                "expected one that can be pickled"
            ) from error
    return bytes(cloudpickle.dumps(list(callbacks))) if callbacks else b""


def copied_callbacks(needs: Needs) -> list[Any]:
    """Return a trial's own copies of the callbacks.

    Raises:
        WorkerError: this worker cannot have them.
    """
    import pickle

    try:
        # From the process that began the search, over the channel that brought this function.
        return list(pickle.loads(needs.callbacks)) if needs.callbacks else []  # noqa: S301
    except Exception as error:
        raise WorkerError(
            f"this worker cannot have the callbacks: {describe_error(error)}; install their module "
            "on every worker"
        ) from error


def carry_builders(spec: Spec) -> tuple[CarriedBuilder, ...]:
    """Return the builders of a spec and of its space that other processes may not have.

    Raises:
        SpecError: one of them cannot be sent.
    """
    names = [spec.model.builder]
    for node in nodes(spec.tune.space if spec.tune else {}):
        if node.path in ("model", "model.builder"):
            names += [name for name in ends_of(node.dimension) if isinstance(name, str)]
    carried = map(_carry, dict.fromkeys(names))
    return tuple(builder for builder in carried if builder is not None)


def _carry(name: str) -> CarriedBuilder | None:
    """Return a builder in what another process can read; None where every process has it.

    Raises:
        SpecError: it cannot be sent.
    """
    function = registry.decorated_builder(name)
    if function is None:
        return None
    if _registers(function.__module__, function):
        return CarriedBuilder(name, function.__module__, None)
    try:
        import cloudpickle

        # Annotations that are texts can be evaluated only where their names are known: here.
        hints = parameter_hints(function)
        return CarriedBuilder(name, None, cloudpickle.dumps((function, hints)))
    except Exception as error:
        raise SpecError(
            f"model.builder: {name!r} cannot be sent to workers: {error}; move it to a module that "
            "they can import, or search with --workers 0"
        ) from error


def _registers(module: str, function: Callable[..., Any]) -> bool:
    """Return whether importing a module elsewhere gives the same function."""
    if module in ("__main__", "__mp_main__"):
        return False
    try:
        found: Any = importlib.import_module(module)
        for part in function.__qualname__.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return False
    return found is function


def _install(builder: CarriedBuilder) -> None:
    if registry.decorated_builder(builder.name) is not None:
        return
    try:
        if builder.module is not None:
            importlib.import_module(builder.module)
        elif builder.pickled is not None:
            import pickle

            # From the process that began the search, over the channel that brought this function.
            function, hints = pickle.loads(builder.pickled)  # noqa: S301
            function.__annotations__ |= hints
            registry.register(name=builder.name)(function)
    except Exception as error:
        raise WorkerError(
            f"this worker cannot have the builder {builder.name!r}: {error}; install its module "
            "on every worker"
        ) from error
