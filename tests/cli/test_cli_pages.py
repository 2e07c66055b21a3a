"""The pages of `list`, `show` and `show --layers` on terminals of any width."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.kinds import Command, UsePlugins, WritePlugin
from support.zoo import BUNDLED

import kzoo
from kzoo.cli.words import describe_values
from kzoo.display.text import duration

WIDTHS = [40, 80, 160]
LAYERS = ["show", "softmax_regression", "--data", "digits", "--layers"]


def lines_of(finished: subprocess.CompletedProcess[str], columns: int) -> list[str]:
    """Return the lines of a page, none of which may be wider than the terminal."""
    assert (finished.returncode, finished.stderr) == (0, "")
    lines = [line.rstrip() for line in finished.stdout.splitlines()]
    assert [line for line in lines if len(line) > columns] == []
    return lines


@pytest.mark.parametrize("columns", WIDTHS)
def test_the_list_fits_and_stays_a_table(kzoo_here: Command, columns: int) -> None:
    """A line a spec, whole names and accuracies; the rest where there is room for it."""
    header, *rows = lines_of(kzoo_here("list", columns=columns), columns)
    # What a spec is may go on in the next line.
    rows = [row for row in rows if not row.startswith(" ")]
    assert [row.split()[0] for row in rows] == BUNDLED
    start = header.index("accuracy")
    assert all(row[start : start + 2] == "0." for row in rows)
    assert ("parameters" in header) == (columns >= 80)
    assert ("One linear layer" in rows[-1]) == (columns >= 80)


def test_the_list_has_whole_texts_where_no_terminal_is(
    kzoo_here: Command,
) -> None:
    """Written to a file or a pipe, nothing is cut off."""
    for row in kzoo_here("list", columns=None).stdout.splitlines()[1:]:
        assert "\N{HORIZONTAL ELLIPSIS}" not in row
        assert row.rstrip().endswith(".")


@pytest.mark.parametrize("columns", WIDTHS)
def test_a_plugins_specs_stand_by_themselves(
    kzoo_here: Command,
    write_plugin: WritePlugin,
    use_plugins: UsePlugins,
    columns: int,
) -> None:
    """The zoo's own come first; the plugin's follow under its name, in the same columns."""
    texts = {
        "guest/__init__.py": "",
        "guest/specs/a_guest.json": '{"model": {"builder": "deep_mlp"}, "dataset": {"name": '
        '"/somewhere/or/other/a/long/way/down/data.npz"}, '
        '"description": "First line\\nand \\u001b[31msecond."}',
        "guest/specs/broken.json": "{",
    }
    use_plugins(write_plugin("guest", specs={"guest": "guest.specs"}, files=texts))
    finished = kzoo_here("list", columns=columns)
    assert finished.returncode == 0
    assert finished.stderr.startswith("Notice: guest 1.0: ")
    assert finished.stderr.endswith("\n")
    (_, *rows) = finished.stdout.splitlines()
    begun = [row for row in rows if not row.startswith(" ")]
    assert [row.split()[0] for row in begun] == [*BUNDLED, "from", "a_guest"]
    assert "from the plugin guest 1.0:" in finished.stdout
    assert max(len(row.rstrip()) for row in rows) <= columns
    assert "\x1b" not in finished.stdout


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("name", BUNDLED)
def test_the_page_of_a_spec_fits_and_loses_nothing(
    kzoo_here: Command, columns: int, name: str
) -> None:
    """At any width all words are there, and the commands whole on their lines."""
    lines = lines_of(kzoo_here("show", name, columns=columns), columns)
    for command in (f"kzoo run {name}", f"kzoo init {name}"):
        assert any(line.strip().startswith(command) for line in lines)
    wide = lines_of(kzoo_here("show", name, columns=500), 500)
    assert words_of(lines) == words_of(wide)


def words_of(lines: list[str]) -> list[str]:
    """Return the words of lines; of a line that is wrapped a tree repeats what leads to it."""
    return sorted(word for word in " ".join(lines).split() if not set(word) <= set("│├└─"))


def test_the_page_says_what_is_known_of_a_spec(kzoo_here: Command) -> None:
    """Size, accuracy with its deviation, the published figure and the data are there."""
    said = kzoo_here("show", "deep_mlp_random_normal").stdout
    assert "269,322 trained parameters" in said
    expected = kzoo.load_spec("deep_mlp_random_normal").expected
    assert expected
    figure = f"{expected.mean:.4f} \N{PLUS-MINUS SIGN} {expected.deviation:.4f}"
    assert f"{figure} on the test set" in said
    assert "0.945 (the classic MNIST tutorial)" in said
    assert "mnist: 70,000 handwritten digits, grey images of 28x28, 10 classes" in said
    assert "where mnist is not available, digits instead" in said
    assert "kzoo init deep_mlp_random_normal" in said


def test_a_description_cannot_steer_the_terminal(kzoo_here: Command, tmp_path: Path) -> None:
    """Control characters in a spec are shown as escapes, and a name with a space is quoted."""
    text = (
        r'{"extends": "deep_mlp", "description": "red \u001b[31m", "dataset": {"name": "\u001b"}}'
    )
    (tmp_path / "my own.json").write_text(text, encoding="utf-8")
    said = kzoo_here("show", "my own.json").stdout
    assert "\x1b" not in said
    assert r"red \x1b[31m" in said
    assert "kzoo run 'my own.json'" in said


@pytest.mark.parametrize("columns", WIDTHS)
def test_the_layers_fit_and_add_up(kzoo_here: Command, columns: int) -> None:
    """Each layer is a line with what it holds; the last line is the sum; then the time."""
    lines = lines_of(kzoo_here(*LAYERS, columns=columns), columns)
    assert lines[:2] == ["softmax_regression on digits", "8x8 in, 10 classes out"]
    rows = {line.split()[0]: line.split() for line in lines if line}
    assert "650" in rows["probabilities"]
    assert "650" in rows["total"]
    assert ("1,428" in rows["total"]) == (columns >= 80)
    assert ("Rescaling" in rows["scaling"]) == (columns >= 80)
    text = " ".join(lines)
    assert "Operations of one forward pass of one example" in text
    assert "An epoch takes about" in text
    assert "on as many random examples as there are, 1,438" in text


def test_the_layers_as_json_are_one_object(kzoo_command: Command, tmp_path: Path) -> None:
    """In a process of its own, standard output parses whole; nothing is left behind."""
    result = kzoo_command(*LAYERS, "--json")
    assert (result.returncode, result.stderr) == (0, "")
    tree = json.loads(result.stdout)
    assert (tree["name"], tree["model"], tree["dataset"]) == (
        "softmax_regression", "softmax_regression", "digits",
    )  # fmt: skip
    assert (tree["input_shape"], tree["classes"]) == ([8, 8], 10)
    assert (tree["parameters"], tree["trained_parameters"]) == (650, 650)
    # Scaling 2 for each of 64 pixels; 64 multiply-adds, a bias and an activation for each class.
    assert tree["operations"] == 2 * 64 + 10 * (2 * 64 + 2)
    assert tree["uncounted_layers"] == []
    assert {layer["kind"] for layer in tree["layers"]} == {"Rescaling", "Flatten", "Dense"}
    assert set(tree["layers"][0]) == {"name", "kind", "output_shape", "parameters", "operations"}
    assert tree["epoch"]["seconds"] > 0
    assert (tree["epoch"]["rows"], tree["epoch"]["timed_rows"]) == (1438, 1438)
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_trained_or_not_counted_is_said(
    kzoo_here: Command,
    write_plugin: WritePlugin,
    use_plugins: UsePlugins,
    tmp_path: Path,
) -> None:
    """The total is then a lower bound, and the layers without a rule are named."""
    code = (
        "import keras\n"
        "def folded(input_shape, num_classes):\n"
        "    layers = [keras.Input(input_shape), keras.layers.BatchNormalization(),\n"
        "              keras.layers.LSTM(2, name='memory'),\n"
        "              keras.layers.Dense(num_classes, activation='softmax')]\n"
        "    return keras.Sequential(layers)\n"
    )
    plugin = write_plugin(
        "folds", builders={"folded": "folds_code:folded"}, files={"folds_code.py": code}
    )
    use_plugins(plugin)
    np.savez(tmp_path / "d.npz", x_train=np.eye(8).reshape(8, 4, 2).repeat(5, 0),
             y_train=np.arange(40) % 2)  # fmt: skip
    text = '{"model": {"builder": "folded"}, "dataset": {"name": "d.npz"}}'
    (tmp_path / "my.json").write_text(text, encoding="utf-8")
    said = kzoo_here("show", "my.json", "--layers").stdout
    assert "4 of the parameters" not in said
    assert "50 of the parameters are trained." in said
    assert "total" in said
    assert "over " in said
    assert "Not counted: memory." in said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.0421, "0.042 s"), (1.26, "1.3 s"), (95.4, "95 s"), (210, "3.5 min"), (7560, "2.1 h")],
)
def test_a_time_is_said_as_people_say_it(seconds: float, said: str) -> None:
    """Two or three digits and the unit that suits."""
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "integer", "minimum": 1}, "a whole number from 1 up"),
        ({"type": "number", "minimum": 0, "exclusiveMaximum": 1}, "a number from 0 to below 1"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 10}, "a number above 0 up to 10"),
        ({"type": "string"}, "a text"),
        ({"type": "boolean"}, "true or false"),
        ({"enum": ["relu", "gelu"]}, "relu, gelu"),
        ({"const": "relu"}, "relu"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "a whole number or null"),
        ({"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1},
         "1 or more whole numbers from 1 up"),
        ({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
         "2 numbers"),
        ({"type": "array"}, "a list of values"),
        ({"type": "object"}, ""),
    ],
)  # fmt: skip
def test_what_a_parameter_accepts_is_said_in_words(schema: dict[str, Any], said: str) -> None:
    """Kinds and bounds are words; of what has none nothing is said."""
    assert describe_values(schema) == said
