"""The search of a spec: over which values, for what."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from kzoo.figures import Direction, metric_of
from kzoo.spec.base import Monitored, Section


@dataclass(frozen=True)
class Algorithm:
    """A way to propose trials, as far as a spec has to know it.

    Its code is the module of the same name in `kzoo.tuning.algorithms`.

    Attributes:
        name: What a spec calls it.
        sets_epochs: Whether it decides itself how long each trial trains.
        is_whole: Whether it has an end of its own, before which its result means little.
        lists_values: Whether each range is a list of values to it: its steps, or ten.
    """

    name: str
    sets_epochs: bool = False
    is_whole: bool = False
    lists_values: bool = False


ALGORITHMS = {
    algorithm.name: algorithm
    for algorithm in (
        Algorithm("random"),
        Algorithm("grid", is_whole=True, lists_values=True),
        Algorithm("bayesian"),
        Algorithm("tpe"),
        Algorithm("hyperband", sets_epochs=True, is_whole=True),
    )
}

PruneName = Literal["median", "halving"]
CostName = Literal["parameters", "operations", "weight_bytes", "seconds_per_example"]
# What is improved and watched where nobody says.
USUAL_METRIC = "val_accuracy"
# Of one search.
MOST_TRIALS = 100_000
MOST_SEEDS = 100

if TYPE_CHECKING:
    AlgorithmName = str
else:
    AlgorithmName = Literal[tuple(ALGORITHMS)]


class Objective(Section):
    """What a search improves."""

    metric: Monitored = Field(USUAL_METRIC, description="Measured on the validation images.")
    direction: Direction = Field(
        default_factory=lambda data: metric_of(data.get("metric", USUAL_METRIC)).direction,
        description="Whether more or less is better; the metric's own if not given.",
    )

    @model_validator(mode="after")
    def _check_direction(self) -> Self:
        wanted = metric_of(self.metric).direction
        if self.direction != wanted:
            raise ValueError(
                f"received direction {self.direction!r} for {self.metric}; expected {wanted!r}"
            )
        return self


class Also(Section):
    """What else counts of a trial, less of which is better."""

    metric: CostName = Field(
        description="Numbers that are trained; operations of a forward pass of one example; bytes "
        "of all weights; or seconds an example by NumPy, measured where the trial runs."
    )


class RangeDimension(Section):
    """What whole and real ranges share."""

    type: str
    sampling: Literal["linear", "log"] = Field(
        "linear", description="Evenly over the range, or over its logarithm."
    )

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        low, high = getattr(self, "min"), getattr(self, "max")  # noqa: B009  # builtins' names
        if low >= high:
            raise ValueError(f"received min {low} and max {high}; expected min below max")
        if self.sampling == "log" and low <= 0:
            raise ValueError(f"received min {low} with log sampling; expected a min above 0")
        step = getattr(self, "step")  # noqa: B009
        if self.sampling == "log" and step is not None and step <= 1:
            raise ValueError(f"received step {step} with log sampling; expected a ratio above 1")
        return self


class IntDimension(RangeDimension):
    """Whole numbers from min to max, both included."""

    type: Literal["int"]
    min: int = Field(description="The smallest value.")
    max: int = Field(description="The largest value.")
    step: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Distance between neighbouring values; with log sampling, their ratio."
    )


class FloatDimension(RangeDimension):
    """Real numbers from min to max."""

    type: Literal["float"]
    min: float = Field(description="The smallest value.")
    max: float = Field(description="The largest value.")
    step: Annotated[float, Field(gt=0)] | None = Field(
        None, description="Distance between neighbouring values; with log sampling, their ratio."
    )


Scalar = bool | int | float | str
Value = Scalar | tuple[Scalar, ...]


class Option(Section):
    """A value of a choice that brings a space of its own."""

    value: Value = Field(description="The value.")
    space: dict[str, Dimension] = Field(
        description="Spec paths and what to try there where this value is chosen.", min_length=1
    )


class ChoiceDimension(Section):
    """One of the listed values: numbers, words, true and false, and lists of these.

    A value can bring a space of its own, of paths that are tried with this value alone:
    ``{"value": "sgd", "space": {"optimizer.momentum": ...}}``.
    """

    type: Literal["choice"]
    values: Annotated[tuple[Value | Option, ...], Field(min_length=1, description="What is tried.")]

    @model_validator(mode="after")
    def _check_values(self) -> Self:
        listed = [one.value if isinstance(one, Option) else one for one in self.values]
        texts = [json.dumps(value) for value in listed]
        for one, text in zip(self.values, texts, strict=True):
            if isinstance(one, Option) and texts.count(text) > 1:
                raise ValueError(f"has {text} twice, once with a space of its own; keep one")
        return self


class BooleanDimension(Section):
    """True or false."""

    type: Literal["boolean"]


Dimension = Annotated[
    IntDimension | FloatDimension | ChoiceDimension | BooleanDimension,
    Field(discriminator="type"),
]


MaxTrials = Annotated[int, Field(ge=1, le=MOST_TRIALS)]


class TuneSpec(Section):
    """A search: how candidates are proposed, over which values, for what."""

    algorithm: AlgorithmName = Field(
        "bayesian",
        description="What proposes: an oracle of keras-tuner, or tpe, a sampler of Optuna, which "
        "the extra optuna brings.",
    )
    max_trials: MaxTrials | None = Field(
        None,
        description="Trials at most. If not given, as many as a whole grid or Hyperband has, and "
        "20 for the other algorithms.",
    )
    objective: Objective = Field(Objective(), description="What is improved.")
    also: Also | None = Field(
        None,
        description="A cost to weigh against the objective. The search improves the objective "
        "alone; of its trials those are pointed out that no other beats in both.",
    )
    target: float | None = Field(
        None, description="A score that is good enough: a trial that reaches it ends the search."
    )
    trial_seconds: Annotated[float, Field(gt=0)] | None = Field(
        None,
        description="Seconds that the epochs of a trial take at most, those of all its seeds "
        "together: it ends with the epoch in which they are over, and its score so far counts.",
    )
    prune: PruneName | None = Field(
        None,
        description="End trials early that are worse than the others at the same epoch: worse than "
        "their median, or, by successive halving, not in the best third at epochs 1, 3, 9, ...",
    )
    seeds_per_trial: int = Field(
        1,
        description="Seeds that a trial is trained with, from the spec's own on; its score is the "
        "mean. A trial gets another seed only while it is in the best third of those that were "
        "trained with as many.",
        ge=1,
        le=MOST_SEEDS,
    )
    confirm: int = Field(
        0,
        description="Seeds with which the best three are trained again at the end, none of which a "
        "trial had; the mean of these decides.",
        ge=0,
        le=MOST_SEEDS,
    )
    keep_weights: int = Field(
        3, description="Trials whose trained weights are kept, the best; 0 for none.", ge=0
    )
    try_first: tuple[dict[str, Value], ...] = Field(
        (),
        description="Points to try before all others, from paths of the space to values; a path "
        "that is left out has the spec's own value. Of any algorithm but grid the spec's own "
        "values come before these.",
    )
    space: dict[str, Dimension] = Field(
        description="Spec paths and what to try there; `*` is every element, one shared value.",
        min_length=1,
    )

    @model_validator(mode="after")
    def _check_seeds(self) -> Self:
        if self.seeds_per_trial > 1 and ALGORITHMS[self.algorithm].sets_epochs:
            raise ValueError(
                f"received seeds_per_trial {self.seeds_per_trial} with {self.algorithm}, whose "
                "trials go on with the training of others; expected 1 (confirm trains the best "
                "with several)"
            )
        # That module takes this one's types.
        from kzoo.spec.space import all_paths

        if "seed" in all_paths(self.space) and (self.seeds_per_trial > 1 or self.confirm):
            raise ValueError(
                "has seed in its space, and seeds_per_trial or confirm, which choose seeds "
                "themselves; expected one of the two"
            )
        return self
