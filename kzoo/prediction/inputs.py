"""What a trained model is given, as it takes it, and what belongs to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Batch:
    """Inputs that are answered together.

    Attributes:
        names: What each is called: a path, or the number of a row from 1.
        x: ``(n, *input_shape)``, raw, as the model takes them: an array or image files.
        steps: Of pictures how each was made ready, in words; otherwise empty.
        carried: The cells of the columns that the model does not take, by the column's name.
        notices: What the person should know.
        broken: What could not be read: its name, and why.
    """

    names: Sequence[str]
    x: Any
    steps: Sequence[tuple[str, ...]] = ()
    carried: Mapping[str, Sequence[str]] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    broken: Mapping[str, str] = field(default_factory=dict)
