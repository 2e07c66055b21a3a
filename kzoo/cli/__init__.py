"""The command line: thin commands over the Python API."""

from kzoo.cli.app import main

__all__ = ["main"]
