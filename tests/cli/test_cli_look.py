"""The commands that look before running: list, show, validate, schema, init."""

from __future__ import annotations

import ast
import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.kinds import Command, UsePlugins, WritePlugin
from support.zoo import BUNDLED

import kzoo
from kzoo.cli.words import describe_optimizer
from kzoo.spec import load_spec, validate_file


def one_line(finished: subprocess.CompletedProcess[str]) -> str:
    """Return the single line on standard error of a command that failed as it should."""
    assert finished.returncode == 1
    assert finished.stdout == ""
    (line,) = finished.stderr.splitlines()
    return line


def test_list_shows_every_bundled_spec(kzoo_command: Command) -> None:
    """Each bundled spec has a line with its name, its size and what it is."""
    finished = kzoo_command("list")
    assert finished.returncode == 0
    assert finished.stderr == ""
    for name in BUNDLED:
        spec = load_spec(name)
        assert spec.expected is not None
        (line,) = [line for line in finished.stdout.splitlines() if line.split()[0] == name]
        assert f"{spec.expected.parameters:,}" in line
        assert spec.description[:30] in line


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("cnn", ["small_cnn"]),
        ("mlp", ["deep_mlp", "deep_mlp_random_normal", "mlp_dropout"]),
        ("*mlp", ["deep_mlp"]),
        ("deep_ml?", ["deep_mlp"]),
        ("[ms]*", ["mlp_dropout", "small_cnn", "softmax_regression"]),
        ("nothing", []),
    ],
)
def test_list_takes_part_of_a_name_or_a_glob(
    kzoo_here: Command, pattern: str, names: list[str]
) -> None:
    """A pattern without wildcards is part of a name; one with them must match the whole name."""
    finished = kzoo_here("list", pattern, "--json")
    assert [row["name"] for row in json.loads(finished.stdout)] == names


def test_list_as_json_has_all_there_is_to_know(kzoo_here: Command) -> None:
    """A row of `list --json` names model, dataset, size, accuracy, time and origin."""
    (row,) = json.loads(kzoo_here("list", "softmax", "--json").stdout)
    assert row.keys() == {
        "name",
        "description",
        "model",
        "dataset",
        "parameters",
        "test_accuracy",
        "mean",
        "deviation",
        "fit_seconds",
        "weights",
        "origin",
    }
    assert row["weights"] is True
    facts = (row["model"], row["dataset"], row["parameters"], row["origin"])
    assert facts == ("softmax_regression", "mnist", 7850, "kzoo")
    low, high = row["test_accuracy"]
    assert low <= row["mean"] <= high


def test_list_and_show_say_which_specs_have_weights(kzoo_here: Command, tmp_path: Path) -> None:
    """A spec of the zoo has weights; a copy of it in a file of one's own has none."""
    listed = kzoo_here("list").stdout.splitlines()
    place = listed[0].index("weights")
    assert [line[place:].split()[0] for line in listed[1:]] == ["yes"] * len(BUNDLED)
    assert "weights    come with it, " in kzoo_here("show", "small_cnn").stdout
    kzoo_here("init", "small_cnn", "own.json")
    shown = kzoo_here("show", "own.json")
    assert shown.returncode == 0
    assert "come with it" not in shown.stdout


def test_show_tells_what_a_spec_starts_from_and_what_it_freezes(
    kzoo_here: Command, tmp_path: Path
) -> None:
    """The weights to start from and the layers that are not trained stand among the facts."""
    spec = {
        "extends": "small_cnn",
        "start_from": {"model": "small_cnn"},
        "fit": {"freeze": "convolution_*"},
    }
    (tmp_path / "own.json").write_text(json.dumps(spec))
    shown = kzoo_here("show", "own.json").stdout
    assert "from the weights of small_cnn, where they fit" in shown
    assert "not trained: convolution_*" in shown


def test_show_explains_the_builder_and_its_parameters(kzoo_here: Command) -> None:
    """`show` has the builder's summary, and of each parameter the value and what is accepted."""
    finished = kzoo_here("show", "mlp_dropout")
    assert finished.returncode == 0
    assert "Multilayer perceptron with dropout on the inputs" in finished.stdout
    assert "model.input_rate = 0.2" in finished.stdout
    assert "Fraction of the inputs dropped in a training step." in finished.stdout
    assert "Accepts a number from 0 to below 1." in finished.stdout
    assert "kzoo run mlp_dropout" in finished.stdout


