"""What of README and the pages is not run, and why."""

from __future__ import annotations

# Page and line to the reason.
LEFT_OUT: dict[tuple[str, str], str] = {}

# Page and a text in a JSON block that is no spec, to what it is.
ANSWERS: dict[tuple[str, str], str] = {
    ("docs/serve.md", '"predictions": ['): "an answer of the server",
    ("docs/serve.md", '{"error": '): "a refusal of the server",
}

# Options in the prose that are not kzoo's.
OTHER_OPTIONS: dict[str, str] = {"--nthreads": "of Dask's worker"}
