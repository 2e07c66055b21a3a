"""A builder that is being checked, and the examples that it is checked on."""

from __future__ import annotations

import contextlib
import io
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.registry import BuilderFunction
from kzoo.start import keras
from kzoo.testing.contract import ContractError

_BATCH = 8
# Characters of a foreign error that are quoted; the whole is the cause.
_LONGEST = 300


@dataclass(frozen=True)
class Subject:
    """A builder that is being checked.

    Attributes:
        name: What errors call it.
        function: The builder.
        defaults: Its keyword arguments, as a spec gives them.
    """

    name: str
    function: BuilderFunction
    defaults: Mapping[str, Any]

    def error(self, line: str, message: str) -> ContractError:
        """Return the error of a broken line."""
        return ContractError(f"builder {self.name!r}", line, message)

    @contextlib.contextmanager
    def attempt(self, line: str, where: str = "") -> Iterator[None]:
        """Turn whatever is raised inside into the error of a broken line.

        Args:
            line: The line.
            where: What to put before the message.
        """
        try:
            yield
        except ContractError:
            raise
        # A builder is foreign code, and its model's layers and XLA have errors of their own.
        except Exception as error:
            reason = textwrap.shorten(f"{type(error).__name__}: {error}", _LONGEST)
            raise self.error(line, f"{where}received {reason}; expected no error") from error

    def build(
        self, shape: tuple[int, ...], classes: int = 10, *, policy: str = "float32"
    ) -> keras.Model:
        """Build a model from seed 0, under a global dtype policy that is set for the call.

        Raises:
            ContractError: the call fails, is not quiet, or changes the policy; its cause is what
                the builder raised, if anything.
        """
        around = keras.config.dtype_policy()
        keras.config.set_dtype_policy(policy)
        keras.utils.set_random_seed(0)
        try:
            with self._quiet():
                model = self._call(shape, classes)
            left = keras.config.dtype_policy().name
        finally:
            keras.config.set_dtype_policy(around)
        if left != policy:
            raise self.error(
                "dtype policy",
                f"received the global policy {left} after a call; expected {policy}, as before it; "
                "give a policy to layers, with `dtype`",
            )
        return model

    def _call(self, shape: tuple[int, ...], classes: int) -> keras.Model:
        policy = keras.config.dtype_policy().name
        where = f"input_shape={shape}, num_classes={classes}, {policy}: "
        with self.attempt("build", where):
            model = self.function(shape, classes, **self.defaults)
        # A model class of its own has no shape before it is called.
        if not isinstance(model, keras.Model) or not hasattr(model, "output_shape"):
            message = f"received {type(model).__name__}; expected a keras.Model, Functional or "
            raise self.error("build", f"{where}{message}Sequential")
        return model

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[None]:
        packages, printed = _packages(), io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            yield
        if printed.getvalue():
            message = f"received {printed.getvalue()!r} on a call; expected nothing printed"
            raise self.error("quiet", message)
        imported = _packages() - packages - sys.stdlib_module_names
        if imported:
            raise self.error(
                "quiet",
                f"received an import of {', '.join(sorted(imported))} on a call; expected none but "
                "of Keras; import others at the top of the builder's file, or do without",
            )


def examples(shape: tuple[int, ...]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Return eight inputs from N(0, 1), ``(8, *shape)``, and their classes, the same every time."""
    inputs = np.random.default_rng(0).standard_normal((_BATCH, *shape), dtype=np.float32)
    return inputs, np.arange(_BATCH)


def predict(model: keras.Model, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """Return a model's outputs for the examples, ``(8, classes)`` in the model's own dtype."""
    outputs = model(examples(shape)[0], training=False)
    return np.asarray(keras.ops.convert_to_numpy(outputs))


def _packages() -> set[str]:
    return {module.partition(".")[0] for module in sys.modules}