def test_show_says_in_words_how_a_spec_trains(kzoo_here: Command, tmp_path: Path) -> None:
    """Data, augmentation, optimizer, schedule, stopping and weights are sentences."""
    tree = {
        "model": {"builder": "softmax_regression"},
        "dataset": {"name": "cifar10", "augment": {"shift": 0.1, "rotate": 15, "zoom": 0.2}},
        "optimizer": {
            "name": "sgd",
            "learning_rate": 0.1,
            "momentum": 0.9,
            "nesterov": True,
            "global_clipnorm": 1.0,
            "schedule": {"name": "piecewise", "boundaries": [5, 8], "factors": [0.1, 0.01]},
        },
        "fit": {
            "epochs": 1,
            "early_stopping": {"patience": 2},
            "restore_best_weights": True,
            "class_weight": "balanced",
        },
    }
    (tmp_path / "mine.json").write_text(json.dumps(tree), encoding="utf-8")
    said = kzoo_here("show", "mine.json").stdout
    for sentence in [
        "cifar10: 60,000 photographs, colour images of 32x32, 10 classes",
        "5,000 of the training examples are held out to validate on",
        "each training image is shifted by up to 10 % of its size and rotated by up to 15 degrees "
        "and zoomed by up to 20 % at random",
        "SGD, learning rate 0.1",
        "it becomes 0.01 after epoch 5, 0.001 after epoch 8",
        "Nesterov momentum of 0.9",
        "gradients are scaled down to a norm of 1",
        "1 epoch, batches of 100",
        "it ends early after 2 epochs without a better val_accuracy",
        "the weights of the epoch with the best val_accuracy are kept",
        "rare classes weigh more",
    ]:
        assert sentence in said


@pytest.mark.parametrize(
    ("optimizer", "said"),
    [
        ({"name": "adam"}, ["Adam, learning rate 0.001", "it stays as it is"]),
        ({"name": "adamw"}, ["AdamW, learning rate 0.001", "weight decay of 0.004"]),
        ({"name": "rmsprop", "momentum": 0.5}, ["RMSprop, learning", " momentum of 0.5"]),
        (
            {"name": "adam", "schedule": {"name": "cosine", "warmup_fraction": 0.1, "alpha": 0.5}},
            [
                "it rises from 0 over the first 10 % of the steps, "
                "then falls along half a cosine to 0.0005"
            ],
        ),
        (
            {"name": "adam", "schedule": {"name": "exponential", "decay_rate": 0.5}},
            ["it is multiplied by 0.5 every epoch, smoothly"],
        ),
        (
            {
                "name": "sgd",
                "schedule": {
                    "name": "exponential",
                    "decay_rate": 0.5,
                    "decay_epochs": 2,
                    "staircase": True,
                },
            },
            ["it is multiplied by 0.5 every 2 epochs, at once"],
        ),
    ],
)
def test_each_optimizer_and_schedule_has_its_words(
    optimizer: dict[str, Any], said: list[str]
) -> None:
    """The words give the rate that will be used."""
    tree = {"model": {"builder": "deep_mlp"}, "dataset": {"name": "digits"}, "optimizer": optimizer}
    words = "; ".join(describe_optimizer(load_spec(tree).optimizer))
    for part in said:
        assert part in words


def test_show_as_json_is_the_spec(kzoo_here: Command) -> None:
    """`show --json` prints the resolved spec and nothing else."""
    shown = json.loads(kzoo_here("show", "deep_mlp", "--json").stdout)
    assert load_spec(shown) == load_spec("deep_mlp")


def test_show_takes_a_file_and_suggests_only_what_works(kzoo_here: Command, tmp_path: Path) -> None:
    """Each command that `show` suggests for a file of one's own is one that can be typed."""
    (tmp_path / "mine.json").write_text('{"extends": "deep_mlp"}', encoding="utf-8")
    finished = kzoo_here("show", "mine.json")
    assert finished.returncode == 0
    assert "kzoo run mine.json" in finished.stdout
    assert "kzoo init mine" not in finished.stdout


