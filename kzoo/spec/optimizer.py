"""The optimizer of a spec, how its learning rate changes, and what Keras has for them.

An optimizer is one class here: its fields are Keras's own arguments, and `keras_class` names the
class in ``keras.optimizers`` that takes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import Field, model_validator

from kzoo.spec.base import Fraction, Section

if TYPE_CHECKING:
    import keras

LearningRate = Annotated[float, Field(gt=0, le=100)]


class ScheduleBase(Section):
    """What every schedule has."""

    name: str

    def make(self, rate: float, *, epochs: int, steps_per_epoch: int) -> Any:
        """Return what Keras takes for a learning rate: a number, or one of its schedules.

        Args:
            rate: The learning rate of the optimizer.
            epochs: Of the whole training.
            steps_per_epoch: Epochs of the schedule become so many steps each.
        """
        raise NotImplementedError


class ConstantSchedule(ScheduleBase):
    """The learning rate as it is."""

    name: Literal["constant"] = "constant"

    def make(self, rate: float, *, epochs: int, steps_per_epoch: int) -> Any:
        """Return the rate itself."""
        return rate


class CosineSchedule(ScheduleBase):
    """Linear warm-up, then half a cosine. Source: Loshchilov and Hutter, SGDR, 2017."""

    name: Literal["cosine"]
    warmup_fraction: float = Field(
        0.0,
        description="Fraction of all steps in which the rate rises from 0 to learning_rate.",
        ge=0,
        lt=1,
    )
    alpha: Fraction = Field(0.0, description="Final rate, as a fraction of learning_rate.")

    def make(self, rate: float, *, epochs: int, steps_per_epoch: int) -> Any:
        """Return ``keras.optimizers.schedules.CosineDecay``."""
        from keras.optimizers.schedules import CosineDecay

        steps = epochs * steps_per_epoch
        warmup = round(steps * self.warmup_fraction)
        if warmup == 0:
            return CosineDecay(rate, steps, alpha=self.alpha)
        return CosineDecay(
            0.0,
            max(steps - warmup, 1),
            alpha=self.alpha,
            warmup_target=rate,
            warmup_steps=warmup,
        )


class ExponentialSchedule(ScheduleBase):
    """The rate times `decay_rate` every `decay_epochs`."""

    name: Literal["exponential"]
    decay_rate: float = Field(description="Factor for each `decay_epochs`.", gt=0, le=1)
    decay_epochs: float = Field(
        1.0, description="Epochs in which the rate falls by `decay_rate`.", gt=0
    )
    staircase: bool = Field(
        False, description="Fall at once every `decay_epochs` instead of smoothly."
    )

    def make(self, rate: float, *, epochs: int, steps_per_epoch: int) -> Any:
        """Return ``keras.optimizers.schedules.ExponentialDecay``."""
        from keras.optimizers.schedules import ExponentialDecay

        steps = max(round(self.decay_epochs * steps_per_epoch), 1)
        return ExponentialDecay(rate, steps, self.decay_rate, staircase=self.staircase)


class PiecewiseSchedule(ScheduleBase):
    """The rate times `factors[i]` from `boundaries[i]` epochs on."""

    name: Literal["piecewise"]
    boundaries: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)] = Field(
        description="Epochs after which the rate changes, rising."
    )
    factors: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)] = Field(
        description="Factor on learning_rate from each boundary on."
    )

    @model_validator(mode="after")
    def _check_boundaries(self) -> Self:
        if len(self.boundaries) != len(self.factors):
            raise ValueError(
                f"received {len(self.boundaries)} boundaries and {len(self.factors)} factors; "
                "expected as many of each"
            )
        if any(a >= b for a, b in zip(self.boundaries, self.boundaries[1:], strict=False)):
            raise ValueError(f"received boundaries {list(self.boundaries)}; expected rising epochs")
        return self

    def make(self, rate: float, *, epochs: int, steps_per_epoch: int) -> Any:
        """Return ``keras.optimizers.schedules.PiecewiseConstantDecay``."""
        from keras.optimizers.schedules import PiecewiseConstantDecay

        # Keras keeps a value up to and including its boundary; steps count from 0.
        boundaries = [round(epoch * steps_per_epoch) - 1 for epoch in self.boundaries]
        return PiecewiseConstantDecay(boundaries, [rate, *(rate * f for f in self.factors)])


Schedule = Annotated[
    ConstantSchedule | CosineSchedule | ExponentialSchedule | PiecewiseSchedule,
    Field(discriminator="name"),
]


class OptimizerBase(Section):
    """What every optimizer has."""

    # The class in `keras.optimizers`, which is also what a person calls it.
    keras_class: ClassVar[str]

    name: str
    learning_rate: LearningRate = Field(0.001, description="Step size, before the schedule.")
    schedule: Schedule = Field(
        ConstantSchedule(), description="How the learning rate changes over the epochs."
    )
    global_clipnorm: Annotated[float, Field(gt=0)] | None = Field(
        None, description="Largest norm of all gradients together; larger ones are scaled down."
    )

    def make(self, *, epochs: int, steps_per_epoch: int) -> keras.optimizers.Optimizer:
        """Return the Keras optimizer; epochs of its schedule become steps.

        Args:
            epochs: Of the whole training.
            steps_per_epoch: Steps of each.
        """
        import keras

        settings = self.model_dump(exclude={"name", "schedule", "learning_rate"})
        rate = self.schedule.make(
            self.learning_rate, epochs=epochs, steps_per_epoch=steps_per_epoch
        )
        return getattr(keras.optimizers, self.keras_class)(rate, **settings)


class Sgd(OptimizerBase):
    """Stochastic gradient descent, with momentum if wanted."""

    keras_class: ClassVar[str] = "SGD"

    name: Literal["sgd"]
    learning_rate: LearningRate = Field(0.01, description="Step size, before the schedule.")
    momentum: float = Field(
        0.0, description="Fraction of the last update that is added to this one.", ge=0, lt=1
    )
    nesterov: bool = Field(False, description="Nesterov's form of momentum.")


class Adam(OptimizerBase):
    """Adam. Source: Kingma and Ba, 2014."""

    keras_class: ClassVar[str] = "Adam"

    name: Literal["adam"] = "adam"
    beta_1: float = Field(0.9, description="Decay of the mean of the gradients.", ge=0, lt=1)
    beta_2: float = Field(0.999, description="Decay of the mean of their squares.", ge=0, lt=1)
    epsilon: float = Field(1e-7, description="Keeps the division finite.", gt=0)


class AdamW(Adam):
    """Adam with decoupled weight decay. Source: Loshchilov and Hutter, 2019."""

    keras_class: ClassVar[str] = "AdamW"

    name: Literal["adamw"]  # type: ignore[assignment]  # the tag is what tells the two apart
    weight_decay: float = Field(
        0.004,
        description="Fraction of each weight taken off, times the learning rate, at each step.",
        ge=0,
        le=1,
    )


class RmsProp(OptimizerBase):
    """RMSprop. Source: Hinton, Coursera lecture 6e, 2012."""

    keras_class: ClassVar[str] = "RMSprop"

    name: Literal["rmsprop"]
    rho: float = Field(0.9, description="Decay of the mean of the squared gradients.", ge=0, lt=1)
    momentum: float = Field(
        0.0, description="Fraction of the last update that is added to this one.", ge=0, lt=1
    )
    epsilon: float = Field(1e-7, description="Keeps the division finite.", gt=0)


# Each optimizer that a spec can name.
Optimizer = Annotated[Sgd | Adam | AdamW | RmsProp, Field(discriminator="name")]


def optimizer_type(name: str) -> type[Section]:
    """Return the class of an optimizer by its name; `Section` where none has it."""
    return _member(Optimizer, name)


def schedule_type(name: str) -> type[Section]:
    """Return the class of a schedule by its name; `Section` where none has it."""
    return _member(Schedule, name)


def _member(union: Any, name: str) -> type[Section]:
    members: tuple[type[Section], ...] = get_args(get_args(union)[0])
    named = (kind for kind in members if name in get_args(kind.model_fields["name"].annotation))
    return next(named, Section)
