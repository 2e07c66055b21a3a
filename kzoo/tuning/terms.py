"""How far one session of a search goes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Terms:
    """How far one session of a search goes.

    Attributes:
        max_trials: Trials at most, those of earlier sessions included; None for as many as the
            last session was to make, or the spec says.
        time_limit: Seconds at most; None for no limit.
        retry_failed: Whether failed trials are tried again.
        confirm: Fresh seeds with which the best three are trained again at the end; None for what
            the last session was told, or the spec says.
    """

    max_trials: int | None = None
    time_limit: float | None = None
    retry_failed: bool = False
    confirm: int | None = None