@pytest.mark.parametrize("command", ["show", "init", "run"])
def test_unknown_spec_is_one_line_with_the_nearest_name(kzoo_here: Command, command: str) -> None:
    """A misspelt name ends with exit status 1 and one line, without a traceback."""
    finished = kzoo_here(command, "deep_mpl")
    assert one_line(finished) == "Error: unknown spec 'deep_mpl'. Did you mean 'deep_mlp'?"


def test_validate_accepts_files_and_names(kzoo_here: Command, tmp_path: Path) -> None:
    """Each valid spec gets a line."""
    (tmp_path / "mine.json").write_text('{"extends": "deep_mlp"}', encoding="utf-8")
    finished = kzoo_here("validate", "mine.json", "small_cnn")
    assert finished.returncode == 0
    assert finished.stdout == "mine.json: valid\nsmall_cnn: valid\n"


def test_validate_reports_every_problem_of_every_file(kzoo_here: Command, tmp_path: Path) -> None:
    """Each problem of each file is one line on standard error, and the exit status is 1."""
    trees = {
        "two.json": '{"extends": "deep_mlp", "fit": {"epochs": 0}, "sed": 1}',
        "good.json": '{"extends": "deep_mlp"}',
        "bad.json": "{",
    }
    for name, text in trees.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    finished = kzoo_here("validate", *trees, "none.json")
    assert finished.returncode == 1
    lines = finished.stderr.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        ["Error", "two.json"],
        ["Error", "two.json"],
        ["Error", "bad.json"],
        ["Error", "none.json"],
    ]
    assert "sed: unknown key. Did you mean 'seed'?" in finished.stderr


def test_schema_is_one_json_object(kzoo_here: Command) -> None:
    """`schema` prints the JSON Schema and nothing else."""
    finished = kzoo_here("schema")
    assert finished.returncode == 0
    assert json.loads(finished.stdout)["title"] == "kzoo spec"
    assert finished.stderr == ""


@pytest.mark.parametrize("name", BUNDLED)
def test_init_writes_a_spec_that_validates(kzoo_here: Command, tmp_path: Path, name: str) -> None:
    """The copy is valid, names its schema beside it, and claims no measured figures."""
    finished = kzoo_here("init", name)
    assert finished.returncode == 0, finished.stderr
    path = tmp_path / f"{name}.json"
    assert validate_file(str(path)) == []
    tree = json.loads(path.read_text(encoding="utf-8"))
    assert (tmp_path / tree["$schema"]).is_file()
    spec = load_spec(path)
    assert (spec.expected, spec.dataset.fallback) == (None, None)
    assert spec.model == load_spec(name).model


def test_init_takes_a_file_to_write(kzoo_here: Command, tmp_path: Path) -> None:
    """The copy and its schema are written where the file is to be."""
    (tmp_path / "folder").mkdir()
    assert kzoo_here("init", "deep_mlp", "folder/mine.json").returncode == 0
    assert {path.name for path in (tmp_path / "folder").iterdir()} == {
        "mine.json",
        "spec.schema.json",
    }


def test_init_refuses_to_overwrite(kzoo_here: Command, tmp_path: Path) -> None:
    """A file that exists is left as it is."""
    path = tmp_path / "deep_mlp.json"
    path.write_text("mine", encoding="utf-8")
    line = one_line(kzoo_here("init", "deep_mlp"))
    assert line == "Error: deep_mlp.json: exists already; give another FILE"
    assert path.read_text(encoding="utf-8") == "mine"


def test_init_does_not_write_the_schema_over_the_spec(kzoo_here: Command, tmp_path: Path) -> None:
    """The name of the schema is no name for a spec; whatever is written is a valid spec."""
    finished = kzoo_here("init", "deep_mlp", "spec.schema.json")
    assert finished.returncode == 1
    assert not (tmp_path / "spec.schema.json").exists()


def test_init_into_a_folder_that_is_not_there_is_one_line(kzoo_here: Command) -> None:
    """A folder that is missing is named with the system's reason."""
    line = one_line(kzoo_here("init", "deep_mlp", "none/mine.json"))
    assert line.startswith("Error: none/mine.json: cannot be written: ")


