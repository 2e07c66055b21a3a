"""The reference of Python drops no public name."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from pkgutil import resolve_name

from python_pages import definition, entries, public_names, python_page

import kzoo
import kzoo.builders
import kzoo.testing

PACKAGE = Path(kzoo.__file__).parent


def test_every_public_name_is_an_entry() -> None:
    """What `kzoo` exports, its version aside, is in the reference."""
    assert sorted(public_names(PACKAGE)) == sorted({*dir(kzoo)} - {"__version__"})
    names = {entry.name for entry in chain.from_iterable(entries(PACKAGE).values())}
    assert {f"kzoo.{name}" for name in public_names(PACKAGE)} <= names
    assert {f"kzoo.builders.{name}" for name in kzoo.builders.__all__} <= names
    assert {f"kzoo.testing.{name}" for name in kzoo.testing.__all__} <= names


def test_an_entry_is_the_object_that_its_name_gives() -> None:
    """Also where a module has the same name, as with `kzoo.build`."""
    for entry in chain.from_iterable(entries(PACKAGE).values()):
        assert resolve_name(entry.definition) is resolve_name(entry.name.replace(".", ":", 1))
    assert definition(PACKAGE, "build") == "kzoo.spec.build.build"


def test_each_entry_has_a_docstring() -> None:
    """So that its entry says something."""
    for entry in chain.from_iterable(entries(PACKAGE).values()):
        assert resolve_name(entry.definition).__doc__, entry.name


def test_the_page_asks_for_each_entry_under_its_public_name() -> None:
    """With where it is defined, and with the heading that a person types."""
    page = python_page(entries(PACKAGE))
    assert '<a id="kzoo.build"></a>\n\n::: kzoo.spec.build.build\n' in page
    assert "      heading: kzoo.build\n" in page
