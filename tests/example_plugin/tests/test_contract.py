"""The plugin's builder keeps the contract of a builder."""

from kzoo_example.residual_mlp import residual_mlp

from kzoo.testing import check_builder


def test_residual_mlp_keeps_the_contract() -> None:
    """Every line of it."""
    check_builder(residual_mlp)
