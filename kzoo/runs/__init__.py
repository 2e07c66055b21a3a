"""Run directories: written atomically, found by name, loaded as a trained model."""

from kzoo.runs.directory import create_run, find_run, write_atomically, write_json
from kzoo.runs.environment import describe_environment
from kzoo.runs.facts import DatasetFacts
from kzoo.runs.lock import holding
from kzoo.runs.model import predict, scaled_model
from kzoo.runs.record import Run, load, open_model

__all__ = [
    "DatasetFacts",
    "Run",
    "create_run",
    "describe_environment",
    "find_run",
    "holding",
    "load",
    "open_model",
    "predict",
    "scaled_model",
    "write_atomically",
    "write_json",
]
