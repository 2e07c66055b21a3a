"""MLflow: a store of runs, in files or on a server."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from filelock import FileLock

from kzoo.logs.library import Parameter, Subject, typed

_TRACKING, _FILES = "MLFLOW_TRACKING_URI", "MLFLOW_ALLOW_FILE_STORE"
# A server that does not answer holds a training up for seconds, and not for minutes.
_UNREACHABLE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2"}
# What a name in MLflow may not have, and how long a name and a value may be.
_REFUSED = re.compile(r"[^\w\-. :/]")
_MOST_NAME, _MOST_VALUE = 250, 6000
# Parameters that are sent at once, at most.
_AT_ONCE = 100


class MLflow:
    """Logs by MLflow's Keras callback, into the run's files, or where MLFLOW_TRACKING_URI says."""

    name: ClassVar[str] = "mlflow"
    package: ClassVar[str] = "mlflow"
    distribution: ClassVar[str] = "mlflow-skinny"
    least: ClassVar[str] = "3"

    def is_in_use(self) -> bool:
        """Whether there is a run that `mlflow.start_run` began."""
        mlflow: Any = sys.modules.get(self.package)
        return getattr(mlflow, "active_run", lambda: None)() is not None

    def open(self, subject: Subject) -> _MLflowRun:
        """Begin a run of the subject's name, or go on with the one that there is."""
        return _MLflowRun(subject, _uri(subject.folder))

    def opening(self, folder: Path) -> str:
        """Return the command that shows the runs in a browser."""
        uri = os.environ.get(_TRACKING)
        if uri and uri.startswith(("http:", "https:")):
            return f"at {uri}, as {_TRACKING} says"
        if uri:
            return f"mlflow ui --backend-store-uri {uri}"
        store = typed(_store(folder))
        return f"{_FILES}=true mlflow ui --backend-store-uri {store}"


def _store(folder: Path) -> Path:
    return folder / "mlflow"


def _uri(folder: Path) -> str:
    return os.environ.get(_TRACKING) or _store(folder).absolute().as_uri()


class _MLflowRun:
    def __init__(self, subject: Subject, uri: str) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        self._set = _set_where_unset(_UNREACHABLE)
        if not os.environ.get(_TRACKING):
            # MLflow asks for a word that files are wanted.
            self._set += _set_where_unset({_FILES: "true"})
        import mlflow
        from mlflow.keras import MlflowCallback

        self._mlflow: Any = mlflow
        self._earlier_uri = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
        mlflow.set_tracking_uri(uri)
        try:
            client = mlflow.MlflowClient()
            with _alone(subject.folder):
                experiment = _experiment(client, subject)
            earlier = _earlier(client, experiment, subject.name)
            self.epochs = _epochs(client, earlier) if earlier else 0
            mlflow.start_run(
                run_id=earlier,
                experiment_id=None if earlier else experiment,
                run_name=None if earlier else subject.name,
                log_system_metrics=False,
            )
            if earlier is None:
                for some in _parts(subject.parameters):
                    mlflow.log_params(some)
        except BaseException:
            self.close(is_finished=False)
            raise
        self.callbacks = [MlflowCallback()]

    def finish(self, figures: Mapping[str, float], epochs: int) -> None:
        """Log each figure at the last epoch."""
        self._mlflow.flush_async_logging()
        self._mlflow.log_metrics(dict(figures), step=epochs)

    def close(self, *, is_finished: bool) -> None:
        """End the run; one that may be gone on with is marked as killed."""
        if self._mlflow.active_run() is not None:
            if not is_finished:
                # Else `finish` has waited for it, and each time takes two seconds.
                self._mlflow.flush_async_logging()
            self._mlflow.end_run("FINISHED" if is_finished else "KILLED")
        self._mlflow.set_tracking_uri(self._earlier_uri)
        for name in self._set:
            os.environ.pop(name, None)


def _set_where_unset(variables: Mapping[str, str]) -> list[str]:
    """Set variables of the environment that have no value; return their names."""
    unset = [name for name in variables if name not in os.environ]
    os.environ.update({name: variables[name] for name in unset})
    return unset


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other trials from making the same experiment at the same time."""
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "mlflow.lock"):
        yield


def _experiment(client: Any, subject: Subject) -> str:
    name = subject.experiment if subject.is_trial else None
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or name or "kzoo"
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id if found else client.create_experiment(name))


def _earlier(client: Any, experiment: str, name: str) -> str | None:
    """Return the identity of the run that has this name."""
    quoted = name.replace("'", "\\'")
    runs = client.search_runs([experiment], f"tags.`mlflow.runName` = '{quoted}'", max_results=1)
    return str(runs[0].info.run_id) if runs else None


def _epochs(client: Any, run: str) -> int:
    steps = [metric.step for metric in client.get_metric_history(run, "loss")]
    return max(steps) + 1 if steps else 0


def _parts(parameters: Mapping[str, Parameter]) -> Iterator[dict[str, Parameter]]:
    """Give parameters as MLflow takes them, some at a time."""
    clean = {
        _REFUSED.sub("_", name.replace("*", "each"))[:_MOST_NAME]: str(value)[:_MOST_VALUE]
        for name, value in parameters.items()
    }
    names = list(clean)
    for first in range(0, len(names), _AT_ONCE):
        yield {name: clean[name] for name in names[first : first + _AT_ONCE]}
