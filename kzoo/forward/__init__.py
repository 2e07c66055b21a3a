"""Weights and layers to probabilities, by NumPy alone."""

from kzoo.forward.network import Layer, Network
from kzoo.forward.preparation import prepare

__all__ = ["Layer", "Network", "prepare"]
