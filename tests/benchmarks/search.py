"""Time `kzoo tune` against a plain keras-tuner script that tries as many points of the same space.

    KZOO_DATA=FOLDER python tests/benchmarks/search.py [--trials N] [--rounds N] [--write]

Both try points of deep_mlp's space for 3 epochs each on MNIST: kzoo in two worker processes, the
script one after the other, as keras-tuner does. They take turns, each in a process of its own; the
points are the same: the spec's own values first, as kzoo has it, then those that keras-tuner draws.
Then the best spec found and the default spec are trained for 3 epochs with
seeds 0, 1 and 2, to see whether the search was worth it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from contenders import load_mnist
from readme import put_table

import kzoo

SPEC, EPOCHS, WORKERS, SEEDS = "deep_mlp", 3, 2, (0, 1, 2)
# What keras-tuner's RandomSearch does.
RANDOM = "tune.algorithm=random"


def keras_tuner_script(
    trials: int, folder: str, executions: int = 1, epochs: int = EPOCHS
) -> dict[str, Any]:
    """Search as keras-tuner's own examples do; run in a process of its own.

    Args:
        trials: Points to try.
        folder: Where keras-tuner writes.
        executions: How often each point is trained; its score is the mean.
        epochs: Of each training.
    """
    import keras
    import keras_tuner

    def build(hp: Any) -> Any:
        units = hp.Int("units", 32, 512, sampling="log")
        return build_with(units, hp.Float("learning_rate", 1e-4, 1e-2, sampling="log"))

    def build_with(units: int, rate: float) -> Any:
        steps = epochs * 550
        model = keras.Sequential(
            [
                keras.Input((28, 28)),
                keras.layers.Rescaling(1 / 255),
                keras.layers.Flatten(),
                keras.layers.Dense(units, "relu"),
                keras.layers.Dense(units, "relu"),
                keras.layers.Dense(10, "softmax"),
            ]
        )
        model.compile(
            keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps)),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        return model

    x, y, x_val, y_val, _, _ = load_mnist()
    settings = {"batch_size": 100, "epochs": epochs, "validation_data": (x_val, y_val)}
    spec = kzoo.load_spec(SPEC)
    own = [spec.model.parameters["hidden_units"][0], spec.optimizer.learning_rate]
    first = statistics.mean(
        build_with(*own).fit(x, y, verbose=0, **settings).history["val_accuracy"][-1]
        for _ in range(executions)
    )
    tuner = keras_tuner.RandomSearch(
        build,
        objective=keras_tuner.Objective("val_accuracy", "max"),
        max_trials=trials - 1,
        executions_per_trial=executions,
        # kzoo's own seed, plus one, is what it gives keras-tuner.
        seed=spec.seed + 1,
        directory=folder,
        overwrite=True,
    )
    tuner.search(x, y, verbose=0, **settings)
    best = tuner.oracle.get_best_trials()[0]
    if first > best.score:
        return {"score": first, "values": own}
    return {"score": best.score, "values": list(best.hyperparameters.values.values())}


def run_kzoo(trials: int, folder: str) -> dict[str, Any]:
    """Search by the command."""
    command = [sys.executable, "-m", "kzoo", "tune", SPEC, RANDOM, f"fit.epochs={EPOCHS}"]
    command += ["--max-trials", str(trials), "--workers", str(WORKERS), "--out", folder]
    done = subprocess.run([*command, "--quiet", "--json"], capture_output=True, check=True)
    found = json.loads(done.stdout)
    best = found["best"]
    return {"score": best["score"], "values": list(best["values"].values()), "spec": best["spec"]}


def run_script(trials: int, folder: str) -> dict[str, Any]:
    """Search by the script."""
    command = [sys.executable, __file__, "--trials", str(trials), "--script", folder]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, capture_output=True, check=True, env=environment)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def validation_accuracies(spec: kzoo.Spec | str, folder: str) -> list[float]:
    """Train a spec for as many epochs with each seed."""
    return [
        kzoo.run(
            spec, overrides={"fit.epochs": EPOCHS, "seed": seed}, out=folder, display="quiet"
        ).metrics["val_accuracy"]
        for seed in SEEDS
    ]


def shown(accuracies: list[float]) -> str:
    """Return a mean, its deviation and what it is of."""
    each = " ".join(f"{accuracy:.4f}" for accuracy in accuracies)
    return f"{statistics.mean(accuracies):.4f} ± {statistics.stdev(accuracies):.4f} ({each})"


def main() -> None:
    """Measure, print, and write where it is wanted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--script", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.script:
        print(json.dumps(keras_tuner_script(options.trials, options.script)))
        return
    seconds: dict[str, list[float]] = {"kzoo": [], "keras-tuner": []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.rounds):
            for name, search in (("kzoo", run_kzoo), ("keras-tuner", run_script)):
                began = time.perf_counter()
                result = search(options.trials, folder)
                seconds[name].append(time.perf_counter() - began)
                print(name, f"{seconds[name][-1]:.1f} s", result, file=sys.stderr)
                if name == "kzoo":
                    best = Path(result["spec"])
        ours, theirs = (statistics.median(seconds[name]) for name in ("kzoo", "keras-tuner"))
        found = kzoo.load_spec(best)
        tuned = validation_accuracies(found, folder)
        default = validation_accuracies(SPEC, folder)
    lines = [
        "| search of 12 points, 3 epochs each | seconds | times faster |".replace(
            "12", str(options.trials)
        ),
        "|---|---|---|",
        f"| `kzoo tune {SPEC} {RANDOM} fit.epochs={EPOCHS} --max-trials {options.trials} "
        f"--workers {WORKERS}` | {ours:.0f} | **{theirs / ours:.1f}** |",
        f"| keras-tuner's RandomSearch | {theirs:.0f} | 1 |",
        "",
        "| validation accuracy after 3 epochs, seeds 0, 1, 2 | |",
        "|---|---|",
        f"| `best.json` | {shown(tuned)} |",
        f"| `{SPEC}` | {shown(default)} |",
        "",
        f"keras-tuner {version('keras-tuner')}, tensorflow {version('tensorflow')}, "
        f"{os.cpu_count()} CPU cores, medians of {options.rounds} searches of each in turn.",
    ]
    print("\n".join(lines))
    if options.write:
        put_table("search", lines, ("docs/search.md", "docs/search.ko.md"))


if __name__ == "__main__":
    main()
