"""A run to its figures; a spec to its layers and its time, and to a verdict on its figures."""

from kzoo.evaluation.evaluation import Evaluation, evaluate
from kzoo.evaluation.verdict import Verdict, verify

__all__ = ["Evaluation", "Verdict", "evaluate", "verify"]
