"""Run what the tutorial shows, and write what it prints into the tutorial, in both languages.

    KZOO_DATA=FOLDER python tests/benchmarks/tutorial.py [--check] [--only PATTERN]

Every command and every Python block runs in order in a fresh folder, as for a reader. The block
after it becomes what is printed; lines left out of it (`...`) stay left out. A figure in the prose
has a mark behind it, which Markdown does not show: `0.9283<!--softmax.test_accuracy-->` names a run
and a figure of it, or the difference or quotient of two, and its format where it is not the usual
one: `34<!--deep.parameters/softmax.parameters:.0f-->`. Where a figure changes, read again what is
said of it.

`--only` runs the commands alone in which a regular expression is found, and what the prose says of
them; all else stays as it is. What is meant by `latest` has to be among them.

`--check` writes nothing. It exits 1 where anything differs but times, names of runs, and the order
in which trials end. On another kind of processor the last bits of the sums differ, and so does the
last digit of many figures.
"""

from __future__ import annotations

import argparse
import csv
import difflib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

import kzoo

ROOT = Path(__file__).parents[2]
FILES = (ROOT / "docs" / "tutorial.md", ROOT / "docs" / "tutorial.ko.md")

# The runs that the prose speaks of. Those that no block shows are run at the end.
RUNS = {
    "softmax": "kzoo run softmax_regression",
    "softmax_60": "kzoo run softmax_regression fit.epochs=60",
    "normal": "kzoo run deep_mlp_random_normal",
    "normal_cosine": "kzoo run deep_mlp_random_normal optimizer.schedule=cosine",
    "normal_fast": "kzoo run deep_mlp_random_normal optimizer.learning_rate=0.01",
    "glorot": "kzoo run deep_mlp_random_normal model.kernel_initializer=glorot_uniform "
    "model.bias_initializer=zeros",
    "deep": "kzoo run deep_mlp",
    "he": "kzoo run deep_mlp model.kernel_initializer=he_normal",
    "deep_seed_1": "kzoo run deep_mlp seed=1",
    "deep_3_epochs": "kzoo run deep_mlp fit.epochs=3 seed=1",
    "dropout": "kzoo run mlp_dropout",
    "dropout_seed_1": "kzoo run mlp_dropout seed=1",
    "bare": "kzoo run mlp_dropout model.input_rate=0 model.hidden_rate=0",
    "bare_seed_1": "kzoo run mlp_dropout model.input_rate=0 model.hidden_rate=0 seed=1",
    "best": "kzoo run runs/deep_mlp-tune-*/best.json",
    "best_seed_2": "kzoo run runs/deep_mlp-tune-*/best.json seed=2",
    "best_15_epochs": "kzoo run runs/deep_mlp-tune-*/best.json fit.epochs=15",
    "cnn": "kzoo run small_cnn",
    "paper": "kzoo run deep_mlp --data paper.npz",
    "my": "kzoo run my.json model.hidden_units=64",
}
# Figures of the prose that only a block prints: a pattern of what the block runs, and of the line.
_GLOROT = r"weights glorot_uniform(?:.*\n)+?.*"
PRINTED = {
    "measure.certain": ("measure.py", r"surer than 0.999: ([\d.]+)"),
    "measure.right": ("measure.py", r"right: ([\d.]+)"),
    "measure.loss": ("measure.py", r"loss ([\d.]+)"),
    "measure.glorot_hidden_1": ("measure.py", _GLOROT + r"hidden_1: \D+([\d.]+)"),
    "measure.glorot_hidden_2": ("measure.py", _GLOROT + r"hidden_2: \D+([\d.]+)"),
    "measure.glorot_logits": ("measure.py", _GLOROT + r"probabilities: \D+([\d.]+)"),
    "measure.glorot_loss": ("measure.py", _GLOROT + r"loss ([\d.]+)"),
    "cnn.all_parameters": ("kzoo run small_cnn", r"model: small_cnn, ([\d,]+) parameters"),
    "confused.digit": ("kzoo evaluate latest$", r"most confused +(\d)"),
    "confused.with": ("kzoo evaluate latest$", r"most confused +\d predicted as (\d)"),
    "confused.times": ("kzoo evaluate latest$", r"most confused .*\((\d+)\)"),
    "worst.digit": ("kzoo evaluate latest$", r"predicted as\n(\d)"),
    "worst.examples": ("kzoo evaluate latest$", r"predicted as\n\d +([\d,]+)"),
    "worst.recall": ("kzoo evaluate latest$", r"predicted as\n\d +[\d,]+ +[\d.]+ +([\d.]+)"),
    "on_paper.accuracy": ("kzoo evaluate latest --data", r"^accuracy +([\d.]+)"),
}

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = re.compile(r"(\d[\d,]*(?:\.\d+)?(?:e-?\d+)?)<!--([^>]+)-->")
RUN_NAME = re.compile(r"runs/([\w.]+(?:-tune)?-\d{8}-\d{6}-\w{4})")


