"""The datasets that have a name: an entry each is all that kzoo knows of them.

Looking at a spec reads this file, so it imports neither NumPy nor any reader.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kzoo.datasets.shape import DataShape, Handwriting, Scaling

if TYPE_CHECKING:
    from kzoo.datasets.dataset import Source
    from kzoo.datasets.progress import OnProgress

# What data are called that were given in memory.
ARRAYS = "arrays"


@dataclass(frozen=True)
class CachedFile:
    """A file that Keras downloads and keeps in its cache.

    Attributes:
        path: Where it lies within the folder ``datasets`` of Keras's cache.
        origin: Its address.
        sha256: Of its bytes, in hexadecimal, where Keras knows it.
    """

    path: str
    origin: str
    sha256: str | None = None


@dataclass(frozen=True)
class NamedDataset:
    """All that is known of a dataset without reading it.

    Attributes:
        shape: Its name, the shape of an example, its classes and so on.
        description: It in words, for a person.
        read: Reads it; called with this entry and with what is told how far a download is.
        files: What Keras keeps of it.
        handwriting: How its images were made, where they are handwritten signs: what is to be
            recognised later is prepared in the same way.
    """

    shape: DataShape
    description: str
    read: Callable[[NamedDataset, OnProgress | None], Source]
    files: tuple[CachedFile, ...] = ()
    handwriting: Handwriting | None = None


def _read_digits(dataset: NamedDataset, on_progress: OnProgress | None) -> Source:
    """Return scikit-learn's 1,797 images of 8x8, uint8 from 0 to 16; no test split.

    Source: Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", UCI, 1998.
    """
    from sklearn.datasets import load_digits

    from kzoo.datasets.dataset import Source

    bunch = load_digits()
    return Source(
        x_train=bunch.images.astype(dataset.shape.dtype),
        y_train=bunch.target,
        x_test=None,
        y_test=None,
        where=dataset.shape.name,
        class_names=dataset.shape.class_names,
        scaling=dataset.shape.scaling,
    )


def _read_from_keras(dataset: NamedDataset, on_progress: OnProgress | None) -> Source:
    from kzoo.datasets.keras_datasets import read_keras_dataset

    return read_keras_dataset(dataset, on_progress)


_DIGITS = tuple("0123456789")
_FASHION = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
_CIFAR10 = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
_CIFAR100 = (
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle",
    "bottle", "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle",
    "caterpillar", "cattle", "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch",
    "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest", "fox",
    "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn_mower", "leopard", "lion",
    "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain", "mouse", "mushroom",
    "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck", "pine_tree",
    "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road",
    "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake",
    "spider", "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank",
    "telephone", "television", "tiger", "tractor", "train", "trout", "tulip", "turtle",
    "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm",
)  # fmt: skip
_GOOGLE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets"
_TORONTO = "https://www.cs.toronto.edu/~kriz"
_BYTES = Scaling(1 / 255)

_ENTRIES = (
    NamedDataset(
        # Of 1,797 images a fifth is held out to test on.
        DataShape("digits", (8, 8), _DIGITS, 1438, "uint8", Scaling(1 / 16)),
        "1,797 handwritten digits, grey images of 8x8, 10 classes; needs no download",
        _read_digits,
        handwriting=Handwriting(
            ink=8,
            centred="box",
            caution="the model was trained on digits, few images of 8x8 pixels: such models "
            "recognise only 6 to 8 of 10 photographs of digits. A model trained on mnist "
            "recognises 99 of 100.",
        ),
    ),
    NamedDataset(
        DataShape("mnist", (28, 28), _DIGITS, 60_000, "uint8", _BYTES),
        "70,000 handwritten digits, grey images of 28x28, 10 classes",
        _read_from_keras,
        (
            CachedFile(
                "mnist.npz",
                f"{_GOOGLE}/mnist.npz",
                "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
            ),
        ),
        # LeCun et al., "Gradient-Based Learning Applied to Document Recognition", 1998.
        Handwriting(ink=20),
    ),
    NamedDataset(
        DataShape("fashion_mnist", (28, 28), _FASHION, 60_000, "uint8", _BYTES),
        "70,000 pieces of clothing, grey images of 28x28, 10 classes",
        _read_from_keras,
        tuple(
            CachedFile(f"fashion-mnist/{name}", f"{_GOOGLE}/{name}")
            for name in (
                "train-labels-idx1-ubyte.gz",
                "train-images-idx3-ubyte.gz",
                "t10k-labels-idx1-ubyte.gz",
                "t10k-images-idx3-ubyte.gz",
            )
        ),
    ),
    NamedDataset(
        DataShape("cifar10", (32, 32, 3), _CIFAR10, 50_000, "uint8", _BYTES),
        "60,000 photographs, colour images of 32x32, 10 classes",
        _read_from_keras,
        (
            CachedFile(
                "cifar-10-batches-py-target_archive",
                f"{_TORONTO}/cifar-10-python.tar.gz",
                "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
            ),
        ),
    ),
    NamedDataset(
        DataShape("cifar100", (32, 32, 3), _CIFAR100, 50_000, "uint8", _BYTES),
        "60,000 photographs, colour images of 32x32, 100 classes",
        _read_from_keras,
        (
            CachedFile(
                "cifar-100-python-target_archive",
                f"{_TORONTO}/cifar-100-python.tar.gz",
                "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
            ),
        ),
    ),
)
NAMED_DATASETS = {entry.shape.name: entry for entry in _ENTRIES}
