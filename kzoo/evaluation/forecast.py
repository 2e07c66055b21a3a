"""What a training and a search of a spec are about to take here, for the most part measured.

Memory is measured of the whole process, so it should be one that has done nothing else.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

import numpy as np

from kzoo.datasets import NAMED_DATASETS, DataShape, load_dataset
from kzoo.datasets.formats import unfit_settings
from kzoo.engine import choose, is_slow_in_bfloat16
from kzoo.engine.choice import Choice
from kzoo.errors import KzooError
from kzoo.evaluation.timing import model_for, time_epoch, with_steps_for
from kzoo.machine import describe_device, peak_memory
from kzoo.runs.layer_figures import LayerFigures, layer_figures
from kzoo.spec import Spec
from kzoo.spec.sampled import known_points
from kzoo.spec.tune import ALGORITHMS, TuneSpec
from kzoo.start import keras
from kzoo.train.augment import augmented
from kzoo.tuning.algorithms import Proposer, count_trials, make_proposer


class SearchForecast(TypedDict):
    """What a search is about to be.

    Attributes:
        algorithm: What proposes its trials.
        points: How many different points the space has; None for no end of them.
        trials: The number of trials at most.
        epochs: Epochs of all trials at most.
    """

    algorithm: str
    points: int | None
    trials: int
    epochs: int


class Forecast(TypedDict):
    """What a training of a spec is about to take; a dictionary, which any process can read.

    Attributes:
        backend: What Keras computes with.
        device: What it computes on.
        dataset: The data's name.
        rows: Examples to train on, those to validate on included.
        input_shape: Shape of one example.
        example_bytes: Of one example, as it is kept.
        is_streamed: Whether the examples stay in their files while they are trained on.
        can_stream: Whether they could.
        parameters: Of the model.
        trained_parameters: Those of them that are trained.
        operations: Of one forward pass of one example, as far as its layers can be counted.
        uncounted: Names of the layers that cannot.
        execution: How the training is executed.
        reason: Why so.
        policy: The dtype policy.
        slow_in_bfloat16: Whether this machine is known to be slower in bfloat16.
        epochs: Of a training.
        batch_size: That is taken.
        epoch_seconds: What an epoch takes, validation included.
        bfloat16_seconds: What it takes in bfloat16, where that was measured.
        timed_rows: Examples of the short epochs that were measured.
        base_memory: Bytes of this process before, Keras included, where the system says it.
        peak_memory: Its most bytes in float32 or what else the spec says, where it does.
        search: Of the search, where the spec has one.
    """

    backend: str
    device: str
    dataset: str
    rows: int
    input_shape: tuple[int, ...]
    example_bytes: int
    is_streamed: bool
    can_stream: bool
    parameters: int
    trained_parameters: int
    operations: int
    uncounted: list[str]
    execution: str
    reason: str
    policy: str
    slow_in_bfloat16: bool
    epochs: int
    batch_size: int
    epoch_seconds: float
    bfloat16_seconds: float | None
    timed_rows: int
    base_memory: int | None
    peak_memory: int | None
    search: SearchForecast | None


def forecast(spec: Spec) -> Forecast:
    """Build the model of a spec, train it for a few short epochs, and say what a run would take.

    Data that have no name are read; those that have one are not, and random ones do instead.

    Raises:
        KzooError: the data cannot be read, or the model cannot be built for them or trained.
    """
    base = peak_memory()
    shape, is_streamed, can_stream = _data(spec)
    spec = with_steps_for(spec, shape)
    model = model_for(spec, shape)
    layers = layer_figures(model)
    choice = _choice(model, spec, is_streamed=is_streamed)
    epoch = time_epoch(spec, shape)
    peak = peak_memory()
    return Forecast(
        backend=keras.config.backend(),
        device=describe_device(),
        dataset=shape.name,
        rows=shape.rows,
        input_shape=shape.input_shape,
        example_bytes=math.prod(shape.input_shape) * np.dtype(shape.dtype).itemsize,
        is_streamed=is_streamed,
        can_stream=can_stream,
        parameters=model.count_params(),
        trained_parameters=sum(math.prod(weight.shape) for weight in model.trainable_weights),
        operations=sum(layer.operations or 0 for layer in layers),
        uncounted=[layer.name for layer in layers if layer.operations is None],
        execution=choice.execution,
        reason=choice.reason,
        policy=spec.model.dtype_policy,
        slow_in_bfloat16=is_slow_in_bfloat16(),
        epochs=spec.fit.epochs,
        batch_size=spec.fit.batch_size,
        epoch_seconds=epoch.seconds,
        bfloat16_seconds=_time_in_bfloat16(spec, shape, layers),
        timed_rows=epoch.timed_rows,
        base_memory=base,
        peak_memory=peak,
        search=_search(spec, spec.tune) if spec.tune else None,
    )


def _data(spec: Spec) -> tuple[DataShape, bool, bool]:
    """Return the shape of a spec's data, whether they stay in their files, and if they could."""
    known = NAMED_DATASETS.get(spec.dataset.name)
    if known is not None:
        return known.shape, False, False
    dataset = load_dataset(spec)
    can_stream = "memory_limit" not in unfit_settings(Path(spec.dataset.name))
    return dataset.shape, dataset.is_streamed, can_stream


def _choice(model: keras.Model, spec: Spec, *, is_streamed: bool) -> Choice:
    if is_streamed:
        return Choice("plain", "the data stream")
    twin = augmented(model, spec.dataset.augment) if spec.dataset.augment else model
    return choose(twin, spec.fit.execution)


def _time_in_bfloat16(
    spec: Spec, shape: DataShape, layers: tuple[LayerFigures, ...]
) -> float | None:
    """Return the seconds of an epoch in bfloat16, where that can be worth a try."""
    convolves = any(layer.kind.startswith("Conv") for layer in layers)
    if spec.model.dtype_policy != "float32" or not convolves or is_slow_in_bfloat16():
        return None
    section = spec.model.model_copy(update={"dtype_policy": "mixed_bfloat16"})
    try:
        return time_epoch(spec.model_copy(update={"model": section}), shape).seconds
    except KzooError:
        # Not every builder can.
        return None


def _search(spec: Spec, tune: TuneSpec) -> SearchForecast:
    known = known_points(spec)
    proposer = make_proposer(tune, seed=spec.seed, epochs=spec.fit.epochs, known=known)
    trials, sets_epochs = count_trials(tune, proposer), ALGORITHMS[tune.algorithm].sets_epochs
    whole = spec.fit.epochs
    return SearchForecast(
        algorithm=tune.algorithm,
        points=proposer.points,
        trials=trials,
        epochs=_count_epochs(proposer, trials, whole) if sets_epochs else trials * whole,
    )


def _count_epochs(proposer: Proposer, trials: int, epochs: int) -> int:
    """Return the epochs of all trials, by asking for them; every one is told the same score."""
    total = 0
    ends: dict[str, int] = {}
    while len(ends) < trials and (trial := proposer.ask()) is not None:
        ends[trial.number] = trial.epochs or epochs
        total += ends[trial.number] - (ends[trial.parent] if trial.parent else 0)
        proposer.tell(replace(trial, state="completed", score=0.5))
    return total
