"""A name, a path or arrays to a checked Dataset with class names and scaling."""

from kzoo.datasets.dataset import Arrays, Dataset, Scaling
from kzoo.datasets.image_files import ImageFiles
from kzoo.datasets.load import is_name, load_dataset

__all__ = ["Arrays", "Dataset", "ImageFiles", "Scaling", "is_name", "load_dataset"]
