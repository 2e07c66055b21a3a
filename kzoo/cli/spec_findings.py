"""What a spec would take here, in findings; the measuring is done in a process of its own."""

from __future__ import annotations

import json
import multiprocessing
import shlex
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kzoo import machine
from kzoo.cli.findings import Finding
from kzoo.cli.machine_findings import gibibytes, nearest_folder
from kzoo.cli.output import encoding_of, quoted
from kzoo.datasets import NAMED_DATASETS
from kzoo.datasets.keras_datasets import is_at_hand
from kzoo.display.text import describe_parameters, duration
from kzoo.errors import DataError, KzooError, describe_error
from kzoo.machine import GIBIBYTE
from kzoo.spec import Spec

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from kzoo.evaluation.forecast import Forecast, SearchForecast

MEBIBYTE = 2**20
# While they are split, whole data and their parts lie beside each other.
_COPIES = 2
# A weight in the two files of the model; in a checkpoint and the one that replaces it, each with
# the two moments of an optimizer.
_NUMBERS_WRITTEN = 2 + 2 * 3
_BYTES = 4
_LONG = 3600.0
# What is faster by less may be chance.
_CLEARLY = 0.9
_NVIDIA = Path("/dev/nvidia0")


@dataclass(frozen=True)
class Typed:
    """What the person typed, to be typed again.

    Attributes:
        spec: The spec's name or file.
        overrides: Changes to it.
        data: Other data, or None.
        out: The folder that gets the runs.
    """

    spec: str
    overrides: tuple[str, ...] = ()
    data: str | None = None
    out: Path = Path("runs")

    def run(self, *changes: str) -> str:
        """Return the command that runs it with more changes."""
        return self._command("run", changes)

    def tune(self, *options: str) -> str:
        """Return the command that searches with more options."""
        return " ".join([self._command("tune", ()), *options])

    def elsewhere(self, data: str) -> str:
        """Return the command that runs it on other data."""
        return Typed(self.spec, self.overrides, data, self.out).run()

    def look(self) -> str:
        """Return the command that shows its layers."""
        parts = ["kzoo", "show", self.spec, *(["--data", self.data] if self.data else [])]
        return shlex.join([*parts, "--layers"])

    def _command(self, name: str, changes: tuple[str, ...]) -> str:
        paths = [change.partition("=")[0] for change in changes]
        kept = [own for own in self.overrides if own.partition("=")[0] not in paths]
        words = shlex.join(["kzoo", name, self.spec, *kept, *changes])
        if self.data is not None:
            words += f" --data {shlex.quote(self.data)}"
        if self.out != Path("runs"):
            words += f" --out {quoted(self.out, encoding_of(sys.stdout))}"
        return words


def check_spec(spec: Spec, typed: Typed) -> list[Finding]:
    """Return what a training of a spec, and its search, would take on this machine.

    Args:
        spec: It.
        typed: How the person named it.
    """
    told = _measure(spec)
    if isinstance(told, _Failure):
        command = typed.elsewhere("digits") if told.is_of_data else typed.look()
        return [Finding("problem", "training", told.text, command)]
    findings = [
        _model(told, typed),
        *_device(told, typed),
        *_data(told, typed),
        *_memory(told, typed),
        _time(told, typed),
        *_bfloat16(told, typed),
        *_disk(told, typed),
    ]
    if told["search"]:
        findings += _search(told, told["search"], typed)
    return findings


@dataclass(frozen=True)
class _Failure:
    """Why a spec cannot be trained; the errors themselves do not all pass between processes."""

    text: str
    is_of_data: bool = False


