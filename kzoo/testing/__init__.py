"""Checks that hold what other packages write to its contract, for their tests and kzoo's own."""

from kzoo.testing.builder import SHAPES, check_builder
from kzoo.testing.contract import ContractError

__all__ = ["SHAPES", "ContractError", "check_builder"]
