"""The specs that are held to figures measured for them."""

from __future__ import annotations

from kzoo.errors import KzooError, SpecError
from kzoo.registry import list_specs
from kzoo.spec.load import outline_spec
from kzoo.spec.spec import Expected, Spec


def expectation(spec: Spec) -> Expected:
    """Return the figures that a spec is held to.

    Raises:
        SpecError: it has none.
    """
    if spec.expected is None:
        raise SpecError(
            f"{spec.name}: expected: received nothing; expected a band of test accuracies, such "
            'as "expected": {"test_accuracy": [0.98, 0.99], "measured": "seeds 0, 1 and 2"}'
        )
    return spec.expected


def specs_with_expectation() -> tuple[list[str], list[str]]:
    """Return the names of registered specs that have such figures, and a line a broken one."""
    files, problems = list_specs()
    names = []
    for file in files:
        try:
            if outline_spec(file.path).expected is not None:
                names.append(file.name)
        except KzooError as error:
            problems.append(f"{file.origin}: {error}")
    return names, problems
