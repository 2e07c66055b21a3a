"""What predictions are worth: metrics, intervals, and the figures of each class."""

from kzoo.figures.baseline import majority_accuracy
from kzoo.figures.interval import accuracy_interval
from kzoo.figures.metrics import (
    METRICS,
    MONITORED,
    Direction,
    Metric,
    is_defined,
    metric_of,
    reported_metrics,
)

__all__ = [
    "METRICS",
    "MONITORED",
    "Direction",
    "Metric",
    "accuracy_interval",
    "is_defined",
    "majority_accuracy",
    "metric_of",
    "reported_metrics",
]
