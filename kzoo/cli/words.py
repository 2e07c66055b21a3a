"""What a spec says, in words for a person who has not read the schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kzoo.datasets import NAMED_DATASETS
from kzoo.display.text import duration
from kzoo.spec import Spec
from kzoo.spec.dataset import AugmentSpec
from kzoo.spec.optimizer import (
    CosineSchedule,
    ExponentialSchedule,
    Optimizer,
    PiecewiseSchedule,
)

_ITEMS = {"integer": "whole numbers", "number": "numbers", "string": "texts"}
_ONE = {"integer": "a whole number", "number": "a number", "string": "a text"}


def describe_data(spec: Spec) -> list[str]:
    """Return a sentence each: what the data are, what is held out, what is changed."""
    section = spec.dataset
    known = NAMED_DATASETS.get(section.name)
    sentences = [f"{section.name}: {known.description}" if known else section.name]
    if section.test:
        sentences.append(f"tested on {section.test}")
    if section.validation:
        sentences.append(f"validated on {section.validation}")
    elif section.validation_size:
        sentences.append(
            f"{section.validation_size:,} of the training examples are held out to validate on"
        )
    if section.augment:
        sentences.append(f"each training image is {_augmentation(section.augment)}")
    if section.fallback:
        sentences.append(f"where {section.name} is not available, {section.fallback} instead")
    return sentences


def _augmentation(augment: AugmentSpec) -> str:
    changes = [
        f"shifted by up to {_percent(augment.shift)} of its size" if augment.shift else "",
        f"rotated by up to {augment.rotate:g} degrees" if augment.rotate else "",
        f"zoomed by up to {_percent(augment.zoom)}" if augment.zoom else "",
    ]
    return " and ".join(filter(None, changes)) + " at random" if any(changes) else "left as it is"


def describe_optimizer(optimizer: Optimizer) -> list[str]:
    """Return the optimizer, then what its learning rate does, then what is not usual in it."""
    phrases = [
        f"{optimizer.keras_class}, learning rate {optimizer.learning_rate:g}",
        _schedule(optimizer),
    ]
    momentum = getattr(optimizer, "momentum", 0.0)
    if momentum:
        kind = "Nesterov momentum" if getattr(optimizer, "nesterov", False) else "momentum"
        phrases.append(f"{kind} of {momentum:g}")
    decay = getattr(optimizer, "weight_decay", 0.0)
    if decay:
        phrases.append(f"weight decay of {decay:g}")
    if optimizer.global_clipnorm:
        phrases.append(f"gradients are scaled down to a norm of {optimizer.global_clipnorm:g}")
    return phrases


def _schedule(optimizer: Optimizer) -> str:
    rate, schedule = optimizer.learning_rate, optimizer.schedule
    match schedule:
        case CosineSchedule():
            fall = f"falls along half a cosine to {rate * schedule.alpha:g}"
            if schedule.warmup_fraction:
                warmup = _percent(schedule.warmup_fraction)
                return f"it rises from 0 over the first {warmup} of the steps, then {fall}"
            return f"it {fall} over the whole training"
        case ExponentialSchedule():
            how = "at once" if schedule.staircase else "smoothly"
            epochs = schedule.decay_epochs
            every = "epoch" if epochs == 1 else f"{epochs:g} epochs"
            return f"it is multiplied by {schedule.decay_rate:g} every {every}, {how}"
        case PiecewiseSchedule():
            steps = zip(schedule.boundaries, schedule.factors, strict=True)
            changes = [f"{rate * factor:g} after epoch {after:g}" for after, factor in steps]
            return f"it becomes {', '.join(changes)}"
        case _:
            return "it stays as it is"


def describe_fit(spec: Spec) -> list[str]:
    """Return how long the training is, and what ends it or chooses its weights."""
    fit = spec.fit
    phrases = [f"{_count(fit.epochs, 'epoch')}, batches of {fit.batch_size:,}"]
    if fit.min_steps:
        phrases.append(f"on small data more, of smaller batches: {fit.min_steps:,} steps or more")
    if fit.early_stopping:
        patience = _count(fit.early_stopping.patience, "epoch")
        phrases.append(f"it ends early after {patience} without a better {spec.monitor}")
    if fit.restore_best_weights:
        phrases.append(f"the weights of the epoch with the best {spec.monitor} are kept")
    if fit.class_weight == "balanced":
        phrases.append("rare classes weigh more")
    elif fit.class_weight:
        phrases.append("classes are weighted")
    if fit.freeze:
        phrases.append(f"not trained: {', '.join(fit.freeze)}")
    if spec.expected and spec.expected.fit_seconds:
        phrases.append(f"about {duration(spec.expected.fit_seconds)} in all on two CPU cores")
    return phrases


def _percent(fraction: float) -> str:
    return f"{100 * fraction:g} %"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def describe_values(schema: Mapping[str, Any]) -> str:
    """Return what a parameter accepts, from the JSON Schema of its value; empty where unknown."""
    if "anyOf" in schema:
        options = [describe_values(option) for option in schema["anyOf"]]
        return " or ".join(options) if all(options) else ""
    if "enum" in schema:
        return ", ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    kind = schema.get("type")
    if kind == "null":
        return "null"
    if kind == "boolean":
        return "true or false"
    if kind == "array":
        return _list(schema)
    return f"{_ONE[kind]}{_range(schema)}" if kind in _ONE else ""


def _list(schema: Mapping[str, Any]) -> str:
    items = schema.get("items", {})
    kind = items.get("type")
    inner = f"{_ITEMS[kind]}{_range(items)}" if kind in _ITEMS else "values"
    least, most = schema.get("minItems"), schema.get("maxItems")
    if least is not None and most is not None:
        return f"{least} {inner}" if least == most else f"{least} to {most} {inner}"
    if most is not None:
        return f"up to {most} {inner}"
    return f"{least} or more {inner}" if least is not None else f"a list of {inner}"


def _range(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f" from {low:g} to {high:,}"
    parts = [
        f"from {low:g} up" if low is not None else f"above {above:g}" if above is not None else "",
        f"up to {high:,}" if high is not None else f"below {below:g}" if below is not None else "",
    ]
    if low is not None and below is not None:
        parts[0] = f"from {low:g} to"
    return "".join(f" {part}" for part in parts if part)
