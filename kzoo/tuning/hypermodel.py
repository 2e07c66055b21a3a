"""A zoo spec as keras-tuner's `HyperModel`, for people who drive its own tuners."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kzoo.datasets import load_dataset
from kzoo.errors import SpecError
from kzoo.spec import Spec, load_spec
from kzoo.spec.load import Overrides, SpecSource
from kzoo.start import keras_tuner
from kzoo.train.runner import resolve
from kzoo.train.training import prepare
from kzoo.tuning.loop import trial_tree
from kzoo.tuning.space import declare

if TYPE_CHECKING:
    import keras


class HyperModel(keras_tuner.HyperModel):
    """Builds a spec's model with the values that one of keras-tuner's own tuners proposes.

    ``keras_tuner.RandomSearch(kzoo.HyperModel("deep_mlp"), objective="val_accuracy", ...)``. The
    models take raw inputs, are compiled as the spec says, and train as `kzoo.accelerate` makes
    them; `fit` takes the spec's batch size and epochs where none are given.

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
        given = load_spec(spec, overrides)
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
        self, hp: keras_tuner.HyperParameters, model: keras.Model, *args: Any, **kwargs: Any
    ) -> Any:
        """Train a model; the arguments are those of its `fit`."""
        section = self._trial_spec(hp).fit
        settings = {"batch_size": section.batch_size, "epochs": section.epochs, **kwargs}
        return model.fit(*args, **settings)

    def _trial_spec(self, hp: keras_tuner.HyperParameters) -> Spec:
        return load_spec(trial_tree(self._spec, declare(hp, self._space)))
