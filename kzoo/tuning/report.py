"""What remains of a search for people and for `kzoo run`: a table, a picture, the best spec."""

from __future__ import annotations

import csv
import io

from kzoo.runs import write_atomically
from kzoo.runs.trial import Trial
from kzoo.spec import Spec, load_spec
from kzoo.spec.space import all_paths
from kzoo.spec.spec import Found
from kzoo.tuning.loop import trial_tree
from kzoo.tuning.picture import draw_search
from kzoo.tuning.search import BEST, PICTURE, TABLE, Search, shown, write_spec

_COLUMNS = ("trial", "status", "score", "epochs", "seconds", "run", "error")
_MOST_SEEDS = 2**32


def write_report(search: Search) -> None:
    """Write ``trials.csv``, ``trials.png`` and ``best.json`` into a search's directory.

    Raises:
        RunError: they cannot be written.
    """
    text = _table(search)
    write_atomically(search.path / TABLE, lambda file: file.write_text(text, "utf-8"))
    best = search.best
    if best is None:
        return
    write_spec(search.path / BEST, best_spec(search, best), search.path)
    picture = draw_search(search)
    write_atomically(search.path / PICTURE, lambda file: picture.savefig(file, format="png"))


def best_spec(search: Search, best: Trial) -> Spec:
    """Return the best trial's complete spec, and where it came from.

    It has a seed that no trial had: the best of many trials was lucky too, and `kzoo run` shall
    show how it does without.
    """
    spec = load_spec(trial_tree(search.spec, best.values))
    found = Found(
        search=str(search.path),
        trial=best.number,
        metric=search.tune.objective.metric,
        score=best.score or 0.0,
        epochs=best.epochs or 0,
        trials=sum(trial.score is not None for trial in search.trials),
        seed=spec.seed,
    )
    return spec.model_copy(update={"found": found, "seed": (spec.seed + 1) % _MOST_SEEDS})


def _table(search: Search) -> str:
    paths = all_paths(search.tune.space)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_COLUMNS, *paths])
    for trial in search.trials:
        facts = {
            **shown(trial),
            "seconds": round(trial.seconds, 3),
            "run": trial.run.name if trial.run else "",
        }
        values = (trial.values.get(path, "") for path in paths)
        writer.writerow([*(facts[name] for name in _COLUMNS), *values])
    return text.getvalue()
