"""Keras `fit` in compiled blocks of steps, for any Keras model."""

from kzoo.engine.accelerated import Accelerated, accelerate
from kzoo.engine.choice import Execution, choose

__all__ = ["Accelerated", "Execution", "accelerate", "choose"]
