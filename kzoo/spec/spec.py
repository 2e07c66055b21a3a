"""The sections of a spec, each a frozen and strict type."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, field_validator, model_validator

from kzoo.spec.base import Fraction, Monitored, Section
from kzoo.spec.dataset import DataPath, DatasetSpec, as_names
from kzoo.spec.optimizer import Adam, Optimizer
from kzoo.spec.tune import USUAL_METRIC, CostName, TuneSpec

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100)]


class ModelSpec(Section):
    """A registered builder and its parameters; each builder has its own subclass."""

    builder: str = Field(description="Name of a registered builder.")
    dtype_policy: Literal["float32", "mixed_bfloat16"] = Field(
        "float32",
        description="Keras's dtype policy; mixed_bfloat16 computes in bfloat16 on float32 weights: "
        "faster convolutions where the processor has units for it.",
    )

    @classmethod
    def parameter_names(cls) -> list[str]:
        """Return the names of the builder's keyword parameters, in its order."""
        return [name for name in cls.model_fields if name not in ModelSpec.model_fields]

    @property
    def parameters(self) -> dict[str, Any]:
        """The builder's keyword arguments."""
        return {name: getattr(self, name) for name in self.parameter_names()}


class UncheckedModelSpec(ModelSpec):
    """A builder and its parameters as they stand, for a look that imports no builder."""

    model_config = ConfigDict(extra="allow")


LayerNames = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    Field(min_length=1),
    BeforeValidator(as_names),
]


class EarlyStoppingSpec(Section):
    """End the training once the monitored metric has stopped improving."""

    patience: int = Field(5, description="Epochs without an improvement before stopping.", ge=1)
    min_delta: float = Field(
        0.0, description="Smallest change that counts as an improvement.", ge=0
    )


class FitSpec(Section):
    """How long, and on how many examples at a time."""

    epochs: int = Field(15, description="Passes over the training images.", ge=1, le=100_000)
    batch_size: int = Field(
        100,
        description="Examples in a step; the last step of an epoch takes what is left.",
        ge=1,
        le=1_000_000,
    )
    min_steps: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        None,
        description="Steps to train at least: where the data are too few for them, batches become "
        "at most a tenth of the training rows (not below 8), and epochs grow until they are "
        "reached. Setting epochs or batch_size over an inherited or named spec turns it off.",
    )
    monitor: Monitored | None = Field(
        None,
        description="What tells the best epoch: for early stopping and for restore_best_weights. "
        "If not given, the objective of `tune`, else val_accuracy.",
    )
    early_stopping: EarlyStoppingSpec | None = Field(
        None, description="When to end before `epochs`."
    )
    restore_best_weights: bool = Field(
        False, description="Keep the weights of the best epoch instead of the last."
    )
    execution: Literal["auto", "compiled", "graph", "plain"] = Field(
        "auto",
        description="Blocks of steps (by XLA, or as a graph), Keras's plain fit, or the fastest.",
    )
    class_weight: Literal["balanced"] | dict[str, Annotated[float, Field(ge=0)]] | None = Field(
        None,
        description="Weight of each class in the loss, by class name; or 'balanced'.",
    )
    freeze: LayerNames | None = Field(
        None,
        description="Names of layers whose weights are not trained, as `kzoo show SPEC --layers` "
        "has them; * stands for any part of a name.",
    )


class StartSpec(Section):
    """The trained model whose weights a training starts from, where they fit."""

    model: DataPath = Field(
        description="A name of `kzoo list` with weights, a run, or a model file (.safetensors); a "
        "relative path starts at the folder of the spec's file.",
    )
    sha256: Annotated[str, Field(min_length=64, max_length=64)] | None = Field(
        None,
        description="Of the model's file, in hexadecimal, which is held to it; a run's own spec "
        "has it.",
    )


class Reference(Section):
    """What others report for this model."""

    test_accuracy: Fraction = Field(description="Their test accuracy.")
    source: str = Field(description="Who they are.")


