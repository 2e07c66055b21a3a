"""Which callbacks have to be called at every batch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from kzoo.start import keras

_EVENTS = {
    "train": ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end"),
    "test": ("on_test_batch_begin", "on_test_batch_end"),
}


def live_by_batch(
    callbacks: Iterable[keras.callbacks.Callback], kind: Literal["train", "test"]
) -> bool:
    """Tell whether a callback among these has to be called at every batch.

    That is each that has a method for batches, but for Keras's own where these only count or draw,
    and for classes that say ``block_safe = True``: the end of a block is enough for their methods.
    """
    return any(
        _needs(callback, event)
        for callback in callbacks
        if not _only_counts(callback)
        for event in _EVENTS[kind]
    )


def _needs(callback: keras.callbacks.Callback, event: str) -> bool:
    if event in vars(callback):
        return True
    # A subclass that has a method of its own does not inherit the promise.
    owner = next(kind for kind in type(callback).__mro__ if event in vars(kind))
    return owner is not keras.callbacks.Callback and not vars(owner).get("block_safe", False)


def _only_counts(callback: Any) -> bool:
    """Tell whether one of Keras's own callbacks does no more at a batch than count or draw."""
    ours, kind = keras.callbacks, type(callback)
    if kind in (ours.ModelCheckpoint, ours.BackupAndRestore):
        return bool(callback.save_freq == "epoch")
    if kind is ours.TensorBoard:
        return bool(
            callback.update_freq == "epoch"
            and not callback.write_steps_per_second
            and not callback._should_trace
        )
    return kind in (ours.ProgbarLogger, ours.History)


def run_own_code(callbacks: Any) -> bool:
    """Tell whether callbacks run code of a person's own, which may change arrays in place."""
    given = getattr(callbacks, "callbacks", callbacks)
    return any(
        type(callback) is keras.callbacks.LambdaCallback
        or not type(callback).__module__.startswith(("keras.", "kzoo."))
        for callback in keras.tree.flatten(given)
        if callback is not None
    )
