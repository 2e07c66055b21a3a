"""Ways to compile, data and arguments of `fit`, by what they are compared for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import keras
import numpy as np
import scipy.sparse
import tensorflow as tf
from support.like_keras_models import ONE_HOT, ROWS, TARGETS, Settings, X, Y, classify, named_losses

SCC = "sparse_categorical_crossentropy"
metrics, losses, optimizers = keras.metrics, keras.losses, keras.optimizers


def _read_only(array: Any) -> Any:
    array = array.copy()
    array.flags.writeable = False
    return array


def _sparse_tensor() -> Any:
    return tf.sparse.from_dense(X * (X > 0))


class Sequence(keras.utils.PyDataset):
    """Four batches of six."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Any:
        rows = slice(6 * index, 6 * index + 6)
        return X[rows], Y[rows]


def _generator() -> Iterator[Any]:
    while True:
        yield X[:6], Y[:6]


def _tf_data(*, weighted: bool = False) -> Any:
    parts = (X, Y, np.linspace(0, 2, ROWS)) if weighted else (X, Y)
    return tf.data.Dataset.from_tensor_slices(parts).batch(7)


def _python_loss(y: Any, y_pred: Any) -> Any:
    loss = losses.sparse_categorical_crossentropy(y, y_pred)
    nothing = tf.numpy_function(lambda a: 0 * a, [loss], tf.float32)
    nothing.set_shape(loss.shape)
    return loss + tf.stop_gradient(nothing)


def _printing_loss(y: Any, y_pred: Any) -> Any:
    tf.print("", end="", output_stream="file:///dev/null")
    return losses.sparse_categorical_crossentropy(y, y_pred)


def _own_loss(y: Any, y_pred: Any) -> Any:
    return keras.ops.square(keras.ops.cast(y, "float32") - keras.ops.max(y_pred, axis=-1))


def _own_metric(y: Any, y_pred: Any) -> Any:
    return keras.ops.mean(y_pred[:, 0])


def _worded_metric(y: Any, y_pred: Any) -> Any:
    return tf.cast(tf.strings.length(tf.strings.as_string(y_pred[:, 0], precision=2)), tf.float32)


