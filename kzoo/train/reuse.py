"""A model whose compiled steps serve a later training of the same shape, to the same bits.

Compiling the steps of a small model takes longer than training it for some epochs. The trials of a
search that differ in nothing that is compiled (in the learning rate, say) share one model: it is
given the first weights, the state of the optimizer, the rate and the seed of the new one.
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
from kzoo.train.shared_rate import has_same_bits, make_adjustable, take_rate
from kzoo.train.training import Trainee, prepare

# Beside kept models a new one is built: so many parameters they have together at most.
_MOST_PARAMETERS = 10_000_000
# A search comes back to a shape, with a choice of few widths, say.
_MOST_MODELS = 8
# What Keras calls the state of a layer's random numbers.
_SEED_STATE = "seed_generator_state"


class Workbench:
    """Makes models ready as `prepare` does, and keeps them for what is of the same shape.

    The last ones are kept, and only those whose steps run in blocks on TensorFlow. A trainee that
    is not given back, as after an error, is not used again.
    """

    def __init__(self) -> None:
        # The last one that was used at the end.
        self._kept: dict[bytes, Trainee] = {}

    def prepare(self, spec: Spec, dataset: Dataset, *, metrics: Iterable[str] = ()) -> Trainee:
        """Return what `prepare` returns, perhaps with a model whose steps are compiled.

        Raises:
            KzooError: as `prepare` does.
        """
        fresh = prepare(spec, dataset, metrics=metrics)
        for has_random_layers in (False, True):
            likeness = _likeness(spec, dataset, has_random_layers=has_random_layers)
            kept = self._kept.pop(likeness, None)
            if kept is not None and _is_alike(kept, fresh):
                return _become(kept, fresh, [spec.monitor, *metrics])
        if _can_serve(fresh) and has_same_bits(spec.optimizer.schedule):
            make_adjustable(fresh.fitted.optimizer)
        return fresh

    def give_back(self, spec: Spec, trainee: Trainee) -> None:
        """Keep a trainee whose training has ended well.

        Args:
            spec: What `prepare` was called with.
            trainee: What it returned, with nothing but kzoo's own callbacks trained.
        """
        if not _can_serve(trainee):
            return
        is_random = _has_random_layers(trainee)
        self._kept[_likeness(spec, trainee.dataset, has_random_layers=is_random)] = trainee
        while len(self._kept) > _MOST_MODELS or self._count_parameters() > _MOST_PARAMETERS:
            del self._kept[next(iter(self._kept))]

    def _count_parameters(self) -> int:
        return sum(kept.model.count_params() for kept in self._kept.values())


def _can_serve(trainee: Trainee) -> bool:
    """Tell whether the steps of a trainee can be used again."""
    return keras.config.backend() == "tensorflow" and trainee.spec.fit.execution in (
        "compiled",
        "graph",
    )


def _likeness(spec: Spec, dataset: Dataset, *, has_random_layers: bool) -> bytes:
    """Return what two trainings have to have in common for the same steps to serve both."""
    tree: dict[str, Any] = json.loads(spec.to_json())
    for name in ("tune", "expected", "found", "description"):
        tree.pop(name, None)
    if not has_random_layers:
        tree.pop("seed")
    if has_same_bits(spec.optimizer.schedule):
        # A variable of the optimizer, or of its schedule.
        tree["optimizer"].pop("learning_rate", None)
    if isinstance(spec.optimizer.schedule, ConstantSchedule):
        tree["fit"].pop("epochs", None)
    return pickle.dumps((json.dumps(tree, sort_keys=True), dataset.shape, dataset.fingerprint))


def _is_alike(kept: Trainee, fresh: Trainee) -> bool:
    """Tell whether the variables of two trainees are of the same kinds, which they should be."""
    return [_kind(one) for one in _variables(kept)] == [_kind(one) for one in _variables(fresh)]


def _become(kept: Trainee, fresh: Trainee, figures: list[str]) -> Trainee:
    """Return the fresh trainee with the kept model in the state of the fresh one's."""
    for variable, other in zip(_variables(kept), _variables(fresh), strict=True):
        variable.assign(other)
    if has_same_bits(fresh.spec.optimizer.schedule):
        take_rate(kept.fitted.optimizer, fresh.fitted.optimizer)
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
