"""The architectures: one plain function a file, floats of order one in, probabilities out."""

from kzoo.builders.deep_mlp import deep_mlp
from kzoo.builders.mlp_dropout import mlp_dropout
from kzoo.builders.small_cnn import small_cnn
from kzoo.builders.softmax_regression import softmax_regression

__all__ = ["deep_mlp", "mlp_dropout", "small_cnn", "softmax_regression"]
