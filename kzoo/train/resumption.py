"""What has to be as it was for a training to go on to the same bits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kzoo.checkpoint import Checkpoint, forgetting
from kzoo.errors import RunError
from kzoo.spec import Spec
from kzoo.spec.places import MODEL_PLACES, PLACES
from kzoo.start import keras

# Where data and models lie, which may change while what they are does not.
PLACE_PATHS = {f"dataset.{key}" for key in PLACES} | {f"start_from.{key}" for key in MODEL_PLACES}


def named(callbacks: Sequence[keras.callbacks.Callback]) -> dict[str, keras.callbacks.Callback]:
    """Return callbacks by the names that a checkpoint keeps their memories under."""
    return {f"{type(one).__name__}-{index}": one for index, one in enumerate(callbacks)}


def hold_to_start(
    spec: Spec,
    callbacks: Sequence[keras.callbacks.Callback],
    start: Checkpoint,
    *,
    where: str,
) -> None:
    """Refuse to go on from a checkpoint with another spec or other callbacks.

    Raises:
        RunError: something differs, or a callback's memory is not in the checkpoint.
    """
    for path, was, now in differences(start.facts["spec"], spec.to_dict()):
        if path in PLACE_PATHS:
            # The same data may have been moved: what they are is compared by their fingerprint, as
            # the model that is started from is by its sha256.
            continue
        raise RunError(f"{where}: spec: {path}: received {now}; the run began with {was}")
    forgotten = sorted({*start.facts["forgotten"], *forgetting(callbacks)})
    if forgotten:
        raise RunError(
            f"{where}: callback {forgotten[0]} may remember earlier epochs, which the checkpoint "
            "does not; give it get_state and set_state, or train from the beginning"
        )
    was, now = set(start.facts["callbacks"]) - {"recorder"}, set(named(callbacks))
    missing = sorted(was - now)
    if missing:
        name = missing[0].partition("-")[0]
        raise RunError(
            f"{where}: the run began with the callback {name}; resume it from Python, with "
            "kzoo.resume(run, callbacks=[...])"
        )


def differences(was: Any, now: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield the path, the earlier and the present value of whatever differs in JSON data."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in [*was, *(key for key in now if key not in was)]:
            below = f"{path}.{key}" if path else key
            yield from differences(was.get(key), now.get(key), below)
    elif was != now:
        yield path, was, now
