"""The changes that CONTRIBUTING.md has recipes for, made in the files that it names.

Each recipe is files of `kzoo/` and what is put into them: ``(anchor, text)`` puts a text before an
anchor that is there, and a text alone is a file that is new.
"""

from __future__ import annotations

Edit = tuple[str, str] | str
Recipe = dict[str, list[Edit]]

OPTIMIZER: Recipe = {
    "spec/optimizer.py": [
        (
            "# Each optimizer that a spec can name.",
            '''
class Lion(OptimizerBase):
    """Lion."""

    keras_class: ClassVar[str] = "Lion"

    name: Literal["lion"]
    beta_1: float = Field(0.9, description="Decay.", ge=0, lt=1)


''',
        ),
        (', Field(discriminator="name")]', " | Lion"),
    ]
}
METRIC: Recipe = {
    "figures/metrics.py": [
        (
            "METRICS = {",
            '''
def jaccard(probabilities: Probabilities, labels: Labels) -> float:
    """Return the mean Jaccard index of all classes."""
    from sklearn.metrics import jaccard_score

    return float(jaccard_score(labels, probabilities.argmax(axis=1), average="macro"))


''',
        ),
        (
            '        Metric("loss", "test loss"',
            '        Metric("jaccard", "jaccard", "max", jaccard),\n',
        ),
    ]
}
ALGORITHM: Recipe = {
    "tuning/algorithms/ends.py": [
        '''"""Both ends of every range."""

from kzoo.runs.trial import Trial


class Proposer:
    """Tries the low ends, then the high ones."""

    continues_trials = False

    def __init__(self, tune, *, seed, epochs):
        self._space = tune.space
        self._asked = 0
        self.points = self.limit = 2
        self.exhausted = False

    def ask(self):
        """Return the next end."""
        if self._asked == self.limit:
            self.exhausted = True
            return None
        ends = [(dimension.min, dimension.max) for dimension in self._space.values()]
        values = dict(zip(self._space, [end[self._asked] for end in ends], strict=True))
        self._asked += 1
        return Trial(f"{self._asked - 1:04d}", values)

    def tell(self, trial):
        """Learn nothing."""
'''
    ],
    "spec/tune.py": [
        (
            '        Algorithm("grid", is_whole=True, lists_values=True),',
            '        Algorithm("ends"),\n',
        )
    ],
}
DATASET: Recipe = {
    "datasets/catalogue.py": [
        (
            "_ENTRIES = (\n",
            '''
def _read_stripes(dataset: NamedDataset, on_progress: OnProgress | None) -> Source:
    """Return images of level and of upright stripes."""
    import numpy as np

    from kzoo.datasets.dataset import Source

    level = np.tile(np.array([[255], [0]], np.uint8), (30, 2, 4))
    x = np.concatenate([level, level.transpose(0, 2, 1)])
    return Source(x, np.repeat([0, 1], 30), None, None, "stripes", dataset.shape.class_names)


''',
        ),
        (
            "    NamedDataset(\n        # Of 1,797",
            """    NamedDataset(
        DataShape("stripes", (4, 4), ("level", "upright"), 48, "uint8", _BYTES),
        "60 drawings of stripes, grey images of 4x4, 2 classes",
        _read_stripes,
    ),
""",
        ),
    ]
}
FORMAT: Recipe = {
    "datasets/records.py": [
        '''"""JSON records of numbers, with a class each."""

import json

import numpy as np

from kzoo.datasets.dataset import Source


def read_records(path):
    """Read a list of ``{"x": [...], "class": "..."}``."""
    rows = json.loads(path.read_text("utf-8"))
    x = np.array([row["x"] for row in rows], np.float32)
    return Source(x, np.array([row["class"] for row in rows]), None, None, str(path))
'''
    ],
    "datasets/formats.py": [
        ("from kzoo.errors import DataError", "from kzoo.datasets.records import read_records\n"),
        (
            '    Format(\n        "an .npz file"',
            """    Format(
        "a .records file",
        matches=lambda facts: facts.ending == ".records",
        read=lambda path, _: read_records(path),
    ),
""",
        ),
    ],
}
COMPUTED_COLUMN: Recipe = {
    "display/fit_picture.py": [
        (
            "    return fit_columns(columns, console)",
            '    columns.append(Column("half", [f"{row[SECONDS] / 2:.3f}" for row in rows]))\n',
        )
    ]
}
# A figure that a callback adds to an epoch's is a key of the history: no file.
HISTORY_COLUMN: Recipe = {}

RECIPES: dict[str, Recipe] = {
    "a named data set": DATASET,
    "a data format": FORMAT,
    "an optimizer": OPTIMIZER,
    "a column of the epochs that is a key of the history": HISTORY_COLUMN,
    "a column of the epochs that is computed": COMPUTED_COLUMN,
    "a search algorithm": ALGORITHM,
    "a metric": METRIC,
}