class Expected(Section):
    """What kzoo measured for this very spec."""

    test_accuracy: tuple[Fraction, Fraction] = Field(
        description="Lowest and highest accuracy on the test set to expect."
    )
    measured: str = Field(description="How it was measured.")
    parameters: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Number of trainable parameters."
    )
    mean: Fraction | None = Field(None, description="Mean test accuracy over the seeds.")
    deviation: Fraction | None = Field(
        None, description="Standard deviation of the test accuracy over the seeds."
    )
    fit_seconds: Annotated[float, Field(gt=0)] | None = Field(
        None, description="Median seconds of training over the seeds, on two CPU cores."
    )

    @field_validator("test_accuracy")
    @classmethod
    def _check_order(cls, value: tuple[float, float]) -> tuple[float, float]:
        if value[0] > value[1]:
            raise ValueError(f"received {list(value)}; expected the lower figure first")
        return value

    @model_validator(mode="after")
    def _check_mean(self) -> Self:
        low, high = self.test_accuracy
        if self.mean is not None and not low <= self.mean <= high:
            raise ValueError(
                f"received mean {self.mean}; expected one within test_accuracy, {low} to {high}"
            )
        if self.deviation is not None and self.mean is None:
            raise ValueError("received a deviation without its mean; expected both")
        return self


class Cost(Section):
    """The second figure of a trial."""

    metric: CostName = Field(description="What was weighed against the score.")
    value: Annotated[int | float, Field(ge=0)] = Field(description="What the model costs.")


class Found(Section):
    """Where a spec that a search found comes from."""

    search: str = Field(description="The search's directory.")
    trial: str = Field(description="The trial's number.")
    metric: Monitored = Field(description="What the search improved.")
    score: float = Field(
        description="What the trial reached; too optimistic, as the best of many, unless confirmed."
    )
    confirmed: int | None = Field(
        None, description="With how many fresh seeds the score was measured again, as their mean."
    )
    epochs: int = Field(description="Epochs the trial trained.", ge=1)
    trials: int = Field(description="How many trials had a score.", ge=1)
    seed: int = Field(description="The trial's seed; the spec has another.", ge=0)
    cost: Cost | None = Field(None, description="The second figure, if the search has one.")
    front: tuple[str, ...] | None = Field(
        None, description="The numbers of the trials that no other beats in score and cost."
    )


class Spec(Section):
    """One experiment, whole: what to build, on what data, how to train it."""

    name: Name = Field(
        description="Names the run directory; the file's name where it is not given."
    )
    description: str = Field("", description="One sentence for a person.")
    model: ModelSpec = Field(description="The builder and its parameters.")
    dataset: DatasetSpec = Field(description="The data.")
    optimizer: Optimizer = Field(Adam(), description="The optimizer and its learning rate.")
    fit: FitSpec = Field(FitSpec(), description="The training.")
    start_from: StartSpec | None = Field(
        None, description="The trained model whose weights the training starts from."
    )
    seed: int = Field(0, description="Same seed, same machine, same bits.", ge=0, le=2**32 - 1)
    tune: TuneSpec | None = Field(None, description="The search that `kzoo tune` runs.")
    reference: Reference | None = Field(None, description="A published figure to compare with.")
    expected: Expected | None = Field(None, description="A measured figure to hold this spec to.")
    found: Found | None = Field(None, description="The search that found this spec.")

    @model_validator(mode="after")
    def _check_validation(self) -> Self:
        wants = [
            key
            for key, is_set in {
                "fit.early_stopping": self.fit.early_stopping is not None,
                "fit.restore_best_weights": self.fit.restore_best_weights,
            }.items()
            if is_set
        ]
        if wants and self.dataset.validation_size == 0:
            raise ValueError(
                f"{wants[0]} needs validation images; received dataset.validation_size 0"
            )
        return self

    @property
    def monitor(self) -> str:
        """What tells the best epoch: `fit.monitor`, else what a search improves."""
        return self.fit.monitor or (self.tune.objective.metric if self.tune else USUAL_METRIC)

    def to_dict(self) -> dict[str, Any]:
        """Return the whole spec as JSON data, defaults included, empty sections left out."""
        return self.model_dump(mode="json", exclude_none=True)

    def to_json(self) -> str:
        """Return `to_dict` as indented JSON text that `load_spec` reads back to an equal Spec."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"
