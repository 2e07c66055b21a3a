"""From a spec to a finished run: build, compile, fit, evaluate, save; and on after a break."""

from kzoo.train.run import resume, run

__all__ = ["resume", "run"]
