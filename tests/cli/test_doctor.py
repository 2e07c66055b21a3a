"""`kzoo doctor`: each trap is really laid, found, named, and ends in what to type."""

from __future__ import annotations

import importlib.util
import json
import os
import time
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.kinds import Command, UsePlugins, WritePlugin

from kzoo import machine
from kzoo.cli import spec_findings
from kzoo.cli.findings import Finding
from kzoo.cli.installation import check_installation
from kzoo.cli.spec_findings import Typed, check_spec
from kzoo.evaluation.forecast import Forecast, SearchForecast, forecast
from kzoo.spec import load_spec
from kzoo.spec.tune import TuneSpec
from kzoo.tuning.algorithms import make_proposer

BUILDERS = {
    name: f"kzoo.builders:{name}"
    for name in ("softmax_regression", "deep_mlp", "mlp_dropout", "small_cnn")
}
Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, unreachable: dict[str, str]) -> None:
    """Take out of the environment what is a trap, or a data set."""
    for name in (
        "KZOO_DATA", "KERAS_BACKEND", "TF_ENABLE_ONEDNN_OPTS", "TF_DETERMINISTIC_OPS",
        "TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "XLA_FLAGS", "TF_XLA_FLAGS",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    for name, value in unreachable.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("os.getloadavg", lambda: (0.0, 0.0, 0.0))


def found(about: str, out: Path = Path("runs")) -> list[Finding]:
    """Return what the installation's check finds of one thing."""
    return [finding for finding in check_installation(out) if finding.about == about]


def only(about: str, out: Path = Path("runs")) -> Finding:
    """Return the one finding of one thing."""
    (finding,) = found(about, out)
    return finding


def use_kzoo(write_plugin: WritePlugin, use_plugins: UsePlugins, *lines: str) -> None:
    """Have kzoo's own record say something else of what it needs."""
    folder = write_plugin("kzoo", builders=BUILDERS)
    metadata = folder / "kzoo-1.0.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text("utf-8") + "\n".join(lines) + "\n", "utf-8")
    use_plugins(folder)


def test_a_sound_installation_is_looked_at_in_a_moment(kzoo_here: Command) -> None:
    """Without a spec nothing heavy is imported, all is well, and nothing is left behind."""
    began = time.process_time()
    result = kzoo_here("doctor", "--json")
    assert time.process_time() - began < 1.5
    tree = json.loads(result.stdout)
    assert (result.returncode, result.stderr) == (0, "")
    assert (tree["spec"], tree["problems"]) == (None, 0)
    assert all(finding["type"] and finding["what"] for finding in tree["findings"])
    assert {"versions", "plugins", "backend", "cores", "memory", "runs", "datasets"} <= {
        finding["about"] for finding in tree["findings"]
    }
    assert list(Path.cwd().iterdir()) == []


def test_a_line_a_finding_ends_in_what_to_type(kzoo_here: Command) -> None:
    """Written to a pipe, each finding is one line: mark, what, and last what mends it."""
    lines = kzoo_here("doctor", columns=None).stdout.splitlines()
    findings = check_installation(Path("runs"))
    assert len(lines) == len(findings)
    for line, finding in zip(lines, findings, strict=True):
        assert line.split()[:2] == [finding.mark, finding.about]
        assert line == line.rstrip()
        assert line.endswith(f"  try: {finding.command}") == (finding.mark != "ok")


@pytest.mark.parametrize("columns", [40, 80])
def test_on_a_narrow_terminal_commands_stand_below_and_whole(
    kzoo_here: Command, columns: int
) -> None:
    """Words are wrapped; what to type is never cut."""
    lines = kzoo_here("doctor", columns=columns).stdout.splitlines()
    findings = [one for one in check_installation(Path("runs")) if one.mark != "ok"]
    commands = [f"    {finding.command}" for finding in findings]
    assert [line for line in lines if line in commands] == commands
    assert all(len(line) <= columns for line in lines if line not in commands)


def test_a_problem_ends_in_exit_status_1(
    kzoo_here: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a note does not."""
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    assert kzoo_here("doctor").returncode == 0
    monkeypatch.setenv("KERAS_BACKEND", "numpy")
    result = kzoo_here("doctor")
    assert result.returncode == 1
    assert "problem" in result.stdout


def test_data_go_with_a_spec(kzoo_here: Command) -> None:
    """There is nothing to try them on otherwise."""
    assert kzoo_here("doctor", "--data", "digits").returncode == 2


@pytest.mark.parametrize(
    ("line", "said", "command"),
    [
        ("Requires-Dist: rich>=999", "kzoo needs >=999", "pip install 'rich>=999'"),
        ("Requires-Dist: no_such_thing>=1", "no_such_thing is not installed",
         "pip install 'no_such_thing>=1'"),
        ("Requires-Python: >=4", "kzoo needs >=4", "python3.12 -m venv venv"),
    ],
)  # fmt: skip
def test_a_version_out_of_range_is_a_problem(
    write_plugin: WritePlugin, use_plugins: UsePlugins, line: str, said: str, command: str
) -> None:
    """The ranges are those of the installed kzoo's own record."""
    use_kzoo(write_plugin, use_plugins, line)
    finding = only("versions")
    assert (finding.mark, finding.command) == ("problem", command)
    assert said in finding.what


def test_what_another_platform_or_an_extra_needs_is_no_problem(
    write_plugin: WritePlugin, use_plugins: UsePlugins
) -> None:
    """Of the extras those that miss something are named, with the command for all of them."""
    use_kzoo(
        write_plugin,
        use_plugins,
        'Requires-Dist: no_such_thing; sys_platform == "none"',
        'Requires-Dist: no_such_thing>=1; extra == "first"',
        'Requires-Dist: rich; extra == "second"',
        'Requires-Dist: rich>=999; extra == "third"',
        "Provides-Extra: first", "Provides-Extra: second", "Provides-Extra: third",
        "Provides-Extra: dev",
    )  # fmt: skip
    assert only("versions").mark == "ok"
    extras = only("extras")
    assert (extras.mark, extras.command) == ("note", 'pip install "kzoo[first,third]"')
    assert extras.figures == {"missing": ["first", "third"]}


def test_broken_and_clashing_plugins_are_named(
    write_plugin: WritePlugin, use_plugins: UsePlugins
) -> None:
    """A builder that cannot be imported, a name taken twice, specs that are missing or not read."""
    use_plugins(
        write_plugin("broken", builders={"broken": "no_such_module:broken"}),
        write_plugin("twice", builders={"deep_mlp": "twice:deep_mlp"}),
        write_plugin("gone", specs={"gone": "gone.specs"}),
        write_plugin(
            "guest",
            specs={"guest": "guest.specs"},
            files={
                "guest/__init__.py": "",
                "guest/specs/deep_mlp.json": '{"extends": "small_cnn"}',
                "guest/specs/unread.json": "{",
            },
        ),
    )
    problems = {finding.command: finding.what for finding in found("plugins")}
    assert {finding.mark for finding in found("plugins")} == {"problem"}
    assert "No module named 'no_such_module'" in problems["pip uninstall broken"]
    assert "its folder of specs is missing" in problems["pip uninstall gone"]
    texts = [finding.what for finding in found("plugins")]
    assert any("builder 'deep_mlp' is registered by" in text and "twice" in text for text in texts)
    assert any("spec 'deep_mlp' is registered by" in text and "guest" in text for text in texts)
    assert any(text.startswith("guest 1.0: ") and "unread.json" in text for text in texts)


@pytest.mark.parametrize(
    ("backend", "mark", "said"),
    [
        ("tensorflow", "ok", "tensorflow"),
        ("numpy", "problem", "KERAS_BACKEND says numpy, with which Keras cannot train"),
        ("tensorfow", "problem", "says tensorfow"),
    ],
)
def test_the_backend_is_what_the_variable_says(
    monkeypatch: pytest.MonkeyPatch, backend: str, mark: str, said: str
) -> None:
    """One that cannot train is a problem, before Keras says so."""
    monkeypatch.setenv("KERAS_BACKEND", backend)
    finding = only("backend")
    assert finding.mark == mark
    assert said in finding.what


@pytest.mark.parametrize(("is_installed", "mark"), [(True, "note"), (False, "problem")])
def test_another_backend_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_installed: bool, mark: str
) -> None:
    """One that kzoo is not tested with is a note; one that is not there a problem."""
    if is_installed:
        (tmp_path / "torch.py").write_text("", "utf-8")
        monkeypatch.syspath_prepend(tmp_path)
    elif importlib.util.find_spec("torch"):
        pytest.skip("torch is installed")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    finding = only("backend")
    assert (finding.mark, finding.command) == (mark, "export KERAS_BACKEND=tensorflow")


def test_what_kerass_own_file_changes_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its backend counts; channels first and other floats change models without a word."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    file = tmp_path / "keras.json"
    settings = {"backend": "numpy", "image_data_format": "channels_first", "floatx": "float64"}
    file.write_text(json.dumps(settings), "utf-8")
    assert only("backend").mark == "problem"
    assert [(finding.mark, finding.command) for finding in found("keras")] == [
        ("problem", f"rm {file}"),
        ("note", f"rm {file}"),
    ]
    file.write_text("{", "utf-8")
    assert "cannot be read" in only("keras").what
    assert only("backend").mark == "ok"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TF_ENABLE_ONEDNN_OPTS", "0"),
        ("TF_DETERMINISTIC_OPS", "1"),
        ("TF_NUM_INTRAOP_THREADS", "1"),
        ("OMP_NUM_THREADS", "1"),
        ("XLA_FLAGS", "--xla_dump_to=/tmp/x"),
    ],
)
def test_a_variable_that_changes_results_or_speed_is_told(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """Each is a note that says what it does and how to take it back."""
    monkeypatch.setattr(machine, "count_cores", lambda: 4)
    assert found("environment") == []
    monkeypatch.setenv(name, value)
    finding = only("environment")
    assert (finding.mark, finding.command) == ("note", f"unset {name}")
    assert finding.what.startswith(f"{name}={value}: ")
    assert finding.figures == {name: value}


@pytest.mark.parametrize(
    ("flags", "mark", "said"),
    [
        ("fpu sse2", "problem", "no AVX units"),
        ("fpu avx avx2", "ok", "no bfloat16 units: float32 is faster"),
        ("fpu avx avx2 avx512f avx512_bf16", "ok", "bfloat16 can be faster"),
    ],
)
def test_the_processors_units_are_those_that_linux_lists(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flags: str, mark: str, said: str
) -> None:
    """Without AVX TensorFlow's package cannot run at all."""
    information = tmp_path / "cpuinfo"
    information.write_text(f"processor\t: 0\nflags\t\t: {flags}\n", "utf-8")
    monkeypatch.setattr(machine, "_CPUINFO", str(information))
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    finding = only("processor")
    assert finding.mark == mark
    assert said in finding.what


def test_a_containers_limits_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Less memory than the machine's, and less time than the cores that are seen."""
    limit, quota = tmp_path / "memory.max", tmp_path / "cpu.max"
    limit.write_text("1500000000\n", "ascii")
    quota.write_text("150000 100000\n", "ascii")
    monkeypatch.setattr(machine, "_CONTAINER_LIMITS", (str(limit),))
    monkeypatch.setattr(machine, "_CONTAINER_QUOTAS", ((str(quota),),))
    monkeypatch.setattr(machine, "physical_memory", lambda: 2**35)
    monkeypatch.setattr(machine, "count_cores", lambda: 8)
    memory, cores = only("memory"), only("cores")
    assert memory.mark == "note"
    assert memory.what.startswith("1.4 GiB, ")
    assert memory.what.endswith("(the container's limit; the machine has 32)")
    assert (cores.mark, cores.command) == ("note", "export TF_NUM_INTRAOP_THREADS=2")
    assert "8 cores seen, but the container gets the time of 1.5" in cores.what
    limit.write_text("max\n", "ascii")
    quota.write_text("max 100000\n", "ascii")
    assert (only("memory").figures["memory"], only("cores").mark) == (2**35, "ok")
    monkeypatch.setattr(machine, "memory", lambda: 2**29)
    assert only("memory").mark == "problem"


def test_a_busy_machine_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where others compute, what is measured takes too long."""
    monkeypatch.setattr(machine, "count_cores", lambda: 2)
    assert found("load") == []
    monkeypatch.setattr("os.getloadavg", lambda: (5.2, 1.0, 0.0))
    assert (only("load").mark, only("load").command) == ("note", "top")
    assert "load 5.2, 2 cores" in only("load").what


def test_runs_that_cannot_be_written_are_a_problem(tmp_path: Path) -> None:
    """A folder without permission, and a file in the way."""
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    # Root may write anywhere but there.
    folder = Path("/proc") if os.access(locked, os.W_OK) else locked
    taken = tmp_path / "taken"
    taken.write_text("", "utf-8")
    for out in (folder / "runs", taken / "runs"):
        finding = only("runs", out)
        assert finding.mark == "problem"
        assert finding.what.startswith(f"{out}: nothing can be written there: ")
        assert finding.command == "kzoo run deep_mlp --out ~/runs"


@pytest.mark.parametrize(("free", "mark"), [(2**20, "problem"), (2**28, "note"), (2**34, "ok")])
def test_little_disk_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, mark: str
) -> None:
    """Too little for a run is a problem, too little for many a note."""
    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage(2**40, 2**40 - free, free))
    finding = only("runs", tmp_path / "runs")
    assert (finding.mark, finding.figures) == (mark, {"free": free})


def test_where_mnist_is_looked_for_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A variable that names no folder, one without the file, none at all, and a good one."""
    assert only("datasets").command == "kzoo run deep_mlp --data digits"
    monkeypatch.setenv("KZOO_DATA", str(tmp_path / "none"))
    assert only("datasets").what.endswith("none is no folder; mnist would be downloaded")
    monkeypatch.setenv("KZOO_DATA", str(tmp_path))
    assert "holds no mnist.npz" in only("datasets").what
    assert only("datasets").mark == "note"
    (tmp_path / "mnist.npz").touch()
    assert only("datasets").mark == "ok"


GRID = {
    "extends": "softmax_regression",
    "dataset": {"name": "digits"},
    "fit": {"epochs": 3},
    "tune": {
        "algorithm": "grid",
        "max_trials": 20,
        "space": {
            "optimizer.learning_rate": {"type": "choice", "values": [0.1, 0.01, 0.001]},
            "fit.batch_size": {"type": "choice", "values": [50, 100]},
        },
    },
}


def test_a_spec_is_measured_and_its_grid_is_exhausted(
    kzoo_command: Command, tmp_path: Path
) -> None:
    """Parameters, operations, memory, time and the search, in one JSON object."""
    (tmp_path / "grid.json").write_text(json.dumps(GRID), "utf-8")
    result = kzoo_command("doctor", "grid.json", "fit.batch_size=50", "--json")
    tree = json.loads(result.stdout)
    by_name = {finding["about"]: finding for finding in tree["findings"]}
    assert (result.returncode, result.stderr, tree["spec"]) == (0, "", "grid")
    assert by_name["model"]["figures"] == {
        "parameters": 650,
        "trained_parameters": 650,
        "operations": 1428,
    }
    assert by_name["device"]["figures"]["execution"] == "compiled"
    # Of the new process alone: no more than a few times what Keras takes.
    assert 2**28 < by_name["peak"]["figures"]["peak"] < 2**32
    assert by_name["peak"]["figures"]["data"] == 2 * 1438 * 64
    time_ = by_name["time"]["figures"]
    assert (time_["batch_size"], time_["timed_rows"]) == (50, 1438)
    assert 0 < time_["epoch_seconds"] < 10
    search = by_name["search"]["figures"]
    assert (search["points"], search["trials"]) == (6, 6)
    assert search["epochs"] == 6 * time_["epochs"]
    assert by_name["space"]["what"] == "6 different points: all of them are tried"
    assert by_name["space"]["type"] == "kzoo tune grid.json fit.batch_size=50"
    # Keras makes its own folder, which KERAS_HOME names.
    assert {path.name for path in tmp_path.iterdir()} <= {"grid.json", "keras"}


def test_a_training_that_ends_its_process_is_a_problem(
    kzoo_here: Command, write_plugin: WritePlugin, use_plugins: UsePlugins, tmp_path: Path
) -> None:
    """As one does that takes all memory; the command itself goes on."""
    code = (
        "import multiprocessing, os\n\n"
        "if multiprocessing.parent_process():\n    os._exit(9)\n\n\n"
        "def deadly(input_shape, num_classes):\n    pass\n"
    )
    use_plugins(
        write_plugin("deadly", builders={"deadly": "deadly:deadly"}, files={"deadly.py": code})
    )
    spec = {"model": {"builder": "deadly"}, "dataset": {"name": "digits"}}
    (tmp_path / "mine.json").write_text(json.dumps(spec), "utf-8")
    result = kzoo_here("doctor", "mine.json")
    assert result.returncode == 1
    assert "the process that trained a few steps ended by itself (status 9)" in result.stdout


def test_data_that_cannot_be_read_are_a_problem(
    kzoo_here: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the reason, and other data to try."""
    # In this process, which has Keras already.
    monkeypatch.setattr(
        spec_findings, "_measure", lambda spec: spec_findings._forecast(spec.to_json(), spec.name)
    )
    result = kzoo_here("doctor", "deep_mlp", "--data", "none.npz", columns=None)
    assert result.returncode == 1
    problem = result.stdout.partition("none.npz: no such file or folder")[2]
    assert problem.endswith("  try: kzoo run deep_mlp --data digits\n")
    assert all(line == line.rstrip() for line in result.stdout.splitlines())


def test_a_folder_of_images_that_is_streamed_is_measured(tmp_path: Path) -> None:
    """It could lie in memory too, and an array of one's own could not be streamed."""
    random = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(10):
            image = Image.fromarray(random.integers(0, 256, (8, 8), np.uint8))
            image.save(tmp_path / "photos" / name / f"{number}.png")
    changes = {"dataset.name": str(tmp_path / "photos"), "dataset.memory_limit": 1e-7}
    told = forecast(load_spec("softmax_regression", changes))
    assert (told["is_streamed"], told["can_stream"]) == (True, True)
    assert (told["execution"], told["reason"]) == ("plain", "the data stream")
    assert (told["rows"], told["example_bytes"]) == (16, 64)


def test_the_epochs_of_hyperband_are_those_of_its_rounds() -> None:
    """A trial that goes on from another adds only the epochs that are new."""
    space = {"optimizer.learning_rate": {"type": "float", "min": 0.001, "max": 0.1}}
    tune = {"algorithm": "hyperband", "max_trials": 100, "space": space}
    changes = {"dataset.name": "digits", "fit.epochs": 9, "fit.min_steps": None, "tune": tune}
    told = forecast(load_spec("softmax_regression", changes))
    assert told["search"] is not None
    assert told["search"]["points"] is None
    oracle = make_proposer(TuneSpec.model_validate_json(json.dumps(tune)), seed=0, epochs=9)._oracle  # type: ignore[attr-defined]
    rounds = [
        (bracket, number)
        for bracket in range(oracle._get_num_brackets())
        for number in range(oracle._get_num_rounds(bracket))
    ]
    # And the spec's own values, first.
    assert told["search"]["trials"] == 1 + sum(oracle._get_size(*place) for place in rounds)
    assert told["search"]["epochs"] == 9 + sum(
        oracle._get_size(bracket, number)
        * (
            oracle._get_epochs(bracket, number)
            - (oracle._get_epochs(bracket, number - 1) if number else 0)
        )
        for bracket, number in rounds
    )
    assert told["policy"] == "float32"
    assert told["bfloat16_seconds"] is None


def told(**changes: Any) -> Forecast:
    """Return a forecast of a small model on MNIST."""
    base: dict[str, Any] = {
        "backend": "tensorflow", "device": "CPU, 2 cores", "dataset": "digits", "rows": 1438,
        "input_shape": (8, 8), "example_bytes": 64, "is_streamed": False, "can_stream": False,
        "parameters": 650, "trained_parameters": 650, "operations": 1428, "uncounted": [],
        "execution": "compiled",
        "reason": "the fastest way for these layers", "policy": "float32",
        "slow_in_bfloat16": False,
        "epochs": 10, "batch_size": 100, "epoch_seconds": 2.0, "bfloat16_seconds": None,
        "timed_rows": 1438, "base_memory": 2**29, "peak_memory": 2**29 + 2**27, "search": None,
    }  # fmt: skip
    return Forecast(**{**base, **changes})  # type: ignore[typeddict-item]  # all keys are there


SEARCH = SearchForecast(algorithm="random", points=None, trials=20, epochs=200)


@pytest.mark.parametrize(
    ("changes", "about", "mark", "command"),
    [
        ({}, "peak", "ok", "kzoo run mine.json fit.epochs=10"),
        ({"peak_memory": 2**34}, "peak", "problem",
         "kzoo run mine.json fit.epochs=10 fit.batch_size=50"),
        ({"rows": 2**20, "example_bytes": 2**12, "can_stream": True}, "peak", "problem",
         "kzoo run mine.json fit.epochs=10 dataset.memory_limit=2.0"),
        ({"rows": 2**30}, "data", "problem", "kzoo run mine.json fit.epochs=10 --data digits"),
        ({"dataset": "mnist"}, "data", "note", "kzoo run mine.json fit.epochs=10 --data digits"),
        ({"is_streamed": True, "rows": 2**30}, "data", "note", "kzoo run mine.json fit.epochs=10"),
        ({"execution": "plain", "reason": "a fit of its own"}, "device", "note",
         "kzoo show mine.json --layers"),
        ({"policy": "mixed_bfloat16", "slow_in_bfloat16": True}, "bfloat16", "note",
         "kzoo run mine.json fit.epochs=10 model.dtype_policy=float32"),
        ({"bfloat16_seconds": 1.0}, "bfloat16", "note",
         "kzoo run mine.json fit.epochs=10 model.dtype_policy=mixed_bfloat16"),
        ({"bfloat16_seconds": 1.9}, "bfloat16", "ok", "kzoo run mine.json fit.epochs=10"),
        ({"search": SEARCH}, "search", "ok", "kzoo tune mine.json fit.epochs=10"),
        ({"search": SEARCH, "epoch_seconds": 36.0}, "search", "note",
         "kzoo tune mine.json fit.epochs=10 --max-trials 10"),
        ({"search": {**SEARCH, "points": 300}}, "space", "ok",
         "kzoo tune mine.json fit.epochs=10 --max-trials 300"),
        ({"search": {**SEARCH, "points": 20}}, "space", "ok", "kzoo tune mine.json fit.epochs=10"),
        ({"parameters": 2**40}, "disk", "problem", "df -h runs"),
    ],
)  # fmt: skip
def test_what_was_measured_ends_in_what_to_type(
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    about: str,
    mark: str,
    command: str,
) -> None:
    """On a machine of 8 GiB, 6 of them free, what would not fit is a problem."""
    monkeypatch.setattr(machine, "memory", lambda: 2**33)
    monkeypatch.setattr(machine, "available_memory", lambda: 6 * 2**30)
    monkeypatch.setattr(spec_findings, "_measure", lambda spec: told(**changes))
    typed = Typed("mine.json", ("fit.epochs=10",))
    findings = {finding.about: finding for finding in check_spec(load_spec("deep_mlp"), typed)}
    assert (findings[about].mark, findings[about].command) == (mark, command)


def test_a_change_that_is_advised_replaces_the_persons_own() -> None:
    """The command is whole: other changes, data and folder are kept, and are fit for a shell."""
    typed = Typed("my spec.json", ("fit.batch_size=10", "seed=1"), "my data.csv", Path("/tmp/x y"))  # noqa: S108
    assert typed.run("fit.batch_size=5") == (
        "kzoo run 'my spec.json' seed=1 fit.batch_size=5 --data 'my data.csv' --out '/tmp/x y'"
    )
