"""kzoo: a zoo of small Keras models that run from a JSON file."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kzoo.display import RichProgress
    from kzoo.engine import accelerate
    from kzoo.errors import DataError, KzooError, PluginError, RunError, SpecError
    from kzoo.evaluate import Evaluation, Verdict, evaluate, verify
    from kzoo.registry import list_models, register
    from kzoo.runs import Run, load
    from kzoo.spec import Spec, build, load_spec
    from kzoo.train import resume, run
    from kzoo.tune.hypermodel import HyperModel
    from kzoo.tune.search import Search
    from kzoo.tune.tune import resume_search, tune

__version__ = "0.1.0"

# Where each public name lives. Keras is imported by the first one that needs it, not before.
_HOMES = {
    "DataError": "kzoo.errors",
    "Evaluation": "kzoo.evaluate",
    "HyperModel": "kzoo.tune.hypermodel",
    "KzooError": "kzoo.errors",
    "PluginError": "kzoo.errors",
    "RichProgress": "kzoo.display",
    "Run": "kzoo.runs",
    "RunError": "kzoo.errors",
    "Search": "kzoo.tune.search",
    "Spec": "kzoo.spec",
    "SpecError": "kzoo.errors",
    "Verdict": "kzoo.evaluate",
    "accelerate": "kzoo.engine",
    "build": "kzoo.spec",
    "evaluate": "kzoo.evaluate",
    "list_models": "kzoo.registry",
    "load": "kzoo.runs",
    "load_spec": "kzoo.spec",
    "register": "kzoo.registry",
    "resume": "kzoo.train",
    "resume_search": "kzoo.tune.tune",
    "run": "kzoo.train",
    "tune": "kzoo.tune.tune",
    "verify": "kzoo.evaluate",
}
# The homes that import Keras at their top.
_WITH_KERAS = {
    "kzoo.display",
    "kzoo.engine",
    "kzoo.evaluate",
    "kzoo.train",
    "kzoo.tune.hypermodel",
}

__all__ = [
    "DataError",
    "Evaluation",
    "HyperModel",
    "KzooError",
    "PluginError",
    "RichProgress",
    "Run",
    "RunError",
    "Search",
    "Spec",
    "SpecError",
    "Verdict",
    "accelerate",
    "build",
    "evaluate",
    "list_models",
    "load",
    "load_spec",
    "register",
    "resume",
    "resume_search",
    "run",
    "tune",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'kzoo' has no attribute {name!r}")
    if _HOMES[name] in _WITH_KERAS:
        from kzoo.start import import_keras

        import_keras()
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """Keeps a public name, such as the function `kzoo.evaluate`, before the room of that name."""

    def __setattr__(self, name: str, value: Any) -> None:
        # Whoever imports the room, Python would put the module over the function.
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
