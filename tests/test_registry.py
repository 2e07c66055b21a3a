"""Builders and specs are found by name, whoever brought them, and a clash is an error."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from support.kinds import Command, UsePlugins, WritePlugin

import kzoo
import kzoo.builders
from kzoo import registry
from kzoo.errors import PluginError, UnknownNameError

BUILDER = "def {name}(input_shape, num_classes):\n    '''A builder.'''\n"
SPEC = json.dumps(
    {
        "description": "A spec.",
        "model": {"builder": "softmax_regression"},
        "dataset": {"name": "digits"},
    }
)


def tiny(input_shape: tuple[int, ...], num_classes: int) -> None:
    """Stand in for a builder; the registry does not call it."""


def test_decorated_builder_is_found_by_its_name(use_plugins: UsePlugins) -> None:
    """A decorated function is listed and returned under its own name, unchanged."""
    assert kzoo.register(tiny) is tiny
    assert "tiny" in kzoo.list_models()
    assert registry.get_builder("tiny") is tiny


def test_decorated_builder_is_found_by_the_name_it_is_given(use_plugins: UsePlugins) -> None:
    """A function decorated with a name is found under that name and not under its own."""
    kzoo.register(name="huge")(tiny)
    assert registry.get_builder("huge") is tiny
    assert "tiny" not in kzoo.list_models()


def test_registering_the_same_function_again_replaces_it(use_plugins: UsePlugins) -> None:
    """A notebook cell that is run twice leaves the later function."""

    def define() -> Callable[..., Any]:
        def again(input_shape: tuple[int, ...], num_classes: int) -> None: ...

        return again

    kzoo.register(define())
    later = kzoo.register(define())
    assert registry.get_builder("again") is later


def test_two_decorated_functions_of_one_name_clash(use_plugins: UsePlugins) -> None:
    """Another function cannot take a name that is taken, and is told by whom."""
    kzoo.register(name="taken")(tiny)
    with pytest.raises(PluginError, match=rf"'taken'.*already registered by {tiny.__module__}"):

        @kzoo.register(name="taken")
        def other(input_shape: tuple[int, ...], num_classes: int) -> None: ...

    assert registry.get_builder("taken") is tiny


def test_decorated_function_clashes_with_an_entry_point(use_plugins: UsePlugins) -> None:
    """A decorated function cannot take the name of one of kzoo's own builders."""
    with pytest.raises(PluginError, match=r"'deep_mlp'.*already registered by kzoo \d"):
        kzoo.register(name="deep_mlp")(tiny)


def test_decorating_the_function_of_an_entry_point_is_no_clash(use_plugins: UsePlugins) -> None:
    """A builder that is decorated and an entry point too is registered once."""
    kzoo.register(name="tiny_softmax")(kzoo.builders.softmax_regression)
    assert kzoo.list_models().count("tiny_softmax") == 1


def test_two_distributions_of_one_builder_name_clash(
    use_plugins: UsePlugins, write_plugin: WritePlugin
) -> None:
    """Two distributions that claim one builder are both named, and only that builder fails."""
    use_plugins(
        write_plugin("first", builders={"same": "first:same"}),
        write_plugin("second", builders={"same": "second:same"}),
    )
    with pytest.raises(PluginError) as caught:
        registry.get_builder("same")
    assert "first 1.0" in str(caught.value)
    assert "second 1.0" in str(caught.value)
    assert registry.get_builder("deep_mlp") is kzoo.builders.deep_mlp


def test_two_distributions_of_one_spec_name_clash(
    use_plugins: UsePlugins, write_plugin: WritePlugin
) -> None:
    """Two distributions that bring a spec of one name are both named, and kzoo's own works."""
    files = {"__init__.py": "", "specs/same.json": SPEC}
    use_plugins(
        *(
            write_plugin(
                name,
                specs={"any": f"{name}_package.specs"},
                files={f"{name}_package/{file}": text for file, text in files.items()},
            )
            for name in ("first", "second")
        )
    )
    with pytest.raises(PluginError, match=r"spec 'same'.*1\.0 and by .*1\.0; uninstall one"):
        registry.get_spec_file("same")
    assert registry.get_spec_file("deep_mlp").origin == "kzoo"


@pytest.mark.parametrize(
    ("name", "hint"), [("deep_mpl", "Did you mean 'deep_mlp'?"), ("zzz", "Known: deep_mlp, ")]
)
def test_unknown_builder_is_answered_with_a_hint(name: str, hint: str) -> None:
    """An unknown name is answered with the nearest one, or with all there are."""
    with pytest.raises(UnknownNameError, match=f"unknown builder '{name}'") as caught:
        registry.get_builder(name)
    assert hint in str(caught.value)


def test_names_are_listed_without_importing_the_plugin(
    use_plugins: UsePlugins, write_plugin: WritePlugin
) -> None:
    """A builder is listed although its module cannot be imported."""
    files = {"raises_on_import.py": "raise RuntimeError('imported')"}
    use_plugins(
        write_plugin("unready", builders={"unready": "raises_on_import:unready"}, files=files)
    )
    assert "unready" in kzoo.list_models()


