"""What every section of a spec is: frozen and strict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from kzoo.figures import MONITORED

Fraction = Annotated[float, Field(ge=0, le=1)]
if TYPE_CHECKING:
    Monitored = str
else:
    Monitored = Literal[MONITORED]


class Section(BaseModel):
    """Base of every section: frozen, no unknown keys, no silent conversions, no NaN."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        validate_default=True,
        defer_build=True,
        protected_namespaces=(),
    )
