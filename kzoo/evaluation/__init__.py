"""A run to its figures; a spec to its layers and its time, and to a verdict on its figures."""

from kzoo.evaluation.evaluate import evaluate
from kzoo.evaluation.figures import ClassFigures, Confusion, Evaluation
from kzoo.evaluation.verify import Verdict, verify

__all__ = ["ClassFigures", "Confusion", "Evaluation", "Verdict", "evaluate", "verify"]
