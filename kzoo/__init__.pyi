from .datasets import load_dataset as load_dataset
from .display.progress import RichProgress as RichProgress
from .engine import accelerate as accelerate
from .errors import DataError as DataError
from .errors import KzooError as KzooError
from .errors import PluginError as PluginError
from .errors import RunError as RunError
from .errors import SpecError as SpecError
from .evaluation import Evaluation as Evaluation
from .evaluation import Verdict as Verdict
from .evaluation import evaluate as evaluate
from .evaluation import verify as verify
from .registry import list_models as list_models
from .registry import register as register
from .runs import Run as Run
from .runs import load as load
from .spec import Spec as Spec
from .spec import build as build
from .spec import load_spec as load_spec
from .train import resume as resume
from .train import run as run
from .tuning.hypermodel import HyperModel as HyperModel
from .tuning.search import Search as Search
from .tuning.tune import resume_search as resume_search
from .tuning.tune import tune as tune

__version__: str
