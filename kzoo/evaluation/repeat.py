"""Whether a run repeated an earlier one to the bit, and what differs where it did not."""

from __future__ import annotations

from typing import Any

from kzoo.evaluation.predictions import read_predictions
from kzoo.runs import Run, directory
from kzoo.spec.parse import read_json
from kzoo.train.resumption import differences

# What of the environment decides the bits.
_DECIDING = ("versions", "backend", "device", "platform")


def first_difference(run: Run, earlier: Run) -> str | None:
    """Return what first differs between two finished runs of one spec; None where no bit does.

    Compared are the epochs' figures, times left out, then the weights, then the test predictions
    where the earlier run has any.

    Raises:
        KzooError: one of them cannot be read.
    """
    return (
        _in_history(run.history, earlier.history)
        or _in_weights(run, earlier)
        or _in_predictions(run, earlier)
    )


def likely_reason(run: Run, earlier: Run) -> str | None:
    """Return what differs between the environments of two runs; None where nothing does.

    Raises:
        RunError: one of them has no record of it.
    """
    found = differences(_environment(earlier), _environment(run))
    return ", ".join(f"{path} is {now}, was {was}" for path, was, now in found) or None


def _environment(run: Run) -> dict[str, Any]:
    facts = {"data": run.dataset.fingerprint[:12]}
    tree = read_json(run.path / directory.ENVIRONMENT)
    return {**{name: tree.get(name) for name in _DECIDING}, **facts}


def _in_history(now: dict[str, list[float]], was: dict[str, list[float]]) -> str | None:
    names = [name for name in was if name != directory.SECONDS]
    if names != [name for name in now if name != directory.SECONDS]:
        return f"the history has the columns {', '.join(now)}, had {', '.join(was)}"
    epochs = [len(history[names[0]]) for history in (now, was)]
    for index in range(min(epochs)):
        for name in names:
            if now[name][index] != was[name][index]:
                return f"{name} of epoch {index + 1} is {now[name][index]}, was {was[name][index]}"
    return None if epochs[0] == epochs[1] else f"it has {epochs[0]} epochs, had {epochs[1]}"


def _in_weights(run: Run, earlier: Run) -> str | None:
    earlier_weights = earlier.model.weights
    for name, now in run.model.weights.items():
        # Comparing numbers would take -0.0 for 0.0.
        if name not in earlier_weights or now.tobytes() != earlier_weights[name].tobytes():
            return f"the weights differ, {name} first"
    return None


def _in_predictions(run: Run, earlier: Run) -> str | None:
    if "test_accuracy" not in earlier.metrics:
        return None
    (now, labels), (was, earlier_labels) = read_predictions(run), read_predictions(earlier)
    if now.tobytes() == was.tobytes() and labels.tobytes() == earlier_labels.tobytes():
        return None
    return "the weights are the same, the test predictions are not"
