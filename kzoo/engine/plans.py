"""The plan by which a model is trained: kept while it holds, made ready, or given up."""

from __future__ import annotations

from kzoo.engine.arrays import Inputs, NotInBlocksError
from kzoo.engine.choice import Choice
from kzoo.engine.labels import hold_labels_to_loss
from kzoo.engine.plan import Plan
from kzoo.engine.snapshot import Snapshot
from kzoo.engine.unchecked import UncheckedError
from kzoo.errors import describe_error
from kzoo.start import keras

# What XLA says of a step may be pages long in one line.
_LONGEST = 300


class Plans:
    """Makes the plans of a model.

    Args:
        model: Any.
        seed: Seeds the order of the examples and the dropout masks.
    """

    def __init__(self, model: keras.Model, seed: int) -> None:
        self._model, self._seed = model, seed
        self._last: Plan | None = None
        # Of what XLA could not compile, and why: it is not tried again.
        self._refused: tuple[Snapshot, str] | None = None

    def reseed(self, seed: int) -> None:
        """Have another seed for the order of the examples; what is traced stays."""
        self._seed = seed
        if self._last is not None:
            self._last.reseed(seed)

    def current(self, choice: Choice) -> Plan:
        """Return the plan of the last `fit` where nothing has changed since, or a new one."""
        if self._last is None or not self._last.serves(choice):
            self._last = Plan(self._model, choice, self._seed)
        return self._last

    def ready(self, inputs: Inputs, choice: Choice) -> Plan:
        """Return a plan with its data loaded and its steps traced, nothing of them run.

        Args:
            inputs: The data of a `fit`.
            choice: How to execute it. What XLA cannot compile becomes a graph: then the plan has
                another choice, with the reason.

        Raises:
            NotInBlocksError: neither can run it.
        """
        try:
            _build(self._model, inputs)
        except Exception as error:  # whatever it is, Keras's own `fit` raises or mends it
            raise NotInBlocksError(f"a model that was not built: {_shorten(error)}") from error
        hold_labels_to_loss(self._model, inputs)
        if choice.execution == "compiled" and self._refused:
            refused, reason = self._refused
            if refused == Snapshot(self._model):
                choice = Choice("graph", reason)
        try:
            return self._traced(inputs, choice)
        except NotInBlocksError as error:
            if choice.execution == "graph" or keras.config.backend() != "tensorflow":
                raise
            reason = str(error)
        self._refused = Snapshot(self._model), reason
        return self._traced(inputs, Choice("graph", reason))

    def _traced(self, inputs: Inputs, choice: Choice) -> Plan:
        plan = self.current(choice)
        try:
            plan.load(inputs)
            plan.trace()
        except Exception as error:  # whatever it is, another way is taken, at last Keras's own
            plan.unload()
            self._last = None
            how = "compiled by XLA" if choice.execution == "compiled" else "run as a graph"
            reason = f"a step that could not be {how}: {_shorten(error)}"
            if isinstance(error, UncheckedError):
                reason = str(error)
            raise NotInBlocksError(reason) from error
        return plan


def _build(model: keras.Model, inputs: Inputs) -> None:
    """Make every variable now: inside a compiled loop none can be made."""
    batch = keras.tree.map_structure(
        lambda array: (
            None if array is None else keras.ops.convert_to_tensor(array[: inputs.batch_size])
        ),
        inputs.train,
        none_is_leaf=True,
    )
    model._symbolic_build(data_batch=batch)


def _shorten(error: Exception) -> str:
    return describe_error(error)[:_LONGEST]
