"""What is known of the columns of a table before anything is learnt from its rows."""

from __future__ import annotations

from kzoo.datasets.dataset import Source
from kzoo.datasets.features import Column, Features, PixelFeatures, TableFeatures
from kzoo.datasets.tables.table import Table


def known_features(source: Source) -> Features | None:
    """Return what a file of another split has to have, where the training split is a table."""
    if isinstance(source.x_train, Table):
        columns = tuple(Column(column.name, column.kind) for column in source.x_train.columns)
        return TableFeatures(columns, source.label, source.left_out)
    if source.columns:
        return PixelFeatures(source.columns, tuple(source.x_train.shape[1:]), source.label)
    return None
