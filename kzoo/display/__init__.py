"""What a person sees of a training, or of a search of many, drawn with rich."""

from kzoo.display.download import downloading
from kzoo.display.progress import RichProgress
from kzoo.display.result import accuracy_interval, print_best, print_result
from kzoo.display.search import SearchProgress
from kzoo.display.view import Header, Mode

__all__ = [
    "Header",
    "Mode",
    "RichProgress",
    "SearchProgress",
    "accuracy_interval",
    "downloading",
    "print_best",
    "print_result",
]
