"""A run to its figures; a spec to its layers and its time, and to a verdict on its figures."""

from kzoo.evaluate.evaluate import evaluate
from kzoo.evaluate.figures import ClassFigures, Confusion, Evaluation
from kzoo.evaluate.verify import Verdict, verify

__all__ = ["ClassFigures", "Confusion", "Evaluation", "Verdict", "evaluate", "verify"]
