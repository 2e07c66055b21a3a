"""From a spec to a finished run: build, compile, fit, evaluate, save; and on after a break."""

from kzoo.train.runner import resume, run

__all__ = ["resume", "run"]
