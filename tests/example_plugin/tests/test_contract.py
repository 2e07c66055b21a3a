from kzoo.testing import check_builder


def test_residual_mlp_keeps_the_contract() -> None:
    """It builds, trains and is saved as kzoo asks."""
    check_builder("residual_mlp")
