"""What predictions are worth: metrics, intervals, and the figures of each class."""

from kzoo.figures.interval import accuracy_interval
from kzoo.figures.metrics import METRICS, MONITORED, Direction, Metric, metric_of

__all__ = ["METRICS", "MONITORED", "Direction", "Metric", "accuracy_interval", "metric_of"]
