"""The optimizer of a spec, and how its learning rate changes."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from kzoo.spec.base import Fraction, Section

LearningRate = Annotated[float, Field(gt=0, le=100)]


class ConstantSchedule(Section):
    """The learning rate as it is."""

    name: Literal["constant"] = "constant"


class CosineSchedule(Section):
    """Linear warm-up, then half a cosine. Source: Loshchilov and Hutter, SGDR, 2017."""

    name: Literal["cosine"]
    warmup_fraction: float = Field(
        0.0,
        description="Fraction of all steps in which the rate rises from 0 to learning_rate.",
        ge=0,
        lt=1,
    )
    alpha: Fraction = Field(0.0, description="Final rate, as a fraction of learning_rate.")


class ExponentialSchedule(Section):
    """The rate times `decay_rate` every `decay_epochs`."""

    name: Literal["exponential"]
    decay_rate: float = Field(description="Factor for each `decay_epochs`.", gt=0, le=1)
    decay_epochs: float = Field(
        1.0, description="Epochs in which the rate falls by `decay_rate`.", gt=0
    )
    staircase: bool = Field(
        False, description="Fall at once every `decay_epochs` instead of smoothly."
    )


class PiecewiseSchedule(Section):
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


Schedule = Annotated[
    ConstantSchedule | CosineSchedule | ExponentialSchedule | PiecewiseSchedule,
    Field(discriminator="name"),
]


class OptimizerBase(Section):
    """What every optimizer has."""

    name: str
    learning_rate: LearningRate = Field(0.001, description="Step size, before the schedule.")
    schedule: Schedule = Field(
        ConstantSchedule(), description="How the learning rate changes over the epochs."
    )
    global_clipnorm: Annotated[float, Field(gt=0)] | None = Field(
        None, description="Largest norm of all gradients together; larger ones are scaled down."
    )


class Sgd(OptimizerBase):
    """Stochastic gradient descent, with momentum if wanted."""

    name: Literal["sgd"]
    learning_rate: LearningRate = Field(0.01, description="Step size, before the schedule.")
    momentum: float = Field(
        0.0, description="Fraction of the last update that is added to this one.", ge=0, lt=1
    )
    nesterov: bool = Field(False, description="Nesterov's form of momentum.")


class Adam(OptimizerBase):
    """Adam. Source: Kingma and Ba, 2014."""

    name: Literal["adam"] = "adam"
    beta_1: float = Field(0.9, description="Decay of the mean of the gradients.", ge=0, lt=1)
    beta_2: float = Field(0.999, description="Decay of the mean of their squares.", ge=0, lt=1)
    epsilon: float = Field(1e-7, description="Keeps the division finite.", gt=0)


class AdamW(Adam):
    """Adam with decoupled weight decay. Source: Loshchilov and Hutter, 2019."""

    name: Literal["adamw"]  # type: ignore[assignment]  # the tag is what tells the two apart
    weight_decay: float = Field(
        0.004,
        description="Fraction of each weight taken off, times the learning rate, at each step.",
        ge=0,
        le=1,
    )


class RmsProp(OptimizerBase):
    """RMSprop. Source: Hinton, Coursera lecture 6e, 2012."""

    name: Literal["rmsprop"]
    rho: float = Field(0.9, description="Decay of the mean of the squared gradients.", ge=0, lt=1)
    momentum: float = Field(
        0.0, description="Fraction of the last update that is added to this one.", ge=0, lt=1
    )
    epsilon: float = Field(1e-7, description="Keeps the division finite.", gt=0)


Optimizer = Annotated[Sgd | Adam | AdamW | RmsProp, Field(discriminator="name")]