def test_init_copies_a_spec_that_inherits(
    kzoo_command: Command, write_plugin: WritePlugin, tmp_path: Path
) -> None:
    """A plugin's spec that extends a file beside it is copied whole, to where that file is not."""
    base = '{"extends": "deep_mlp", "dataset": {"name": "digits"}, "seed": 7}'
    folder = write_plugin(
        "heir",
        specs={"heir": "heir.specs"},
        files={
            "heir/__init__.py": "",
            "heir/specs/heir_base.json": base,
            "heir/specs/heir.json": '{"extends": "heir_base.json", "fit": {"epochs": 3}}',
        },
    )
    finished = kzoo_command("init", "heir", env={"PYTHONPATH": folder})
    assert finished.returncode == 0, finished.stderr
    spec = load_spec(tmp_path / "heir.json")
    assert (spec.seed, spec.fit.epochs, spec.dataset.name) == (7, 3, "digits")


def test_version_is_printed(kzoo_command: Command) -> None:
    """`--version` prints the package's version."""
    finished = kzoo_command("--version")
    assert (finished.returncode, finished.stdout) == (0, f"kzoo {kzoo.__version__}\n")


@pytest.mark.parametrize(
    "arguments",
    [["lst"], ["--no-such-option"], ["show"], ["show", "deep_mlp", "--no-such-option"]],
    ids=" ".join,
)
def test_what_the_parser_refuses_ends_with_status_2(
    kzoo_here: Command, arguments: list[str]
) -> None:
    """An unknown command or option, or a missing argument, is the parser's to refuse."""
    finished = kzoo_here(*arguments)
    assert finished.returncode == 2
    assert finished.stdout == ""
    assert "Traceback" not in finished.stderr


LOOKS = [["--help"], ["list"], ["show", "deep_mlp"], ["schema"], ["validate", "deep_mlp"], ["runs"]]


@pytest.mark.parametrize("arguments", LOOKS, ids=" ".join)
def test_looking_imports_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    """What only looks needs the libraries of the command line and of the spec, no others."""
    code = (
        "import sys; from kzoo.cli import main\n"
        f"sys.argv = ['kzoo', *{arguments!r}]\n"
        "try:\n    main()\n"
        "finally:\n"
        "    print({name.partition('.')[0] for name in sys.modules}, file=sys.stderr)\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    imported = ast.literal_eval(finished.stderr.splitlines()[-1])
    assert "typer" in imported
    heavy = {"PIL", "jinja2", "keras", "matplotlib", "numpy", "pandas", "scipy", "tensorflow"}
    assert not imported & heavy


@pytest.mark.slow
@pytest.mark.parametrize("arguments", LOOKS, ids=" ".join)
def test_looking_is_quick(kzoo_command: Command, arguments: list[str]) -> None:
    """The best of ten takes under 0.3 s of processor time, the interpreter's start included.

    That is on a processor that takes 0.15 s to import the libraries that every command needs, and
    in proportion on a slower one. Slow: the neighbours of a shared processor change its speed.
    """

    def seconds(run: Callable[[], object]) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        # Not the wall clock: what else the machine is doing is no fault of the command's.
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def look() -> None:
        assert kzoo_command(*arguments).returncode == 0

    def import_libraries() -> None:
        libraries = "import importlib.metadata, pydantic.main, rich.console, typer"
        subprocess.run([sys.executable, "-c", libraries], check=True)

    pairs = [(seconds(look), seconds(import_libraries)) for _ in range(10)]
    looking, importing = (min(column) for column in zip(*pairs, strict=True))
    assert looking < 0.3 * max(1.0, importing / 0.15)


def test_init_keeps_where_a_plugins_data_lie(
    kzoo_here: Command, write_plugin: WritePlugin, use_plugins: UsePlugins, tmp_path: Path
) -> None:
    """A relative path in a copied spec would start at the copy: it is made absolute."""
    spec = {"model": {"builder": "softmax_regression"}, "dataset": {"name": "data/t.csv"}}
    plugin = write_plugin(
        "with-data",
        specs={"specs": "with_data"},
        files={"with_data/__init__.py": "", "with_data/shipped.json": json.dumps(spec)},
    )
    use_plugins(plugin)
    result = kzoo_here("init", "shipped", "mine.json")
    assert result.returncode == 0, result.stderr
    copied = json.loads((tmp_path / "mine.json").read_text("utf-8"))
    assert copied["dataset"] == {"name": str(plugin / "with_data" / "data" / "t.csv")}
