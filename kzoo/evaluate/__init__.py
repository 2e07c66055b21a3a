"""A finished run to its figures; a spec to the layers and the time that it will take."""

from kzoo.evaluate.evaluate import evaluate
from kzoo.evaluate.figures import ClassFigures, Confusion, Evaluation

__all__ = ["ClassFigures", "Confusion", "Evaluation", "evaluate"]
