"""What a trained model must know of its data."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kzoo.datasets.catalogue import NAMED_DATASETS
from kzoo.datasets.features import Features, TableFeatures, features_of_shape
from kzoo.datasets.shape import Handwriting, Scaling

if TYPE_CHECKING:
    from kzoo.datasets import Dataset


class DatasetFacts(BaseModel):
    """What a trained model must know of its data, as kept in ``environment.json``."""

    model_config = ConfigDict(frozen=True)

    name: str
    fingerprint: str
    input_shape: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]
    class_names: Annotated[tuple[str, ...], Field(min_length=2)]
    scaling: Scaling
    features: Features = Field(discriminator="kind")
    train_fingerprint: str = ""
    test_file: str = ""
    holds_out_test: bool = True
    rows: dict[str, int]
    class_counts: tuple[int, ...] = ()
    handwriting: Handwriting | None = None
    image_bits: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, facts: Any) -> Any:
        """Give the records of earlier versions, which had none, the features of their shape."""
        if isinstance(facts, dict) and "features" not in facts and "input_shape" in facts:
            shape = tuple(facts["input_shape"])
            return {**facts, "features": asdict(features_of_shape(shape))}
        return facts

    @model_validator(mode="after")
    def _check_columns(self) -> Self:
        if self.features.input_shape != self.input_shape:
            raise ValueError(
                f"received features of {self.features.input_shape}; expected {self.input_shape}"
            )
        for part in (self.scaling.scale, self.scaling.offset):
            if isinstance(part, tuple) and len(part) != self.input_shape[-1]:
                raise ValueError(f"received {len(part)} columns; expected {self.input_shape[-1]}")
        return self

    @property
    def table(self) -> TableFeatures | None:
        """The columns, where the data are a table."""
        return self.features if isinstance(self.features, TableFeatures) else None

    @classmethod
    def of(cls, dataset: Dataset) -> DatasetFacts:
        """Take down the facts of a dataset."""
        validation, known = dataset.validation, NAMED_DATASETS.get(dataset.name)
        return cls(
            name=dataset.name,
            fingerprint=dataset.fingerprint,
            input_shape=dataset.input_shape,
            class_names=dataset.class_names,
            scaling=dataset.scaling,
            features=dataset.features,
            train_fingerprint=dataset.fingerprints.train,
            test_file=dataset.fingerprints.test_file,
            holds_out_test=dataset.holds_out_test,
            class_counts=dataset.class_counts,
            handwriting=known.handwriting if known else None,
            image_bits=dataset.image_bits,
            rows={
                "train": len(dataset.train),
                "validation": len(validation) if validation else 0,
                "test": len(dataset.test),
            },
        )
