"""A stand-in for a model in its own training step, which calls the twin instead of the model."""

from __future__ import annotations

from typing import Any

import wrapt

from kzoo.start import keras


class Stage(wrapt.CallableObjectProxy[Any]):
    """A model whose call is its twin's; all else, its losses and metrics too, is the model's own.

    Args:
        model: Compiled and built.
        twin: Shares the variables of the model.
    """

    def __init__(self, model: keras.Model, twin: keras.Model) -> None:
        super().__init__(model)
        self._self_twin = twin

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the twin."""
        return self._self_twin(*args, **kwargs)

    def train_step(self, *args: Any) -> Any:
        """Run Keras's own step of training, with the twin's predictions."""
        return type(self.__wrapped__).train_step(self, *args)

    def test_step(self, *args: Any) -> Any:
        """Run Keras's own step of validation, with the twin's predictions."""
        return type(self.__wrapped__).test_step(self, *args)

    # What a step of JAX asks for: its state are the variables of what is called.

    def compute_loss_and_updates(self, *args: Any, **kwargs: Any) -> Any:
        """Return what Keras's own does, with the twin's predictions."""
        return type(self.__wrapped__).compute_loss_and_updates(self, *args, **kwargs)

    def stateless_call(self, *args: Any, **kwargs: Any) -> Any:
        """Call the twin."""
        return self._self_twin.stateless_call(*args, **kwargs)

    def stateless_compute_loss(self, *args: Any, **kwargs: Any) -> Any:
        """Return what Keras's own does, over the twin's variables."""
        return type(self.__wrapped__).stateless_compute_loss(self, *args, **kwargs)

    @property
    def trainable_variables(self) -> list[Any]:
        """The twin's trainable variables, which are the model's."""
        variables: list[Any] = self._self_twin.trainable_variables
        return variables

    @property
    def non_trainable_variables(self) -> list[Any]:
        """The twin's other variables; its dropouts have some of their own."""
        variables: list[Any] = self._self_twin.non_trainable_variables
        return variables
