"""A training, also in the logs of other libraries: TensorBoard, Weights & Biases, MLflow."""

from kzoo.logs.library import Library, RunLog, Subject
from kzoo.logs.table import LIBRARIES, find_libraries, find_library, opening

__all__ = ["LIBRARIES", "Library", "RunLog", "Subject", "find_libraries", "find_library", "opening"]
