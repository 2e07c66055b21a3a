"""The libraries that trainings are logged to, by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from packaging.version import Version

from kzoo.errors import RunError, did_you_mean, how_to_install
from kzoo.logs.library import LOGS, Library
from kzoo.logs.mlflow import MLflow
from kzoo.logs.tensorboard import TensorBoard
from kzoo.logs.wandb import WeightsAndBiases

_ALL: tuple[Library, ...] = (TensorBoard(), WeightsAndBiases(), MLflow())
LIBRARIES: dict[str, Library] = {library.name: library for library in _ALL}


def find_libraries(names: str | Sequence[str]) -> tuple[Library, ...]:
    """Return the libraries of these names, each once, ready to log.

    Args:
        names: Of `LIBRARIES`; one, or any number of them.

    Raises:
        RunError: there is no such library, it is not installed or too old, or a run is open in it.
    """
    given = [names] if isinstance(names, str) else list(names)
    return tuple(find_library(name) for name in dict.fromkeys(given))


def find_library(name: str) -> Library:
    """Return a library, ready to log.

    Raises:
        RunError: there is no such library, it is not installed or too old, or a run is open in it.
    """
    library = LIBRARIES.get(name) if isinstance(name, str) else None
    if library is None:
        raise RunError(
            f"log: received {name!r}; expected one of {', '.join(LIBRARIES)}."
            f"{did_you_mean(str(name), LIBRARIES)}"
        )
    install = f"install it with: {how_to_install(f'log-{library.name}')}"
    found = _version(library)
    if found is None:
        raise RunError(
            f"log {name}: needs {library.distribution}, which is not installed; {install}"
        )
    if Version(found) < Version(library.least):
        raise RunError(
            f"log {name}: received {library.distribution} {found}; expected {library.least} or "
            f"later; {install}"
        )
    if library.is_in_use():
        raise RunError(
            f"log {name}: this process has a run of its own open there; end that first, or give "
            f"kzoo.run {name}'s callback instead"
        )
    return library


def opening(names: Iterable[str], path: Path) -> dict[str, str]:
    """Return how each log of a run or a search is opened, by the words for the log.

    Args:
        names: Of `LIBRARIES`.
        path: The directory of the run or the search.
    """
    folder = path.absolute() / LOGS
    return {f"{name} log": LIBRARIES[name].opening(folder) for name in names}


def _version(library: Library) -> str | None:
    # Not imported here: some import TensorFlow, which is to be started quietly.
    if find_spec(library.package) is None:
        return None
    try:
        return version(library.distribution)
    except PackageNotFoundError:
        return None
