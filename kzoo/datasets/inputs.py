"""What the inputs of divided data mean, and their arrays as a model takes them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kzoo.datasets.check import find_scaling
from kzoo.datasets.dataset import Arrays, Source
from kzoo.datasets.features import Features, PixelFeatures, features_of_shape
from kzoo.datasets.shape import Scaling
from kzoo.datasets.split import Division
from kzoo.datasets.tables.learn import Encoded, encode_parts, learn_features
from kzoo.datasets.tables.pooled import pooled_words
from kzoo.datasets.tables.table import Table
from kzoo.spec.dataset import DatasetSpec


@dataclass(frozen=True)
class LearntInputs:
    """Divided data as a model takes them, and what their training rows taught.

    Attributes:
        split: The parts; tables are arrays of floats.
        features: What the inputs mean.
        scaling: Of arrays and images: the map to order one.
        notices: What the person should know of them.
    """

    split: Division
    features: Features
    scaling: Scaling
    notices: tuple[str, ...] = ()


def as_arrays(split: Division, source: Source, section: DatasetSpec) -> LearntInputs:
    """Return divided data as a model takes them.

    Args:
        split: The parts, as they were read.
        source: What they were read from.
        section: Says how many categories have an input of their own.
    """
    if isinstance(split.train.x, Table):
        return _as_floats(split, source, section)
    shape = tuple(split.train.x.shape[1:])
    features, is_image = features_of_shape(shape), None
    if source.columns:
        features, is_image = PixelFeatures(source.columns, shape, source.label), True
    scaling = source.scaling or find_scaling(split.train.x, is_image=is_image)
    return LearntInputs(split, features, scaling)


def _as_floats(split: Division, source: Source, section: DatasetSpec) -> LearntInputs:
    """Return a divided table as arrays, its columns learnt from the training rows alone."""
    features, notices = learn_features(
        split.train.x,
        section.table_settings.max_categories,
        label=source.label,
        left_out=source.left_out,
    )
    encoded: dict[int, Encoded] = {}
    parts = [part for part in (split.train, split.validation, split.test) if part]
    pooled = {id(part): pooled_words(part.x, features) for part in parts}
    # Those that were held out share the columns of the rows that they were held out of.
    for columns in {id(part.x.columns): part.x.columns for part in parts}.values():
        sharing = [part for part in parts if part.x.columns is columns]
        arrays = encode_parts([part.x for part in sharing], features, gives_up=True)
        encoded |= zip(map(id, sharing), arrays, strict=True)

    def of(part: Arrays) -> Arrays:
        return Arrays(encoded[id(part)][0], part.y, pooled[id(part)])

    as_floats = replace(
        split,
        train=of(split.train),
        validation=of(split.validation) if split.validation else None,
        test=of(split.test),
    )
    notices += unknown_notices(encoded[id(split.test)][1], "the test rows")
    return LearntInputs(as_floats, features, Scaling(1.0), notices)


def unknown_notices(unknown: dict[str, int], where: str) -> tuple[str, ...]:
    """Return what is told of words that no training row has."""
    return tuple(
        f"{where}: column {name!r}: {count:,} {'row has' if count == 1 else 'rows have'} a word "
        "that no training row has, which counts as unknown."
        for name, count in unknown.items()
    )
