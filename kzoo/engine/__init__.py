"""Keras `fit` in compiled blocks of steps, for any Keras model."""

from kzoo.engine.accelerated import Accelerated, accelerate
from kzoo.engine.choice import Choice, Execution, choose, is_slow_in_bfloat16

__all__ = ["Accelerated", "Choice", "Execution", "accelerate", "choose", "is_slow_in_bfloat16"]