def _measure(spec: Spec) -> Forecast | _Failure:
    """Measure in a new process, whose memory is then known, and which may die."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    arguments = (sender, spec.to_json(), spec.name)
    process = context.Process(target=_send_forecast, args=arguments, daemon=True)
    process.start()
    sender.close()
    try:
        told: Forecast | _Failure = receiver.recv()
    except EOFError:
        process.join()
        return _Failure(
            f"{spec.name}: the process that trained a few steps ended by itself (status "
            f"{process.exitcode}), as where memory runs out",
        )
    finally:
        process.kill()
        receiver.close()
    return told


def _send_forecast(sender: Connection, text: str, name: str) -> None:
    """Do it, in the new process."""
    # A person's Ctrl-C is its parent's to answer.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sender.send(_forecast(text, name))


def _forecast(text: str, name: str) -> Forecast | _Failure:
    """Return what was measured, whatever is wrong with the spec, Keras or its backend."""
    from kzoo.spec import load_spec
    from kzoo.start import import_keras

    try:
        spec = load_spec(json.loads(text))
        import_keras()
        from kzoo.evaluation.forecast import forecast

        return forecast(spec)
    except KzooError as error:
        return _Failure(str(error), isinstance(error, DataError))
    # Keras and its backend may be broken in any way.
    except Exception as error:  # noqa: BLE001
        return _Failure(f"{name} cannot be trained: {describe_error(error)}")


def _model(told: Forecast, typed: Typed) -> Finding:
    over = "over " if told["uncounted"] else ""
    size = describe_parameters(told["parameters"], told["trained_parameters"], "parameters")
    text = f"{size}; {over}{told['operations']:,} operations for an example"
    figures = {key: told[key] for key in ("parameters", "trained_parameters", "operations")}
    return Finding("ok", "model", text, typed.look(), figures)


def _device(told: Forecast, typed: Typed) -> Iterator[Finding]:
    text = f"{told['device']}, {told['backend']}; {told['execution']}: {told['reason']}"
    figures = {key: told[key] for key in ("device", "backend", "execution", "reason")}
    if told["device"].startswith("CPU") and told["backend"] == "tensorflow" and _NVIDIA.exists():
        text = f"{told['device']}, though an NVIDIA device is here, which TensorFlow cannot use"
        yield Finding("note", "device", text, "pip install 'tensorflow[and-cuda]'", figures)
    elif told["execution"] == "plain" and told["reason"] != "as asked":
        yield Finding("note", "device", text, typed.look(), figures)
    else:
        change = f"fit.execution={told['execution']}"
        yield Finding("ok", "device", text, typed.run(change), figures)


def _data(told: Forecast, typed: Typed) -> Iterator[Finding]:
    name, size = told["dataset"], told["rows"] * told["example_bytes"]
    shape = "x".join(map(str, told["input_shape"]))
    text = f"{name}: {told['rows']:,} examples of {shape}, {_mebibytes(size)} MiB"
    figures = {"dataset": name, "rows": told["rows"], "bytes": size}
    known, most = NAMED_DATASETS.get(name), machine.most_memory()
    if told["is_streamed"]:
        text += "; they stay in their files, and reading them was not timed"
        fits = f"dataset.memory_limit={-(-size // GIBIBYTE) + 1}"
        command = typed.run(fits) if size < machine.memory() // 2 else typed.run()
        yield Finding("note", "data", text, command, figures)
    elif size > most:
        text += f"; at most {gibibytes(most)} GiB are taken, half of the memory"
        yield Finding("problem", "data", text, typed.elsewhere("digits"), figures)
    elif known is not None and known.files and not is_at_hand(known):
        text += "; not at hand, it would be downloaded"
        yield Finding("note", "data", text, typed.elsewhere("digits"), figures)
    else:
        yield Finding("ok", "data", text, typed.run(), figures)


def _memory(told: Forecast, typed: Typed) -> Iterator[Finding]:
    peak, base = told["peak_memory"], told["base_memory"]
    if peak is None or base is None:
        return
    rows = 0 if told["is_streamed"] else told["rows"]
    more = _COPIES * rows * told["example_bytes"]
    needed, whole = peak + more, machine.memory()
    text = (
        f"about {_mebibytes(needed)} MiB of memory: {_mebibytes(base)} Keras, "
        f"{_mebibytes(peak - base)} training (measured, on {told['timed_rows']:,} random examples),"
        f" at most {_mebibytes(more)} the data (computed)"
    )
    figures = {"peak": needed, "keras": base, "training": peak - base, "data": more}
    change = f"fit.batch_size={max(told['batch_size'] // 2, 1)}"
    if told["can_stream"] and more > peak - base:
        # Images that are files are then read while they are trained on.
        half = told["rows"] * told["example_bytes"] / GIBIBYTE / 2
        change = f"dataset.memory_limit={max(half, 0.1):.1f}"
    smaller = typed.run(change)
    available = machine.available_memory()
    if needed > whole:
        text += f"; there are {gibibytes(whole)} GiB"
        yield Finding("problem", "peak", text, smaller, figures)
    elif available is not None and needed > available:
        text += f"; {gibibytes(available)} GiB are free now"
        yield Finding("note", "peak", text, smaller, figures)
    else:
        yield Finding("ok", "peak", text, typed.run(), figures)


def _time(told: Forecast, typed: Typed) -> Finding:
    epoch, epochs = told["epoch_seconds"], told["epochs"]
    text = (
        f"an epoch about {duration(epoch)}, {epochs:,} of them {duration(epochs * epoch)}, in "
        f"batches of {told['batch_size']:,}; to build and compile comes on top"
    )
    figures = {
        "epoch_seconds": epoch, "epochs": epochs, "fit_seconds": epochs * epoch,
        "batch_size": told["batch_size"], "timed_rows": told["timed_rows"],
    }  # fmt: skip
    return Finding("ok", "time", text, typed.run(), figures)


def _bfloat16(told: Forecast, typed: Typed) -> Iterator[Finding]:
    """Yield what the other dtype policy would bring, where that is known or was measured."""
    if told["policy"] == "mixed_bfloat16" and told["slow_in_bfloat16"]:
        text = "this processor has no units for bfloat16: float32 is faster"
        yield Finding("note", "bfloat16", text, typed.run("model.dtype_policy=float32"))
    other, own = told["bfloat16_seconds"], told["epoch_seconds"]
    if other is None:
        return
    text = f"an epoch in bfloat16 about {duration(other)}, in float32 {duration(own)} (measured)"
    figures = {"bfloat16_seconds": other, "float32_seconds": own}
    if other < _CLEARLY * own:
        change = "model.dtype_policy=mixed_bfloat16"
        yield Finding("note", "bfloat16", f"{text}: faster", typed.run(change), figures)
    else:
        yield Finding("ok", "bfloat16", f"{text}: not worth it", typed.run(), figures)


def _disk(told: Forecast, typed: Typed) -> Iterator[Finding]:
    written = told["parameters"] * _BYTES * _NUMBERS_WRITTEN
    try:
        free = shutil.disk_usage(nearest_folder(typed.out)).free
    except OSError:
        # Said already, of the folder.
        return
    text = f"a run writes about {_mebibytes(written)} MiB at most while it trains (computed)"
    figures = {"written": written, "free": free}
    if written > free:
        text += f"; {_mebibytes(free)} are free"
        yield Finding("problem", "disk", text, f"df -h {shlex.quote(str(typed.out))}", figures)


def _search(told: Forecast, search: SearchForecast, typed: Typed) -> Iterator[Finding]:
    trials, points = search["trials"], search["points"]
    seconds = search["epochs"] * told["epoch_seconds"]
    text = (
        f"{search['algorithm']}, {trials:,} trials of {search['epochs']:,} epochs in all at most: "
        f"about {duration(seconds)}, if each takes what the spec's own values do"
    )
    figures = {**search, "seconds": seconds}
    if seconds > _LONG:
        fewer = max(int(trials * _LONG / seconds), 1)
        command = typed.tune("--max-trials", str(fewer))
        yield Finding("note", "search", f"{text}; an hour is enough for {fewer}", command, figures)
    else:
        yield Finding("ok", "search", text, typed.tune(), figures)
    yield _space(points, trials, typed)


def _space(points: int | None, trials: int, typed: Typed) -> Finding:
    figures = {"points": points, "trials": trials}
    if points is None:
        text = "it has continuous ranges, so no search tries all values"
        return Finding("ok", "space", text, typed.tune("--max-trials", str(2 * trials)), figures)
    if points <= trials:
        text = f"{points:,} different points: all of them are tried"
        return Finding("ok", "space", text, typed.tune(), figures)
    text = f"{points:,} different points, of which {trials:,} are tried"
    return Finding("ok", "space", text, typed.tune("--max-trials", str(points)), figures)


def _mebibytes(size: float) -> str:
    return f"{size / MEBIBYTE:,.0f}" if size >= MEBIBYTE else f"{size / MEBIBYTE:.2g}"
