"""A notebook that is none."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest
from support.screens import Output


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch) -> list[Output]:
    """Put a kernel in the place of IPython; return the outputs that it is given."""
    made: list[Output] = []

    def display(data: dict[str, str], **options: Any) -> Output:
        made.append(Output(data))
        return made[-1]

    ipython: Any = types.ModuleType("IPython")
    ipython.get_ipython = lambda: types.SimpleNamespace(kernel=object())
    module: Any = types.ModuleType("IPython.display")
    module.display = display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return made
