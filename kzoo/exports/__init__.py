"""A trained model to files of other runtimes, each held to Keras's answers before it is kept."""

from kzoo.exports.export import Export, export

__all__ = ["Export", "export"]
