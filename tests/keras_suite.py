"""Keras's own tests, once plainly and once with every `fit` sent through `kzoo.accelerate`.

``python tests/keras_suite.py FOLDER [--execution WAY] [PYTEST ARGUMENTS]``, where FOLDER holds the
test files of Keras 3.15.1 (``trainer_test.py``, ``model_test.py`` and so on, from its repository)
and WAY is what `kzoo.accelerate` is asked for: ``auto``, ``compiled`` or ``graph``. A table of the
tests whose outcome differs is printed. The exit status is 1 where more than five differ, or one
that `KNOWN` does not give the reason of.

This file is also the pytest plugin that records the outcomes and reroutes `fit`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

# Tests that may differ, each with the reason, which the documentation of `accelerate` gives too.
_LAST_DIGIT = (
    "A step compiled by XLA rounds otherwise: 22.225843 for 22.225842, held to the seventh decimal."
)
KNOWN: dict[str, str] = {
    "swap_ema_weights_test.py::SwapEMAWeightsTest::test_swap_ema_weights": _LAST_DIGIT,
    "swap_ema_weights_test.py::SwapEMAWeightsTest"
    "::test_swap_ema_weights_with_loss_scale_optimizer": _LAST_DIGIT,
}
MOST_DIFFERENCES = 5

_WAY, _RECORD = "KERAS_SUITE_WAY", "KERAS_SUITE_RECORD"
# Imported by some of the files at their top, for tests of other backends.
_OPTIONAL = ("jax",)


@dataclass
class Outcome:
    """What became of one test.

    Attributes:
        result: ``passed``, ``failed``, ``skipped`` or ``missing``.
        message: The last line of the error.
        in_blocks: Calls of `fit` that were not handed on to the model's own.
        plainly: Calls of `fit` that were.
    """

    result: str = "missing"
    message: str = ""
    in_blocks: int = 0
    plainly: int = 0


_outcomes: dict[str, Outcome] = {}
_current = Outcome()


def pytest_configure(config: pytest.Config) -> None:
    """Stand in for what the repository has around its tests, and reroute `fit` where asked."""
    import keras

    for marker in ("requires_trainable_backend", "multi_device"):
        config.addinivalue_line("markers", f"{marker}: Keras's own")
    around = ModuleType("conftest")
    vars(around)["skip_if_backend"] = lambda name, reason: pytest.mark.skipif(
        keras.backend.backend() == name, reason=reason
    )
    sys.modules["conftest"] = around
    for name in _OPTIONAL:
        if importlib.util.find_spec(name) is None:
            sys.modules[name] = ModuleType(name)
    if os.environ[_WAY] != "plain":
        _reroute(keras.Model, os.environ[_WAY])


def pytest_collection_finish(session: pytest.Session) -> None:
    """Take the empty modules away again and skip what needs several devices."""
    for name in _OPTIONAL:
        if getattr(sys.modules.get(name), "__spec__", None) is None:
            sys.modules.pop(name, None)
    for item in session.items:
        if "multi_device" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="needs several devices"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Give each test the same random numbers in both ways, and a record of its own."""
    import keras

    global _current
    _current = _outcomes[item.nodeid] = Outcome()
    keras.utils.set_random_seed(0)
    return (yield)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Record the result of a test: of its call, or of the phase around it that failed."""
    if report.when != "call" and report.passed:
        return
    outcome = _outcomes[report.nodeid]
    outcome.result = report.outcome
    if report.failed:
        crash = getattr(report.longrepr, "reprcrash", None)
        message = crash.message if crash else str(report.longrepr)
        outcome.message = message.strip().splitlines()[0]


def pytest_sessionfinish() -> None:
    """Write the record."""
    record = {name: asdict(outcome) for name, outcome in _outcomes.items()}
    Path(os.environ[_RECORD]).write_text(json.dumps(record), encoding="utf-8")


def _reroute(base: type[Any], execution: Any) -> None:
    """Send each call of ``base.fit`` through `kzoo.accelerate`, once."""
    import kzoo

    trainer: Any = next(cls for cls in base.__mro__ if "fit" in vars(cls))
    own_fit = trainer.fit
    busy: set[int] = set()

    def fit(model: Any, *arguments: Any, **settings: Any) -> Any:
        if id(model) in busy:
            _current.plainly += 1
            return own_fit(model, *arguments, **settings)
        busy.add(id(model))
        before = _current.plainly
        try:
            return kzoo.accelerate(model, execution=execution).fit(*arguments, **settings)
        finally:
            busy.discard(id(model))
            _current.in_blocks += _current.plainly == before

    trainer.fit = fit


def run(folder: Path, way: str, arguments: list[str]) -> dict[str, Outcome]:
    """Run the tests of a folder in a process of their own.

    Args:
        folder: Where the test files lie; it is only read.
        way: ``plain``, or the execution to ask `kzoo.accelerate` for.
        arguments: Passed on to pytest.

    Returns:
        The outcome of each test, by its name.
    """
    with tempfile.TemporaryDirectory() as scratch:
        record = Path(scratch) / "record.json"
        paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
        env = {
            **os.environ,
            _WAY: way,
            _RECORD: str(record),
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        options = ["-q", "-p", "keras_suite", "-p", "no:cacheprovider", "--import-mode=importlib"]
        places = ["-c", os.devnull, f"--rootdir={folder}", str(folder)]
        command = [sys.executable, "-m", "pytest", *options, "--tb=short", *places, *arguments]
        with (Path(tempfile.gettempdir()) / f"keras_suite_{way}.txt").open("wb") as output:
            subprocess.run(command, env=env, stdout=output, stderr=output, cwd=scratch, check=False)
        print(f"{way}: all that was printed is in {output.name}", file=sys.stderr)
        if not record.is_file():
            raise SystemExit(f"The {way} tests ended early, see {output.name}.")
        found = json.loads(record.read_text("utf-8"))
    return {name: Outcome(**fields) for name, fields in found.items()}


def report(plain: Mapping[str, Outcome], accelerated: Mapping[str, Outcome]) -> int:
    """Print how the outcomes differ, and return the exit status."""
    names, none = sorted({*plain, *accelerated}), Outcome()
    pairs = {name: (plain.get(name, none), accelerated.get(name, none)) for name in names}
    differing = {name: (p, a) for name, (p, a) in pairs.items() if p.result != a.result}
    passed = sum(outcome.result == "passed" for outcome in plain.values())
    in_blocks = sum(outcome.in_blocks > 0 for outcome in accelerated.values())
    fitting = sum(outcome.in_blocks + outcome.plainly > 0 for outcome in accelerated.values())
    print(f"{len(plain)} tests, {passed} pass plainly.")
    print(f"{fitting} call fit, {in_blocks} of them in blocks. {len(differing)} differ:")
    for name, (before, after) in differing.items():
        way = "in blocks" if after.in_blocks else "plain fit"
        print(f"{name}: {before.result} -> {after.result} ({way})")
        print(f"    {KNOWN.get(name) or after.message or before.message}")
    unknown = [name for name in differing if name not in KNOWN]
    print(f"{len(unknown)} of them without a documented reason.")
    return int(bool(unknown) or len(differing) > MOST_DIFFERENCES)


def main() -> int:
    """Run the tests both ways, plainly and as asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="the test files of Keras 3.15.1")
    parser.add_argument("--execution", default="auto", choices=("auto", "compiled", "graph"))
    given, rest = parser.parse_known_args()
    folder = given.folder.resolve(strict=True)
    return report(*(run(folder, way, rest) for way in ("plain", given.execution)))


if __name__ == "__main__":
    raise SystemExit(main())