class Several(keras.metrics.Metric):
    """A metric whose result is a dict."""

    def __init__(self) -> None:
        super().__init__(name="several")
        self.sum = self.add_weight(shape=(), initializer="zeros", name="sum")

    def update_state(self, y: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add up the predictions of the first class."""
        self.sum.assign_add(keras.ops.sum(y_pred[:, 0]))

    def result(self) -> Any:
        """Return the sum and its half."""
        return {"whole": self.sum + 0.0, "half": self.sum / 2}


def with_optimizer(make: Callable[..., Any], **settings: Any) -> Callable[[], Settings]:
    """Return a function that gives the settings of a classifier with another optimizer."""
    return lambda: classify() | {"optimizer": make(learning_rate=0.01, **settings)}


def changed(**settings: Any) -> Callable[[], Settings]:
    """Return a function that gives the settings of a classifier with others laid over them."""
    return lambda: classify() | settings


def _scheduled() -> Settings:
    return classify() | {"optimizer": optimizers.SGD(optimizers.schedules.CosineDecay(0.1, 8))}


def _scaled() -> Settings:
    return classify() | {"optimizer": optimizers.LossScaleOptimizer(optimizers.SGD(0.1))}


COMPILES: dict[str, Callable[[], Settings]] = {
    "loss object": lambda: classify() | {"loss": losses.SparseCategoricalCrossentropy()},
    "loss sum": lambda: (
        classify() | {"loss": losses.SparseCategoricalCrossentropy(reduction="sum")}
    ),
    "loss named": lambda: classify() | {"loss": losses.SparseCategoricalCrossentropy(name="cost")},
    "loss list": changed(loss=[SCC]),
    "loss function": changed(loss=_own_loss),
    "loss in Python": changed(loss=_python_loss),
    "loss that prints": changed(loss=_printing_loss),
    "loss weights": changed(loss_weights=0.5),
    "loss weights list": changed(loss_weights=[0.5]),
    "no metrics": changed(metrics=None),
    "metric object": lambda: classify() | {"metrics": [metrics.SparseTopKCategoricalAccuracy(2)]},
    "metric function": changed(metrics=[_own_metric]),
    "metric acc": changed(metrics=["acc"]),
    "metric with words": changed(metrics=[_worded_metric]),
    "metrics nested": changed(metrics=[["accuracy", SCC]]),
    "metric of dicts": lambda: classify() | {"metrics": [Several()]},
    "metric renamed": lambda: classify() | {"metrics": [metrics.SparseCategoricalAccuracy("hits")]},
    "metric twice": changed(metrics=["accuracy", "accuracy"]),
    "weighted metrics": changed(weighted_metrics=["accuracy"]),
    "both metrics": changed(weighted_metrics=[SCC]),
    "run_eagerly": changed(run_eagerly=True),
    "jit_compile": changed(jit_compile=True),
    "no jit_compile": changed(jit_compile=False),
    "steps_per_execution 2": changed(steps_per_execution=2),
    "steps_per_execution 9": changed(steps_per_execution=9),
    "momentum": with_optimizer(optimizers.SGD, momentum=0.9, nesterov=True),
    "adam": with_optimizer(optimizers.Adam),
    "adam by name": changed(optimizer="adam"),
    "adamw": with_optimizer(optimizers.AdamW, weight_decay=0.1),
    "rmsprop": with_optimizer(optimizers.RMSprop),
    "adagrad": with_optimizer(optimizers.Adagrad),
    "lion": with_optimizer(optimizers.Lion),
    "ema": with_optimizer(optimizers.SGD, use_ema=True, ema_overwrite_frequency=3),
    "clipnorm": with_optimizer(optimizers.SGD, clipnorm=0.1),
    "global clipnorm": with_optimizer(optimizers.SGD, global_clipnorm=0.1),
    "clipvalue": with_optimizer(optimizers.SGD, clipvalue=0.01),
    "accumulation": with_optimizer(optimizers.SGD, gradient_accumulation_steps=2),
    "loss scale factor": with_optimizer(optimizers.SGD, loss_scale_factor=8.0),
    "scheduled": _scheduled,
    "loss scaling": _scaled,
    "optimizer by default": lambda: {"loss": SCC},
}  # fmt: skip

# For labels that are a vector of three numbers a row.
ONE_HOT_COMPILES: dict[str, Callable[[], Settings]] = {
    "f1 array": lambda: classify() | {"loss": "mse", "metrics": [metrics.F1Score()]},
    "f1 macro": lambda: {
        "optimizer": "sgd", "loss": "mse", "metrics": [metrics.F1Score(average="macro")],
    },
    "accuracy of one-hot": changed(loss="categorical_crossentropy"),
    "auc": lambda: classify() | {"loss": "mse", "metrics": [metrics.AUC(), metrics.Precision()]},
    "smoothed": lambda: classify() | {"loss": losses.CategoricalCrossentropy(label_smoothing=0.1)},
    "confusion": lambda: {"optimizer": "sgd", "loss": "mse", "metrics": [metrics.OneHotMeanIoU(3)]},
}  # fmt: skip

# For the model of two outputs in a list; {} stands for labels by name.
TWO_OUTPUTS: dict[str, Callable[[], Settings]] = {
    "one loss for both": lambda: {"optimizer": "sgd", "loss": losses.MeanSquaredError()},
    "loss weights by name": lambda: (
        named_losses() | {"loss_weights": {"first": 2.0, "second": 0.1}}
    ),
    "weighted metrics by name": lambda: named_losses() | {"weighted_metrics": {"second": ["mse"]}},
    "one output without metrics": lambda: named_losses() | {"metrics": {"second": "mae"}},
    "metrics by name, no list": lambda: named_losses() | {"metrics": {"first": "accuracy"}},
}


def _as(name: str, array: Any, dtype: str) -> Settings:
    return {name: array.astype(dtype)}


DATA: dict[str, Callable[[], Settings]] = {
    **{
        f"x {dtype}": partial(_as, "x", 4 * X, dtype)
        for dtype in ("float16", "float64", "int8", "int32", "int64", "bool", ">f4", ">i4", "uint8")
    },
    **{
        f"y {dtype}": partial(_as, "y", Y, dtype)
        for dtype in ("int8", "uint8", "int32", "float32", "float64", ">i8", ">f4")
    },
    "x strided": lambda: {"x": np.repeat(X, 2, axis=0)[::2]},
    "x reversed": lambda: {"x": X[::-1]},
    "x Fortran": lambda: {"x": np.asfortranarray(X)},
    "x read-only": lambda: {"x": _read_only(X), "y": _read_only(Y)},
    "x in a list": lambda: {"x": [X]},
    "x in a tuple": lambda: {"x": (X,)},
    "y column": lambda: {"y": Y[:, None]},
    "tensors": lambda: {"x": tf.constant(X), "y": tf.constant(Y)},
    "keras variables": lambda: {"x": keras.Variable(X), "y": keras.Variable(Y, dtype="int64")},
    "tf variables": lambda: {"x": tf.Variable(X), "y": tf.Variable(Y)},
    "memmap": lambda: {"x": np.asarray(X).view(np.memmap)},
    "sparse tensor": lambda: {"x": _sparse_tensor(), "batch_size": ROWS},
    "scipy sparse": lambda: {"x": scipy.sparse.csr_array(X * (X > 0))},
    "tf.data": lambda: {"x": _tf_data(), "y": None, "batch_size": None},
    "tf.data weighted": lambda: {"x": _tf_data(weighted=True), "y": None, "batch_size": None},
    "tf.data validation": lambda: {"validation_data": _tf_data()},
    "generator": lambda: {"x": _generator(), "y": None, "batch_size": None, "steps_per_epoch": 3},
    "PyDataset": lambda: {"x": Sequence(), "y": None, "batch_size": None},
    "PyDataset validation": lambda: {"validation_data": Sequence()},
}

_WEIGHTS = np.linspace(0, 2, ROWS)
FITS: dict[str, Callable[[], Settings]] = {
    "batch of one": lambda: {"batch_size": 1},
    "batch that divides": lambda: {"batch_size": 8},
    "batch of all": lambda: {"batch_size": ROWS},
    "batch of more": lambda: {"batch_size": 100},
    "batch by default": lambda: {"batch_size": None},
    "batch NumPy int": lambda: {"batch_size": np.int64(5), "epochs": np.int64(2)},
    "class_weight": lambda: {"class_weight": {0: 1.0, 1: 0.5, 2: 2.0}},
    "class_weight ints": lambda: {"class_weight": {0: 1, 1: 3, 2: 2}},
    "class_weight some": lambda: {"class_weight": {1: 0.5}},
    "class_weight float labels": lambda: {"y": Y.astype("float32"), "class_weight": {0: 2.0}},
    "class_weight column": lambda: {"y": Y[:, None], "class_weight": {0: 2.0}},
    "sample_weight": lambda: {"sample_weight": _WEIGHTS},
    "sample_weight float32": lambda: {"sample_weight": _WEIGHTS.astype("float32")},
    "sample_weight ints": lambda: {"sample_weight": np.arange(ROWS) % 4},
    "sample_weight bool": lambda: {"sample_weight": np.arange(ROWS) % 2 == 0},
    "sample_weight column": lambda: {"sample_weight": _WEIGHTS[:, None]},
    "sample_weight list": lambda: {"sample_weight": [_WEIGHTS]},
    "sample_weight tensor": lambda: {"sample_weight": tf.constant(_WEIGHTS)},
    "sample_weight split": lambda: {"sample_weight": _WEIGHTS, "validation_split": 0.25},
    "validation of 2": lambda: {"validation_data": (X[:10], Y[:10])},
    "validation of 3": lambda: {"validation_data": (X[:10], Y[:10], _WEIGHTS[:10])},
    "validation list": lambda: {"validation_data": [X[:10], Y[:10]]},
    "validation float64": lambda: {"validation_data": (X[:10].astype("float64"), Y[:10])},
    "validation tensors": lambda: {"validation_data": (tf.constant(X), tf.constant(Y))},
    "validation big-endian": lambda: {"validation_data": (X.astype(">f4"), Y)},
    "validation_split": lambda: {"validation_split": 0.3},
    "validation_batch_size": lambda: {"validation_split": 0.3, "validation_batch_size": 3},
    "validation_freq": lambda: {"validation_split": 0.3, "validation_freq": 2, "epochs": 4},
    "validation_freq list": lambda: {"validation_split": 0.3, "validation_freq": [1, 2]},
    "validation_steps": lambda: {"validation_split": 0.5, "validation_steps": 2},
    "steps_per_epoch": lambda: {"steps_per_epoch": 3},
    "initial_epoch": lambda: {"initial_epoch": 1, "epochs": 3},
    "initial_epoch late": lambda: {"initial_epoch": 3, "epochs": 2},
    "no epochs": lambda: {"epochs": 0},
    "verbose 1": lambda: {"verbose": 1},
    "verbose auto": lambda: {"verbose": "auto"},
    "verbose 2": lambda: {"verbose": 2, "validation_split": 0.3},
    "verbose None": lambda: {"verbose": None},
    "verbose True": lambda: {"verbose": True},
    # Keras takes these too.
    "empty validation": lambda: {"validation_data": (X[:0], Y[:0])},
    "empty data": lambda: {"x": X[:0], "y": Y[:0]},
    "validation_split above": lambda: {"validation_split": 1.5},
    "batch of none": lambda: {"batch_size": 0},
}  # fmt: skip

ERRORS: dict[str, Callable[[], Settings]] = {
    "label too large": lambda: {"y": Y + 1},
    "label negative": lambda: {"y": Y - 1},
    "validation label too large": lambda: {"validation_data": (X, Y + 1)},
    "unequal lengths": lambda: {"y": Y[:-1]},
    "unequal validation": lambda: {"validation_data": (X, Y[:-1])},
    "unequal weights": lambda: {"sample_weight": _WEIGHTS[:-1]},
    "unequal validation weights": lambda: {"validation_data": (X, Y, _WEIGHTS[:-1])},
    "validation_split of all": lambda: {"validation_split": 1.0},
    "features too many": lambda: {"x": np.concatenate([X, X], axis=1)},
    "labels of another shape": lambda: {"y": TARGETS},
    "validation features too many": lambda: {"validation_data": (np.hstack([X, X]), Y)},
    "validation of four": lambda: {"validation_data": (X, Y, _WEIGHTS, Y)},
    "no labels": lambda: {"y": None},
    "no data": lambda: {"x": None, "y": None},
    "words": lambda: {"x": np.full((ROWS, 6), "a")},
    "class_weight of several": lambda: {"y": ONE_HOT[:, :, None], "class_weight": {0: 1.0}},
    "class_weight and weights": lambda: {"class_weight": {0: 1.0}, "sample_weight": _WEIGHTS},
    "epochs as words": lambda: {"epochs": "two"},
    "validation_freq of zero": lambda: {"validation_split": 0.3, "validation_freq": 0},
    "validation_freq of a tuple": lambda: {"validation_split": 0.3, "validation_freq": (2,)},
    "unknown argument": lambda: {"batchsize": 3},
}
