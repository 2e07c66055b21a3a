"""Load hostile files through kzoo, each in a process of its own, and print what that cost.

``python tests/hostile_memory.py [PATTERN]`` prints for each case the exit status, the most memory
in MB, the seconds and the beginning of the message. It fails where one gave a traceback or took
1 GB.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from textwrap import dedent

from support.hostile_data import DATA
from support.hostile_runs import RUNS

MOST_MEGABYTES = 1000
LOADERS = {
    "data": """
        from kzoo.datasets import load_dataset
        from kzoo.spec import load_spec
        model = {"builder": "softmax_regression"}
        load_dataset(load_spec({"model": model, "dataset": {"name": path}}))
    """,
    "run": "import kzoo; kzoo.load(path)",
    "spec": "from kzoo.runs import Run; Run(Path(path)).spec",
    "history": "from kzoo.runs import Run; Run(Path(path)).history",
    "predictions": "from kzoo.evaluation import evaluate; evaluate(path)",
}
PROGRAM = """
import sys
from pathlib import Path
from kzoo.errors import KzooError
path = sys.argv[1]
try:
    exec(sys.argv[2])
except KzooError as error:
    sys.exit(str(error))
"""


def measure(load: str, path: Path) -> tuple[int, float, float, str]:
    """Load a path in a new process.

    Returns:
        Its exit status, the most memory it took in MB, the seconds, and its standard error.
    """
    began = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        command = [sys.executable, "-c", PROGRAM, str(path), dedent(LOADERS[load])]
        process = subprocess.Popen(command, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read().decode(errors="replace")
    seconds = time.perf_counter() - began
    return process.returncode, usage.ru_maxrss * 1024 / 1e6, seconds, text


def prepare(name: str, folder: Path, good: Path) -> tuple[str, Path]:
    """Write a case and return how to load it, and its path."""
    if name in DATA:
        return "data", DATA[name](folder)
    load, change = RUNS[name]
    run = Path(shutil.copytree(good, folder / "run"))
    change(run)
    return load, run


def train(out: Path) -> Path:
    """Train the good run that the hostile ones are made of."""
    command = [sys.executable, "-m", "kzoo", "run", "softmax_regression", "fit.epochs=1", "--quiet"]
    subprocess.run([*command, "--data", "digits", "--out", out], check=True, capture_output=True)
    (run,) = out.iterdir()
    return run


def main(pattern: str = "") -> None:
    """Measure all cases whose name has the pattern in it."""
    worst, tracebacks = (0.0, ""), 0
    with tempfile.TemporaryDirectory() as root:
        good = train(Path(root, "runs"))
        for name in (name for name in [*DATA, *RUNS] if pattern in name):
            with tempfile.TemporaryDirectory() as folder:
                # In a process of its own, as a child is charged with what its parent took.
                with ProcessPoolExecutor(1, max_tasks_per_child=1) as writer:
                    load, path = writer.submit(prepare, name, Path(folder), good).result()
                status, megabytes, seconds, text = measure(load, path)
            message = text.strip().splitlines()[-1:] or ["loaded"]
            shown = message[0].replace(f"{folder}/", "")[:80]
            print(f"{name:32} {status:4} {megabytes:6.0f} MB {seconds:5.1f} s  {shown}", flush=True)
            worst = max(worst, (megabytes, name))
            tracebacks += "Traceback" in text or status not in (0, 1)
    print(f"worst: {worst[0]:.0f} MB ({worst[1]}); tracebacks: {tracebacks}")
    if tracebacks or worst[0] >= MOST_MEGABYTES:
        sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
