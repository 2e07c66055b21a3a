"""A Spec to a run: build, compile, fit, evaluate, save."""

from kzoo.train.run import run

__all__ = ["run"]
