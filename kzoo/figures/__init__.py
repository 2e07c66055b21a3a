"""What predictions are worth: metrics, intervals, and the figures of each class."""

from kzoo.figures.baseline import majority_accuracy
from kzoo.figures.interval import accuracy_interval
from kzoo.figures.metrics import METRICS, MONITORED, Direction, Metric, metric_of

__all__ = [
    "METRICS",
    "MONITORED",
    "Direction",
    "Metric",
    "accuracy_interval",
    "majority_accuracy",
    "metric_of",
]
