"""The spec's optimizer section as a Keras optimizer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kzoo.spec.optimizer import (
    ConstantSchedule,
    CosineSchedule,
    ExponentialSchedule,
    Optimizer,
    PiecewiseSchedule,
)

if TYPE_CHECKING:
    import keras

_CLASSES = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop"}


def make_optimizer(
    spec: Optimizer, *, epochs: int, steps_per_epoch: int
) -> keras.optimizers.Optimizer:
    """Return the Keras optimizer of a spec; epochs of its schedule become steps."""
    import keras

    settings = spec.model_dump(exclude={"name", "schedule", "learning_rate"})
    learning_rate = _learning_rate(spec, epochs, steps_per_epoch)
    return getattr(keras.optimizers, _CLASSES[spec.name])(learning_rate, **settings)


def _learning_rate(spec: Optimizer, epochs: int, steps_per_epoch: int) -> Any:
    from keras.optimizers import schedules

    rate, schedule = spec.learning_rate, spec.schedule
    match schedule:
        case ConstantSchedule():
            return rate
        case CosineSchedule():
            steps = epochs * steps_per_epoch
            warmup = round(steps * schedule.warmup_fraction)
            if warmup == 0:
                return schedules.CosineDecay(rate, steps, alpha=schedule.alpha)
            return schedules.CosineDecay(
                0.0,
                max(steps - warmup, 1),
                alpha=schedule.alpha,
                warmup_target=rate,
                warmup_steps=warmup,
            )
        case ExponentialSchedule():
            return schedules.ExponentialDecay(
                rate,
                max(round(schedule.decay_epochs * steps_per_epoch), 1),
                schedule.decay_rate,
                staircase=schedule.staircase,
            )
        case PiecewiseSchedule():
            # Keras keeps a value up to and including its boundary; steps count from 0.
            return schedules.PiecewiseConstantDecay(
                [round(epoch * steps_per_epoch) - 1 for epoch in schedule.boundaries],
                [rate, *(rate * factor for factor in schedule.factors)],
            )
