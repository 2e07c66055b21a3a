"""What remains of a search for people and for `kzoo run`: a table, a picture, the best spec."""

from __future__ import annotations

import csv
import io
import statistics

from kzoo.errors import RunError
from kzoo.runs import write_atomically
from kzoo.runs.trial import Trial
from kzoo.spec import Spec, load_spec
from kzoo.spec.sampled import trial_tree
from kzoo.spec.space import all_paths
from kzoo.spec.spec import Cost, Found
from kzoo.tuning.picture import draw_search
from kzoo.tuning.search import BEST, FRONT, PICTURE, TABLE, Search, counted, shown, write_spec
from kzoo.tuning.seeds import other_seed

# Where trials are trained with several seeds, or the best are confirmed.
_SEED_COLUMNS = ("seeds", "deviation", "confirmed")
_COLUMNS = ("trial", "status", "score", "epochs", "seconds", "run", "error")


def write_report(search: Search) -> None:
    """Write ``trials.csv``, ``trials.png`` and ``best.json`` into a search's directory.

    Where it has a second figure, also a spec of each trial of the front.

    Raises:
        RunError: they cannot be written.
    """
    text = _table(search)
    write_atomically(search.path / TABLE, lambda file: file.write_text(text, "utf-8"))
    best = search.best
    if best is None:
        return
    write_spec(search.path / BEST, best_spec(search, best), search.path)
    if search.tune.also is not None:
        _write_front(search)
    picture = draw_search(search)
    write_atomically(search.path / PICTURE, lambda file: picture.savefig(file, format="png"))


def _write_front(search: Search) -> None:
    """Write the specs of the front, and remove those of trials that are on it no more."""
    folder = search.path / FRONT
    front = {f"{trial.number}.json": trial for trial in search.front}
    try:
        folder.mkdir(exist_ok=True)
        for file in folder.glob("*.json"):
            if file.name not in front:
                file.unlink(missing_ok=True)
    except OSError as error:
        raise RunError(f"{folder}: cannot be written: {error.strerror}") from error
    for name, trial in front.items():
        write_spec(folder / name, best_spec(search, trial), search.path)


def best_spec(search: Search, best: Trial) -> Spec:
    """Return the complete spec of the best trial, or of one of the front, and its origin.

    It has a seed that no trial had: the best of many trials was lucky too, and `kzoo run` shall
    show how it does without.
    """
    spec = load_spec(trial_tree(search.spec, best.values))
    fresh = search.confirmed.get(best.number, ())
    # After those of the trials and of the confirmation.
    used = search.tune.seeds_per_trial + max(map(len, search.confirmed.values()), default=0)
    had = {trial.values.get("seed") for trial in search.trials}
    while other_seed(spec.seed, used) in had:
        used += 1
    found = Found(
        search=str(search.path),
        trial=best.number,
        metric=search.tune.objective.metric,
        score=statistics.fmean(fresh) if fresh else best.score or 0.0,
        confirmed=len(fresh) or None,
        epochs=best.epochs or 0,
        trials=sum(trial.score is not None for trial in search.trials),
        seed=spec.seed,
        cost=_cost(search, best),
        front=_front(search),
    )
    return spec.model_copy(update={"found": found, "seed": other_seed(spec.seed, used)})


def _cost(search: Search, trial: Trial) -> Cost | None:
    also = search.tune.also
    value = counted(trial.cost)
    return None if also is None or value is None else Cost(metric=also.metric, value=value)


def _front(search: Search) -> tuple[str, ...] | None:
    if search.tune.also is None:
        return None
    return tuple(trial.number for trial in search.front)


def _table(search: Search) -> str:
    paths = all_paths(search.tune.space)
    columns = [*_COLUMNS, *(_SEED_COLUMNS if _has_seeds(search) else ())]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    also, front = search.tune.also, [trial.number for trial in search.front]
    columns += [also.metric, "front"] if also else []
    writer.writerow([*columns, *paths])
    for trial in search.trials:
        facts = {
            **shown(trial),
            "seconds": round(trial.seconds, 3),
            "run": trial.run.name if trial.run else "",
            "seeds": len(trial.scores) or int(trial.score is not None),
            "deviation": trial.deviation,
            "confirmed": _mean(search.confirmed.get(trial.number, ())),
        }
        if also:
            is_of_front = int(trial.number in front) if trial.cost is not None else ""
            facts |= {**search.costs(trial), "front": is_of_front}
        values = (trial.values.get(path, "") for path in paths)
        writer.writerow([*(facts[name] for name in columns), *values])
    return text.getvalue()


def _has_seeds(search: Search) -> bool:
    return search.tune.seeds_per_trial > 1 or bool(search.confirmed)


def _mean(scores: tuple[float, ...]) -> float | None:
    return statistics.fmean(scores) if scores else None
