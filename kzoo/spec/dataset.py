"""The `dataset` section of a spec: what is read, and how."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from kzoo.spec.base import Section

DataPath = Annotated[str, Field(min_length=1, max_length=4096)]
Side = Annotated[int, Field(ge=1, le=4096)]


def as_names(value: object) -> object:
    """Return a text as the names in it, with commas between them, which so need no brackets.

    A name that has a comma itself stands in a list.
    """
    if isinstance(value, str):
        return tuple(name.strip() for name in value.split(","))
    # A function makes of JSON's arrays lists, which a strict tuple does not take.
    return tuple(value) if isinstance(value, list) else value


ColumnNames = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    Field(min_length=1),
    BeforeValidator(as_names),
]


class AugmentSpec(Section):
    """Random changes of each training image, drawn anew every time it is seen."""

    shift: float = Field(
        0.0, description="Largest shift along each axis, as a fraction of its size.", ge=0, le=0.5
    )
    rotate: float = Field(0.0, description="Largest rotation either way, in degrees.", ge=0, le=180)
    zoom: float = Field(
        0.0, description="Largest zoom in or out, as a fraction of the size.", ge=0, le=0.5
    )


class TableSpec(Section):
    """How a table is read, where a guess will not do."""

    separator: Annotated[str, Field(min_length=1, max_length=1)] | None = Field(
        None, description="What parts the cells of a text table, one character; guessed if none."
    )
    decimal: Literal[".", ","] | None = Field(
        None, description="The decimal point of a text table; guessed if none."
    )
    encoding: Annotated[str, Field(min_length=1, max_length=40)] | None = Field(
        None, description="The encoding of a text table; utf-8, or what its first bytes tell."
    )
    header: bool | None = Field(
        None, description="Whether the first row of a text table names the columns; else guessed."
    )
    label: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="The label's column; 'label', else the last, if not given."
    )
    columns: ColumnNames | None = Field(
        None, description="The columns that are inputs; all but the label if not given."
    )
    exclude: ColumnNames | None = Field(None, description="Columns that are no inputs.")
    categories: ColumnNames | None = Field(
        None, description="Columns of numbers that stand for categories, such as postcodes."
    )
    max_categories: int = Field(
        50,
        description="Words of a category that are inputs of their own; rarer ones share one.",
        ge=2,
        le=10_000,
    )

    @model_validator(mode="after")
    def _check_columns(self) -> Self:
        if self.columns and self.exclude:
            raise ValueError("received both columns and exclude; expected one of them")
        return self


class DatasetSpec(Section):
    """What the model is trained, validated and tested on."""

    name: DataPath = Field(
        description="A dataset's name, or the path of a file or folder; a relative one starts at "
        "the folder of the spec's file.",
    )
    fallback: Literal["digits"] | None = Field(
        None,
        description="What to train on, under a loud notice, where `name` is nowhere to be had.",
    )
    validation_size: int = Field(
        5000,
        description="Training rows held out to validate on; at most 20 % of them are taken.",
        ge=0,
    )
    test: DataPath | None = Field(
        None, description="A file or folder of its own to test on, read as `name` is."
    )
    validation: DataPath | None = Field(
        None, description="A file or folder of its own to validate on, read as `name` is."
    )
    label: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="Of a table, the label's column: short for `table.label`."
    )
    table: TableSpec | None = Field(None, description="How a table is read.")
    image_shape: Annotated[tuple[Side, ...], Field(min_length=2, max_length=3)] | None = Field(
        None,
        description="Of a table or an array of pixels, the [height, width] or [height, width, "
        "channels] of the image that each row is.",
    )
    image_size: tuple[Side, Side] | None = Field(
        None,
        description="Of a folder of images, the [height, width] that all are stretched to.",
    )
    image_channels: Literal[1, 3] | None = Field(
        None,
        description="Of a folder of images, 1 to read all as grey, 3 to read all as colour. Grey "
        "where all of them are grey if not given.",
    )
    image_bits: Annotated[int, Field(ge=8, le=16)] | None = Field(
        None,
        description="Of 16-bit images, the number of bits that hold their values; the upper 8 of "
        "these are kept. As many as the largest value of all images needs if not given.",
    )
    memory_limit: Annotated[float, Field(gt=0)] | None = Field(
        None,
        description="GiB of memory that a folder of images may take; a larger one is read from its "
        "files while it is trained on. Half of the machine's memory if not given.",
    )
    augment: AugmentSpec | None = Field(None, description="Augmentation of the training images.")

    @model_validator(mode="after")
    def _check_label(self) -> Self:
        if self.label is not None and self.table is not None and self.table.label is not None:
            raise ValueError("received label and table.label; expected one of them")
        return self

    @property
    def table_settings(self) -> TableSpec:
        """How a table is read: `table`, with the label's column in it."""
        settings = self.table or TableSpec()
        return settings if self.label is None else settings.model_copy(update={"label": self.label})