def blocks(text: str) -> list[tuple[str, str]]:
    """Return each block of a page in order: its language, "" for an output, and its text."""
    return [(match[1], match[2]) for match in FENCE.finditer(text)]


def run_block(language: str, text: str) -> str:
    """Run a command in the shell, or a Python block under the name in its first line.

    Raises:
        SystemExit: it failed, and with more than a line that says what is wrong.
    """
    if language == "python":
        path = Path(text.splitlines()[0].removeprefix("# "))
        path.write_text(text, encoding="utf-8")
        text = f"python {path}"
    # What Python prints on standard error is TensorFlow's.
    process = subprocess.Popen(
        ["/bin/sh", "-c", text],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if language == "python" else subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,
    )
    broken_off = re.search(r"# press Ctrl-C after epoch (\d+)", text)
    lines = []
    for line in process.stdout or ():
        lines.append(line.rstrip())
        if broken_off and line.startswith(f"epoch {broken_off[1]}/"):
            os.killpg(process.pid, signal.SIGINT)
    if process.wait() and not broken_off and not "".join(lines[-1:]).startswith("Error: "):
        raise SystemExit("\n".join([text, *lines[-20:]]))
    between = re.compile(r"epoch \d+/\d+, step ")  # only shows how far a long epoch is
    return "\n".join(line for line in lines if not between.match(line)).rstrip() + "\n"


def cut(shown: str, printed: str) -> str:
    """Return what is printed, less what `...` stands for in what is shown."""
    lines, kept, at = printed.splitlines(), [], 0
    first, *others = (part.strip("\n").split("\n") for part in re.split(r"(?m)^\.\.\.$", shown))
    if not others:
        return printed
    if first != [""]:
        kept, at = lines[: len(first)], len(first)
    for number, part in enumerate(others, 1):
        kept.append("...")
        if part == [""]:
            continue
        beginning = part[0].split()[:2]
        while lines[at].split()[:2] != beginning:
            at += 1
        end = len(lines) if number == len(others) else at + len(part)
        kept += lines[at:end]
        at = end
    return "".join(f"{line}\n" for line in kept)


def run_figures(run: kzoo.Run) -> Iterator[tuple[str, float]]:
    """Give each figure of a run, and those of every epoch as in `loss@3`."""
    yield "parameters", run.metrics["parameters"]
    yield "test_accuracy", run.metrics["test_accuracy"]
    yield "test_loss", run.metrics["test_loss"]
    yield "fit_seconds", run.metrics["seconds"]["fit"]
    yield "epoch_seconds", run.metrics["seconds"]["epoch_median"]
    for name in ("accuracy", "loss", "val_accuracy", "val_loss"):
        column = run.history[name]
        yield name, column[-1]
        yield from ((f"{name}@{epoch}", value) for epoch, value in enumerate(column, 1))
    best = min(run.history["val_loss"])
    yield "best_val_loss", best
    yield "best_val_loss_epoch", run.history["val_loss"].index(best) + 1
    # The first epoch from which on the training accuracy is printed as 1.0000.
    yield "learnt_epoch", sum(value < 0.99995 for value in run.history["accuracy"]) + 1
    with np.load(run.path / "predictions.npz") as archive:
        probabilities, labels = archive["probabilities"], archive["labels"]
    errors = int((probabilities.argmax(axis=1) != labels).sum())
    yield "errors", errors
    yield "error_rate", errors / len(labels)
    yield "at_limit", int((probabilities[np.arange(len(labels)), labels] <= 1e-7).sum())
    if run.spec.expected and run.spec.expected.mean is not None:
        yield "mean", run.spec.expected.mean


