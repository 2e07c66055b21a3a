"""A schedule whose learning rate is a variable: steps compiled for one rate serve another.

As a Python number the rate of one of Keras's schedules is a constant in the compiled step.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kzoo.spec.optimizer import CosineSchedule, Schedule
from kzoo.start import keras

# What Keras's schedules call the rates that they were made with.
_ATTRIBUTES = ("initial_learning_rate", "values")


def has_same_bits(schedule: Schedule) -> bool:
    """Tell whether a step computes the same bits with its rate as a variable.

    XLA merges the constants of a warm-up with the rate, and then rounds elsewhere.
    """
    return not (isinstance(schedule, CosineSchedule) and schedule.warmup_fraction)


def make_adjustable(optimizer: keras.optimizers.Optimizer) -> None:
    """Have the schedule of an optimizer, if it has one, read its rate from variables.

    It is for an optimizer whose steps are not traced yet. What the schedule's ``get_config``
    returns stays plain numbers.
    """
    schedule = _schedule(optimizer)
    if schedule is None:
        return
    _tell(schedule, schedule.get_config())
    for name in _ATTRIBUTES:
        rate = getattr(schedule, name, None)
        if isinstance(rate, (list, tuple)):
            setattr(schedule, name, [_variable(one) for one in rate])
        elif rate is not None:
            setattr(schedule, name, _variable(rate))


def take_rate(optimizer: keras.optimizers.Optimizer, other: keras.optimizers.Optimizer) -> None:
    """Give an adjustable schedule the rates of another of its kind."""
    schedule, new = _schedule(optimizer), _schedule(other)
    if schedule is None or new is None:
        return
    _tell(schedule, new.get_config())
    for variable, rate in zip(_rates(schedule), _rates(new), strict=True):
        variable.assign(rate)


def _schedule(optimizer: keras.optimizers.Optimizer) -> Any:
    """Return the schedule of an optimizer, or None; its public property computes a rate."""
    rate = optimizer._learning_rate
    return rate if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule) else None


def _tell(schedule: Any, config: dict[str, Any]) -> None:
    schedule.get_config = lambda: config


def _rates(schedule: Any) -> Iterator[Any]:
    for name in _ATTRIBUTES:
        rate = getattr(schedule, name, None)
        if isinstance(rate, (list, tuple)):
            yield from rate
        elif rate is not None:
            yield rate


def _variable(rate: float) -> keras.Variable:
    return keras.Variable(rate, dtype=keras.config.floatx(), trainable=False)
