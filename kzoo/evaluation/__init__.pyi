from .compared import Comparison as Comparison
from .comparison import compare as compare
from .evaluation import Evaluation as Evaluation
from .evaluation import evaluate as evaluate
from .verdict import Verdict as Verdict
from .verdict import verify as verify