def search_figures(folder: Path) -> Iterator[tuple[str, float]]:
    """Give the score and the values of each trial, and the scores by rank."""
    with (folder / "trials.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        trial = f"trial_{int(row['trial'])}"
        yield f"{trial}.score", float(row["score"])
        yield f"{trial}.units", int(row["model.hidden_units.*"])
        yield f"{trial}.learning_rate", float(row["optimizer.learning_rate"])
    for rank, score in enumerate(sorted((float(row["score"]) for row in rows), reverse=True), 1):
        yield f"rank_{rank}.score", score
        yield f"rank_{rank}.right", round(score * 5000)


def collect_figures(printed: Mapping[str, str]) -> dict[str, float]:
    """Return every figure that the prose may name, from what each block printed and the runs."""
    found: dict[str, float] = {}
    for name, command in RUNS.items():
        if command not in printed:
            continue
        run = kzoo.Run(Path("runs", RUN_NAME.findall(printed[command])[-1]))
        found |= {f"{name}.{figure}": value for figure, value in run_figures(run)}
    for name, (source, pattern) in PRINTED.items():
        texts = (out for ran, out in printed.items() if re.search(source, ran.splitlines()[0]))
        text = next(texts, None)
        if text is None:
            continue
        match = re.search(pattern, text, re.MULTILINE)
        if match is None:
            raise SystemExit(f"{name}: nothing that is printed fits {pattern}")
        number = match[1].replace(",", "")
        found[name] = int(number) if number.isdigit() else float(number)
    for search in Path("runs").glob("*-tune-*"):
        found |= dict(search_figures(search))
    return found


def figure_text(mark: str, figures: Mapping[str, float]) -> str:
    """Return what a mark stands for, as the prose writes it; percentages without their sign."""
    expression, _, form = mark.partition(":")
    first, sign, second = re.split(r"([-/]|$)", expression, maxsplit=1)
    value = figures[first]
    if sign:
        value = value - figures[second] if sign == "-" else value / figures[second]
    return format(value, form or ("," if isinstance(value, int) else ".4f")).rstrip("%")


def filled(text: str, printed: Mapping[str, str], figures: Mapping[str, float]) -> str:
    """Return a page with each output and each marked figure as they came."""
    command = ""

    def output(match: re.Match[str]) -> str:
        nonlocal command
        if match[1]:
            command = match[2].rstrip("\n")
            return match[0]
        return f"```\n{cut(match[2], printed[command])}```" if command in printed else match[0]

    def figure(match: re.Match[str]) -> str:
        names = re.split("[-/]", match[2].partition(":")[0])
        is_known = all(name in figures for name in names)
        return f"{figure_text(match[2], figures)}<!--{match[2]}-->" if is_known else match[0]

    return MARK.sub(figure, FENCE.sub(output, text))


def comparable(text: str) -> list[str]:
    """Return the lines of a page without what differs from one time to the next."""
    text = RUN_NAME.sub("runs/RUN", text)
    text = re.sub(r"\d[\d.]*(?=<!--[\w.]+_seconds)|\b\d+(\.\d+)? (?=m?s\b)", "N ", text)
    text = re.sub(
        r"(?m)(^trial \d{4} .*\n)+",
        lambda match: "".join(sorted(match[0].replace(" (best)", "").splitlines(keepends=True))),
        text,
    )
    return text.splitlines()


def run_all(page: str, only: str) -> dict[str, str]:
    """Run every block of a page, then the runs that only the prose speaks of.

    Args:
        page: Its text.
        only: A regular expression; commands without it are left out.
    """
    wanted = [(language, text.rstrip("\n")) for language, text in blocks(page) if language]
    shown = {text for _, text in wanted}
    wanted += [("sh", command) for command in RUNS.values() if command not in shown]
    printed = {}
    wanted = [(language, text) for language, text in wanted if re.search(only, text)]
    for language, text in wanted:
        began = time.perf_counter()
        printed[text] = run_block(language, text)
        print(f"{time.perf_counter() - began:5.1f} s  {text.splitlines()[0]}", flush=True)
    return printed


def main() -> int:
    """Run the tutorial in a fresh folder and write it anew, or say what is stale in it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if stale")
    parser.add_argument("--only", default="", metavar="PATTERN", help="run these commands alone")
    options = parser.parse_args()
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    os.environ["COLUMNS"] = "100"
    if folder := os.environ.get("KZOO_DATA"):
        os.environ["KZOO_DATA"] = str(Path(folder).absolute())
    pages = {path: path.read_text(encoding="utf-8") for path in FILES}
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        printed = run_all(pages[FILES[0]], options.only)
        figures = collect_figures(printed)
        os.chdir(ROOT)
    stale = False
    for path, text in pages.items():
        new = filled(text, printed, figures)
        name = path.name
        changes = list(
            difflib.unified_diff(comparable(text), comparable(new), name, name, n=0, lineterm="")
        )
        print(*(changes or [f"{name}: nothing is stale"]), sep="\n")
        stale = stale or bool(changes)
        if not options.check:
            path.write_text(new, encoding="utf-8")
    return 1 if stale and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
