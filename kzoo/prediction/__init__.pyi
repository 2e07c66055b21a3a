from .answers import Prediction as Prediction
from .answers import predict as predict
from .answers import predict_paths as predict_paths
from .engine import Answerer as Answerer
