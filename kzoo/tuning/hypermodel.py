"""A zoo spec as keras-tuner's `HyperModel`, for people who drive its own tuners."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kzoo.datasets import Arrays, load_dataset
from kzoo.datasets.find import name_of_given
from kzoo.errors import SpecError, did_you_mean
from kzoo.figures import MONITORED, metric_of
from kzoo.spec import Spec, load_spec
from kzoo.spec.load import Overrides, SpecSource
from kzoo.spec.sampled import trial_tree
from kzoo.start import keras_tuner
from kzoo.train.callbacks import ValidationFigures
from kzoo.train.runner import resolve
from kzoo.train.training import prepare
from kzoo.tuning.space import declare

if TYPE_CHECKING:
    import keras


class ObjectiveError(SpecError, keras_tuner.errors.FatalError):
    """A tuner asks for a metric that there is not; it would be the same for each of its trials."""


class HyperModel(keras_tuner.HyperModel):
    """Builds a spec's model with the values that one of keras-tuner's own tuners proposes.

    ``keras_tuner.RandomSearch(kzoo.HyperModel("deep_mlp"), objective="val_accuracy", ...)``. The
    models take raw inputs, are compiled as the spec says, and train as `kzoo.accelerate` makes
    them; `fit` takes the spec's batch size and epochs where none are given. Of the metrics of
    `kzoo tune` it computes those that the spec, the tuner's objective or a callback's ``monitor``
    names, such as ``keras_tuner.Objective("val_macro_f1", "max")``.

    Args:
        spec: The name of a zoo spec, the path of a JSON file, JSON data, or a Spec.
        space: From spec paths to dimensions, as in a spec's ``tune.space``; the spec's own if None.
        data: Arrays to train on instead of the spec's dataset, as in `kzoo.run`; their shapes,
            classes and scaling are taken.
        overrides: Spec paths and values laid over the spec.

    Raises:
        KzooError: the spec, the space or the data cannot be used.
    """

    def __init__(
        self,
        spec: SpecSource,
        space: Mapping[str, Any] | None = None,
        *,
        data: tuple[Any, ...] | None = None,
        overrides: Overrides = (),
    ) -> None:
        super().__init__()
        given = load_spec(spec, overrides, dataset=name_of_given(data))
        if space is not None:
            given = load_spec(given, {"tune": {"space": dict(space)}})
        if given.tune is None:
            raise SpecError(f"{given.name}: has no tune section; expected one, or a space")
        self._dataset = load_dataset(given, data)
        self._spec = resolve(given, self._dataset)
        self._space = given.tune.space

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Return a compiled model with the proposed values.

        Raises:
            KzooError: values that cannot go together.
        """
        return prepare(self._trial_spec(hp), self._dataset).fitted

    def fit(
        self,
        hp: keras_tuner.HyperParameters,
        model: keras.Model,
        *args: Any,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        validation_data: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Train a model; the arguments are those of its `fit`.

        Raises:
            SpecError: the objective is no metric, or needs `validation_data` as ``(x, y)``.
        """
        section = self._trial_spec(hp).fit
        settings = {"batch_size": section.batch_size, "epochs": section.epochs, **kwargs}
        wanted = sorted({self._spec.monitor, *_named(callbacks)})
        validation = _arrays(validation_data)
        for name in wanted:
            if validation is None and not metric_of(name).in_fit:
                raise ObjectiveError(
                    f"{name}: needs validation examples; expected validation_data=(x, y)"
                )
        # Before the others, which read what it adds.
        figures = ValidationFigures(model, validation, wanted)
        return model.fit(
            *args, callbacks=[figures, *callbacks], validation_data=validation_data, **settings
        )

    def _trial_spec(self, hp: keras_tuner.HyperParameters) -> Spec:
        return load_spec(trial_tree(self._spec, declare(hp, self._space)))


def _named(callbacks: Sequence[keras.callbacks.Callback]) -> Iterator[str]:
    """Give the validation metrics that callbacks look at, a tuner's own among them.

    Raises:
        ObjectiveError: a tuner's objective is none.
    """
    for callback in callbacks:
        objective = getattr(callback, "objective", None)
        for one in getattr(objective, "objectives", [objective]):
            name = getattr(one, "name", None)
            if name in MONITORED:
                yield name
            elif isinstance(name, str) and name.startswith("val_"):
                hint = did_you_mean(name, MONITORED)
                known = ", ".join(MONITORED)
                raise ObjectiveError(
                    f"objective: unknown metric {name!r}.{hint or f' Known: {known}.'}"
                )
        if getattr(callback, "monitor", None) in MONITORED:
            yield callback.monitor


def _arrays(validation_data: Any) -> Arrays | None:
    """Return what a `fit` validates with, if it is a pair of arrays, perhaps with weights."""
    if not isinstance(validation_data, tuple | list) or len(validation_data) not in (2, 3):
        return None
    return Arrays(np.asarray(validation_data[0]), np.ravel(np.asarray(validation_data[1])))
