"""`kzoo.accelerate`: anyone's Keras model with a faster `fit`."""

from __future__ import annotations

import copy
import random
import warnings
from typing import Any, get_args

import wrapt

from kzoo.engine.arrays import FitArguments, Inputs, NotInBlocksError, prepare
from kzoo.engine.choice import Choice, Execution, choose
from kzoo.engine.loop import Loop
from kzoo.engine.plan import Plan
from kzoo.engine.plans import Plans
from kzoo.errors import did_you_mean
from kzoo.start import keras


def accelerate(
    model: keras.Model, *, execution: Execution = "auto", seed: int | None = None
) -> Accelerated:
    """Return a front of a model that trains it several times faster.

    ``fast = kzoo.accelerate(model); fast.fit(x, y, ...)`` has the signature and the meaning of
    Keras's `fit`. All but `fit` is the model's own: its weights, metrics, history and methods.
    What is not known to be the same in blocks of steps (generators and ``tf.data``, a `train_step`
    of one's own, `run_eagerly`, distribution strategies, other backends, layers that were measured
    to be faster plain) goes Keras's plain way, with a warning that says why.

    Losses and weights differ from Keras's in the last digits, which XLA and fused kernels round
    otherwise, and over many steps by what grows out of that. Dropout masks are drawn by another
    generator.

    Callbacks that have a method for batches get every batch, and slow the training to blocks of
    one step; others are called as ever. A class of callbacks that may be called once a block, as
    with Keras's own `steps_per_execution`, says ``block_safe = True``.

    Args:
        model: Any Keras model, compiled or not.
        execution: ``auto`` (by what was measured), ``compiled`` (blocks of steps by XLA), ``graph``
            (by TensorFlow alone), or ``plain``. ``fast.compile(..., jit_compile=False)`` keeps XLA
            away too; on a CPU a model that was compiled so before cannot be told from others.
        seed: Seeds the order of the examples and the dropout masks; None: as Keras's own `fit`,
            from the global state that ``keras.utils.set_random_seed`` sets.

    Raises:
        TypeError: `model` is no Keras model.
        ValueError: there is no such execution.
    """
    original = model.original if type(model) is Accelerated else model
    # A layer with Keras's trainer is trained as a model is.
    if not (isinstance(original, keras.Layer) and callable(getattr(original, "fit", None))):
        raise TypeError(f"model: received a {type(model).__name__}; expected a keras.Model")
    ways = get_args(Execution)
    if execution not in ways:
        hint = did_you_mean(str(execution), ways)
        raise ValueError(f"execution: received {execution!r}; expected {', '.join(ways)}.{hint}")
    return Accelerated(original, execution, seed)


