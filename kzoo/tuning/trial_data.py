"""The data of trials: read once for all that a process runs one after the other."""

from __future__ import annotations

from kzoo.datasets import Dataset, load_dataset
from kzoo.spec import Spec

# The data of the last trials in this process: those of the next are the same. Each seed of a trial
# holds out its own rows.
_loaded: dict[str, Dataset] = {}
_MOST_LOADED = 3


def load_data(spec: Spec) -> Dataset:
    """Return a spec's data, loaded once for all trials that a process runs one after the other."""
    key = data_of(spec)
    if key not in _loaded:
        keep_data(spec, load_dataset(spec))
    return _loaded[key]


def keep_data(spec: Spec, dataset: Dataset) -> None:
    """Have `load_data` return data that are loaded already, and forget other searches' data."""
    key = data_of(spec)
    section = key.rpartition(" ")[0]
    for other in [other for other in _loaded if other.rpartition(" ")[0] != section]:
        del _loaded[other]
    if len(_loaded) >= _MOST_LOADED:
        # The seeds of each trial come in the same order: the first ones are needed next.
        del _loaded[next(reversed(_loaded))]
    _loaded[key] = dataset


def data_of(spec: Spec) -> str:
    """Return what of a spec decides which data are read, and how they are split."""
    section = spec.dataset.model_copy(update={"augment": None})
    return f"{section.model_dump_json()} {spec.seed}"
