"""JSON to a frozen, typed Spec and back: parsing, inheritance, overrides, schema."""

from kzoo.spec.build import build, build_model
from kzoo.spec.load import load_spec, outline_spec, validate_file
from kzoo.spec.schema import json_schema
from kzoo.spec.spec import ModelSpec, Spec

__all__ = [
    "ModelSpec",
    "Spec",
    "build",
    "build_model",
    "json_schema",
    "load_spec",
    "outline_spec",
    "validate_file",
]
