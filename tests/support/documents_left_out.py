"""What of README and the pages is not run as it stands, and why."""

from __future__ import annotations

# Page and a text of a command or a block, to the reason.
LEFT_OUT: dict[tuple[str, str], str] = {
    ("README.md", ".venv/bin/pip install"): "installs over the network; tox installs the wheel",
    ("README.md", "kzoo verify"): "trains on all of MNIST; tests/evaluation/test_verify.py runs it",
    ("docs/cluster.md", "pip install"): "installs over the network",
    ("docs/run.md", "runs/RUN/model.keras"): (
        "takes examples of one's own; tests/train/test_own_tables.py loads a model in plain Keras"
    ),
    ("docs/serve.md", "pip install"): "installs over the network",
    ("docs/logs.md", "pip install"): "installs over the network",
    ("docs/logs.md", "--log mlflow"): "MLflow is not installed for tests; see tests/logs",
}

# Page and the first line of a block without a language, to what holds it to kzoo.
LISTINGS: dict[tuple[str, str], str] = {
    ("docs/plugin.md", "my_zoo/"): "the files of the plugin, which the slow test installs",
    ("docs/resume.md", "Error: "): "tests/train/test_resume.py holds the refusal",
    ("docs/run.md", "runs/"): "the files of a run, which the slow test looks for",
    ("docs/search.md", "runs/"): "the files of a search, which the slow test looks for",
}

# Page and a text in a JSON block that is no spec, to what it is.
ANSWERS: dict[tuple[str, str], str] = {
    ("docs/serve.md", '"predictions": ['): "an answer of the server",
    ("docs/serve.md", '{"error": '): "a refusal of the server",
}

# Options in the prose that are not kzoo's.
OTHER_OPTIONS: dict[str, str] = {"--nthreads": "of Dask's worker"}
