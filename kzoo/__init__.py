"""kzoo: a zoo of small Keras models that run from a JSON file."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kzoo.display import RichProgress
    from kzoo.errors import DataError, KzooError, PluginError, RunError, SpecError
    from kzoo.registry import list_models, register
    from kzoo.runs import Run, load
    from kzoo.spec import Spec, build, load_spec
    from kzoo.train import run

__version__ = "0.1.0"

# Where each public name lives. Keras is imported by the first one that needs it, not before.
_HOMES = {
    "DataError": "kzoo.errors",
    "KzooError": "kzoo.errors",
    "PluginError": "kzoo.errors",
    "RichProgress": "kzoo.display",
    "Run": "kzoo.runs",
    "RunError": "kzoo.errors",
    "Spec": "kzoo.spec",
    "SpecError": "kzoo.errors",
    "build": "kzoo.spec",
    "list_models": "kzoo.registry",
    "load": "kzoo.runs",
    "load_spec": "kzoo.spec",
    "register": "kzoo.registry",
    "run": "kzoo.train",
}

__all__ = [
    "DataError",
    "KzooError",
    "PluginError",
    "RichProgress",
    "Run",
    "RunError",
    "Spec",
    "SpecError",
    "build",
    "list_models",
    "load",
    "load_spec",
    "register",
    "run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'kzoo' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
