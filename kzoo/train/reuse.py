"""A model whose compiled steps serve a later training of the same shape, to the same bits.

Compiling the steps of a small model takes longer than training it for some epochs. The trials of a
search that differ in nothing that is compiled (in a constant learning rate, say) share one model:
it is given the first weights, the state of the optimizer and the seed of the new one.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from kzoo.datasets import Dataset
from kzoo.spec import Spec
from kzoo.spec.optimizer import ConstantSchedule
from kzoo.start import keras
from kzoo.train.callbacks import ValidationFigures
from kzoo.train.training import Trainee, prepare

# Beside a kept model a new one is built: of a large one there is no room for two.
_MOST_PARAMETERS = 10_000_000
# What Keras calls the state of a layer's random numbers.
_SEED_STATE = "seed_generator_state"


class Workbench:
    """Makes models ready as `prepare` does, and keeps the last one for what is of the same shape.

    Only one is kept, and only where its steps run in blocks on TensorFlow. A trainee that is not
    given back, as after an error, is not used again.
    """

    def __init__(self) -> None:
        self._kept: tuple[bytes, Trainee] | None = None

    def prepare(self, spec: Spec, dataset: Dataset, *, metrics: Iterable[str] = ()) -> Trainee:
        """Return what `prepare` returns, perhaps with a model whose steps are compiled.

        Raises:
            KzooError: as `prepare` does.
        """
        kept, self._kept = self._kept, None
        if kept is not None:
            is_random = _has_random_layers(kept[1])
            if kept[0] != _likeness(spec, dataset, has_random_layers=is_random):
                # Before the new one needs its memory.
                kept = None
        fresh = prepare(spec, dataset, metrics=metrics)
        return _become(kept[1], fresh, [spec.monitor, *metrics]) if kept else fresh

    def give_back(self, spec: Spec, trainee: Trainee) -> None:
        """Keep a trainee whose training has ended well.

        Args:
            spec: What `prepare` was called with.
            trainee: What it returned, with nothing but kzoo's own callbacks trained.
        """
        model = trainee.model
        if (
            keras.config.backend() == "tensorflow"
            and trainee.spec.fit.execution in ("compiled", "graph")
            and model.count_params() <= _MOST_PARAMETERS
        ):
            is_random = _has_random_layers(trainee)
            self._kept = _likeness(spec, trainee.dataset, has_random_layers=is_random), trainee


def _likeness(spec: Spec, dataset: Dataset, *, has_random_layers: bool) -> bytes:
    """Return what two trainings have to have in common for the same steps to serve both."""
    tree: dict[str, Any] = json.loads(spec.to_json())
    for name in ("tune", "expected", "found", "description"):
        tree.pop(name, None)
    if not has_random_layers:
        tree.pop("seed")
    if isinstance(spec.optimizer.schedule, ConstantSchedule):
        # A variable of the optimizer; a schedule's rate is a number in the compiled step.
        tree["optimizer"].pop("learning_rate", None)
        tree["fit"].pop("epochs", None)
    return pickle.dumps((json.dumps(tree, sort_keys=True), dataset.shape, dataset.fingerprint))


def _become(kept: Trainee, fresh: Trainee, figures: list[str]) -> Trainee:
    """Return the fresh trainee with the kept model in the state of the fresh one's.

    That is the fresh trainee as it is where the two models differ after all.
    """
    pairs = list(_variables(kept))
    others = list(_variables(fresh))
    if [_kind(one) for one in pairs] != [_kind(one) for one in others]:
        return fresh
    for variable, other in zip(pairs, others, strict=True):
        variable.assign(other)
    kept.fitted.begin_anew(fresh.spec.seed)
    return replace(
        fresh,
        model=kept.model,
        fitted=kept.fitted,
        figures=ValidationFigures(kept.model, fresh.dataset.validation, figures),
    )


def _has_random_layers(trainee: Trainee) -> bool:
    """Tell whether there are layers that draw numbers, of which some have the seed compiled in."""
    return any(variable.name == _SEED_STATE for variable in trainee.fitted.original.variables)


def _variables(trainee: Trainee) -> Iterator[Any]:
    yield from trainee.fitted.original.variables
    yield from trainee.fitted.optimizer.variables


def _kind(variable: Any) -> tuple[Any, ...]:
    return tuple(variable.shape), str(variable.dtype), variable.trainable