@pytest.mark.parametrize(
    ("distribution_name", "module", "reason"),
    [
        ("broken-raises", "raise RuntimeError('no such card')", "RuntimeError: no such card"),
        ("broken-exits", "import sys; sys.exit(3)", "SystemExit: 3"),
        ("broken-import", "import no_such_module_anywhere", "ModuleNotFoundError"),
        ("broken-name", "", "AttributeError"),
        ("broken-kind", "broken = 3", "is a int; expected a function"),
    ],
)
def test_broken_builder_is_named_with_its_distribution(
    use_plugins: UsePlugins,
    write_plugin: WritePlugin,
    distribution_name: str,
    module: str,
    reason: str,
) -> None:
    """Whatever a plugin raises becomes a PluginError that names the distribution and the cause."""
    name = distribution_name.replace("-", "_")
    use_plugins(
        write_plugin(
            distribution_name, builders={"broken": f"{name}:broken"}, files={f"{name}.py": module}
        )
    )
    with pytest.raises(PluginError) as caught:
        registry.get_builder("broken")
    assert f"builder 'broken' of {distribution_name} 1.0" in str(caught.value)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "notice"),
    [
        (("list",), "broken-plugin 1.0: its folder of specs is missing"),
        (("show", "deep_mlp"), ""),
        (("schema",), "builder 'broken' of broken-plugin 1.0 cannot be loaded"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_broken_plugin_breaks_only_itself(
    kzoo_command: Command, write_plugin: WritePlugin, arguments: tuple[str, ...], notice: str
) -> None:
    """Commands that do not need a broken plugin go on, with a notice where it is left out."""
    folder = write_plugin(
        "broken-plugin",
        builders={"broken": "broken_plugin:broken"},
        specs={"broken": "broken_plugin.specs"},
        files={"broken_plugin.py": "raise RuntimeError('no')"},
    )
    finished = kzoo_command(*arguments, env={"PYTHONPATH": folder})
    assert finished.returncode == 0, finished.stderr
    assert "deep_mlp" in finished.stdout
    assert notice in finished.stderr
    assert "Traceback" not in finished.stderr


def test_broken_spec_of_a_plugin_is_left_out_of_the_list(
    kzoo_command: Command, write_plugin: WritePlugin
) -> None:
    """A plugin's spec that is not JSON gets a notice that names it; the others are listed."""
    folder = write_plugin(
        "half-broken",
        specs={"any": "half_broken.specs"},
        files={
            "half_broken/__init__.py": "",
            "half_broken/specs/bad.json": "{",
            "half_broken/specs/good_spec.json": SPEC,
        },
    )
    finished = kzoo_command("list", env={"PYTHONPATH": folder})
    assert finished.returncode == 0
    assert "good_spec" in finished.stdout
    assert "half-broken 1.0" in finished.stderr
    assert "bad.json: not JSON" in finished.stderr


def test_spec_of_a_plugin_is_listed_with_its_origin(
    kzoo_command: Command, plugin_path: Path
) -> None:
    """An installed plugin's spec is listed beside the zoo's own."""
    finished = kzoo_command("list", "--json", env={"PYTHONPATH": plugin_path})
    rows = {row["name"]: row for row in json.loads(finished.stdout)}
    assert rows["residual_mlp_digits"]["origin"] == "kzoo-example 1.0.0"
    assert rows["residual_mlp_digits"]["model"] == "residual_mlp"
    assert rows["deep_mlp"]["origin"] == "kzoo"


def test_spec_of_a_plugin_is_validated_against_its_builder(
    kzoo_command: Command, plugin_path: Path, tmp_path: Path
) -> None:
    """A plugin's builder gives a misspelt parameter the nearest name."""
    tree = {"extends": "residual_mlp_digits", "model": {"widht": 3}}
    (tmp_path / "mine.json").write_text(json.dumps(tree), encoding="utf-8")
    finished = kzoo_command("validate", "mine.json", env={"PYTHONPATH": plugin_path})
    assert finished.returncode == 1
    assert "model.widht: unknown key. Did you mean 'width'?" in finished.stderr


def test_spec_of_a_plugin_runs(kzoo_command: Command, plugin_path: Path) -> None:
    """An installed plugin's spec trains its builder from the command line."""
    finished = kzoo_command(
        "run",
        "residual_mlp_digits",
        "fit.epochs=1",
        "--json",
        "--quiet",
        env={"PYTHONPATH": plugin_path},
    )
    assert finished.returncode == 0, finished.stderr
    metrics = json.loads(finished.stdout)
    assert (metrics["model"], metrics["dataset"], metrics["epochs"]) == (
        "residual_mlp",
        "digits",
        1,
    )
    assert metrics["test_accuracy"] > 0.5


def test_a_plugin_ships_weights_beside_its_spec(
    kzoo_here: Command, use_plugins: UsePlugins, plugin_path: Path
) -> None:
    """They are listed, loaded by the spec's name, started from, and a run's own spec repeats it."""
    use_plugins(plugin_path)
    listed = kzoo_here("list", "residual", "--json")
    assert json.loads(listed.stdout)[0]["weights"] is True
    arguments = ["residual_mlp_digits", "--from", "residual_mlp_digits", "fit.epochs=1"]
    finished = kzoo_here("run", *arguments, "--json", "--quiet")
    assert finished.returncode == 0, finished.stderr
    metrics = json.loads(finished.stdout)
    assert metrics["start"]["model"] == "residual_mlp_digits"
    assert metrics["start"]["anew"] == []
    again = kzoo_here("run", f"{metrics['run']}/spec.json", "--quiet")
    assert f"same bits as {metrics['run']}" in again.stderr


def test_own_builders_are_entry_points_like_any_other() -> None:
    """The entry points of the kzoo distribution are exactly what `kzoo.builders` offers."""
    points = distribution("kzoo").entry_points.select(group="kzoo.builders")
    assert sorted(point.name for point in points) == sorted(kzoo.builders.__all__)
    for point in points:
        assert point.load() is getattr(kzoo.builders, point.name)


def test_own_specs_are_listed_without_problems() -> None:
    """Every bundled spec is listed once, in alphabetical order."""
    files, problems = registry.list_specs()
    names = [file.name for file in files if file.origin == "kzoo"]
    assert problems == []
    assert names == sorted(path.stem for path in registry.zoo_folder().glob("*.json"))