class Accelerated(wrapt.CallableObjectProxy[Any]):
    """A thin front of a model with a faster `fit`; see `accelerate`."""

    def __init__(self, model: keras.Model, execution: Execution, seed: int | None) -> None:
        super().__init__(model)
        self._self_seed = random.randint(0, 2**31 - 1) if seed is None else seed  # noqa: S311  # no secret
        self._self_execution = execution
        self._self_epochs_begun = 0
        self._self_is_fitting = False
        self._self_plans = Plans(model, self.seed)
        # What a `fit` came to that could not go as it was chosen; see `choice`.
        self._self_came_to: Choice | None = None
        # What a compilation with ``jit_compile=False`` made. On a CPU Keras keeps the same where
        # nothing was asked for.
        self._self_without_xla: Any = None

    @property
    def original(self) -> keras.Model:
        """The model itself."""
        return self.__wrapped__

    @property
    def seed(self) -> int:
        """Seeds the order of the examples and the dropout masks."""
        return int(self._self_seed)

    def begin_anew(self, seed: int) -> None:
        """Have the next `fit` go as the first one of a front with this seed would.

        The weights and the optimizer are the caller's to set. A model that has `Dropout` layers
        keeps the masks of its own seed.
        """
        self._self_seed, self._self_epochs_begun = seed, 0
        self._self_plans.reseed(seed)

    @property
    def choice(self) -> Choice:
        """How the last `fit` was executed, or the next will be, and why."""
        return self._self_came_to or self._choose()

    def _choose(self) -> Choice:
        refused = self._self_without_xla
        without_xla = refused is not None and refused is self.original._compile_loss
        return choose(self.original, self._self_execution, without_xla=without_xla)

    @property
    def twin(self) -> keras.Model:
        """What a training step calls: the model, or one of the same variables that is faster."""
        twin: keras.Model = self._self_plans.current(self.choice).twin
        return twin

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compile the model, as `keras.Model.compile`."""
        self._self_came_to = None
        self.original.compile(*args, **kwargs)
        without_xla = kwargs.get("jit_compile") is False
        self._self_without_xla = self.original._compile_loss if without_xla else None

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> keras.callbacks.History:
        """Train as `keras.Model.fit` does, in blocks of steps where that is faster."""
        given = FitArguments(
            x, y, batch_size, epochs, verbose, callbacks, validation_split, validation_data,
            shuffle, class_weight, sample_weight, initial_epoch, steps_per_epoch,
            validation_steps, validation_batch_size, validation_freq,
        )  # fmt: skip
        self._self_came_to = None
        reason = None
        try:
            inputs, plan = self._prepare(given)
        except NotInBlocksError as why:
            reason = str(why)
        # Outside of the handler, so that an error of Keras's own stands alone.
        if reason is not None:
            self._self_came_to = Choice("plain", reason)
            if self._self_execution != "plain":
                warnings.warn(f"plain fit: {reason}", stacklevel=2)
            return self.original.fit(**vars(given))
        self._self_is_fitting = True
        try:
            return self._fit_blocks(plan, inputs, given)
        finally:
            self._self_is_fitting = False
            plan.unload()

    def _prepare(self, given: FitArguments) -> tuple[Inputs, Plan]:
        """Return the data and the blocks, loaded and traced, with nothing trained yet.

        Raises:
            NotInBlocksError: this `fit` is not known to be the same in blocks.
        """
        asked, choice = self._self_execution, self._choose()
        if choice.execution == "plain":
            raise NotInBlocksError(choice.reason)
        if self._self_is_fitting:
            raise NotInBlocksError("a fit within a fit")
        if not self.original.compiled:
            raise NotInBlocksError("a model that is not compiled")
        if keras.config.max_epochs() or keras.config.max_steps_per_epoch():
            raise NotInBlocksError("a limit of keras.config")
        inputs = prepare(given)
        plan = self._self_plans.ready(inputs, choice)
        if plan.choice.execution != choice.execution:
            self._self_came_to = plan.choice
        if plan.choice.execution == "graph" and "compiled" in (choice.execution, asked):
            warnings.warn(f"graph fit: {plan.choice.reason}", stacklevel=3)
        return inputs, plan

    def _fit_blocks(
        self, plan: Plan, inputs: Inputs, given: FitArguments
    ) -> keras.callbacks.History:
        model, events = self.original, given.callbacks
        if not isinstance(events, keras.callbacks.CallbackList):
            events = keras.callbacks.CallbackList(
                events,
                add_history=True,
                add_progbar=given.verbose != 0,
                verbose=given.verbose,
                epochs=given.epochs,
                steps=plan.training.steps,
                model=model,
            )

        def begin_epoch(epoch: int) -> None:
            # A `fit` that is called again sees another order and other masks, as in Keras.
            epoch = max(epoch, self._self_epochs_begun)
            self._self_epochs_begun = epoch + 1
            plan.begin_epoch(epoch, shuffle=given.shuffle)

        validation = plan.validation if inputs.validation is not None else None
        loop = Loop(model, plan.training, validation, given.validation_freq, events, begin_epoch)
        loop.run(inputs.initial_epoch, inputs.epochs)
        return model.history

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Pickle the model and how it is accelerated."""
        return _restored, (self.original, self._self_execution, self.seed)

    def __deepcopy__(self, memo: dict[int, Any]) -> Accelerated:
        """Copy the model and how it is accelerated."""
        return _restored(copy.deepcopy(self.original, memo), self._self_execution, self.seed)

    def __copy__(self) -> Accelerated:
        """Return another front of the same model."""
        return _restored(self.original, self._self_execution, self.seed)


def _restored(model: keras.Model, execution: Execution, seed: int) -> Accelerated:
    return Accelerated(model, execution, seed)
