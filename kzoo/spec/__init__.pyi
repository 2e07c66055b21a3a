from .build import build as build
from .build import build_model as build_model
from .load import load_spec as load_spec
from .load import outline_spec as outline_spec
from .load import validate_file as validate_file
from .schema import json_schema as json_schema
from .spec import ModelSpec as ModelSpec
from .spec import Spec as Spec
