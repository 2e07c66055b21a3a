"""The names of the specs that kzoo brings."""

from __future__ import annotations

from kzoo import registry

BUNDLED = sorted(path.stem for path in registry.zoo_folder().glob("*.json"))
