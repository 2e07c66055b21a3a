"""Searches whose cluster dies: its scheduler, or all of its workers."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.cluster import SECONDS, connect, run_scheduler, worker
from support.kinds import Command
from support.searches import SPEC, facts

import kzoo
from kzoo.errors import ClusterLostError
from kzoo.tuning.cluster import Cluster
from kzoo.tuning.search import Search

# Within so many seconds it is said that the scheduler is gone.
SOON = 8


def small_spec(folder: Path, trials: int) -> kzoo.Spec:
    """Return a search whose trials take about a second, also in ``spec.json``."""
    spec = kzoo.load_spec(SPEC, {"tune.max_trials": trials, "fit.epochs": 30})
    (folder / "spec.json").write_text(spec.to_json(), "utf-8")
    return spec


class Killer(threading.Thread):
    """Kills a process as soon as a trial has a checkpoint.

    Args:
        folder: The folder of the searches.
        number: Of the trial.
        process: Which to kill.
        then: Called afterwards.
    """

    def __init__(
        self,
        folder: Path,
        number: str,
        process: subprocess.Popen[bytes],
        then: Callable[[], object] = bool,
    ) -> None:
        super().__init__(daemon=True)
        self._pattern = f"*/trials/{number}-*/checkpoint.safetensors"
        self._folder = folder
        self._process = process
        self._then = then
        self.killed = 0.0

    def run(self) -> None:
        """Wait for the checkpoint and kill."""
        deadline = time.monotonic() + SECONDS
        while not list(self._folder.glob(self._pattern)) and time.monotonic() < deadline:
            time.sleep(0.01)
        self._process.kill()
        self.killed = time.monotonic()
        self._then()


@contextlib.contextmanager
def running_cluster(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a scheduler with one worker; give its address and its process."""
    with run_scheduler(folder) as (address, process), worker(address):
        connect(address, workers=1).stop()
        yield address, process


def search_until_killed(
    kzoo_here: Command, folder: Path, what: list[str], *, trial: str
) -> list[str]:
    """Search on a cluster whose scheduler is killed during a trial; return the trials' states."""
    runs = folder / "runs"
    with running_cluster(folder / f"cluster-{trial}") as (address, process):
        killer = Killer(runs, trial, process)
        killer.start()
        said = kzoo_here("tune", *what, "--scheduler", address, "--quiet")
        # The table and the picture are written meanwhile.
        assert time.monotonic() - killer.killed < 3 * SOON
    (line,) = said.stderr.splitlines()
    assert said.returncode == 1
    (path,) = runs.iterdir()
    assert line == (
        "Error: the cluster has gone: its scheduler does not answer; go on with: kzoo tune "
        f"--resume {path.relative_to(folder)} --scheduler {address}"
    )
    assert kzoo.load_spec(path / "best.json").found is not None
    for name in ("trials.csv", "trials.png"):
        assert (path / name).is_file()
    return [tried.state for tried in Search(path).trials]


def test_a_search_goes_on_here_after_its_scheduler_was_killed(
    kzoo_here: Command, tmp_path: Path
) -> None:
    """It ends with one line and its best so far; nothing is failed, nothing is lost."""
    spec = small_spec(tmp_path, trials=2)
    states = search_until_killed(kzoo_here, tmp_path, ["spec.json"], trial="0001")
    assert states == ["completed", "running"]
    assert kzoo_here("tune", "--resume", "latest", "--workers", "0", "--quiet").returncode == 0
    whole = kzoo.tune(spec, out=tmp_path / "whole", workers=0, display="quiet")
    assert facts(Search(next((tmp_path / "runs").iterdir()))) == facts(whole)


@pytest.mark.slow
def test_a_search_whose_scheduler_is_killed_twice_is_the_undisturbed_one(
    kzoo_here: Command, tmp_path: Path
) -> None:
    """Each time it goes on with another scheduler: the same proposals, the same scores."""
    spec = small_spec(tmp_path, trials=5)
    states = search_until_killed(kzoo_here, tmp_path, ["spec.json"], trial="0001")
    assert states == ["completed", "running"]
    again = ["--resume", "latest"]
    states = search_until_killed(kzoo_here, tmp_path, again, trial="0003")
    assert states == ["completed"] * 3 + ["running"]
    with running_cluster(tmp_path / "cluster") as (address, _):
        assert kzoo_here("tune", *again, "--scheduler", address, "--quiet").returncode == 0
    whole = kzoo.tune(spec, out=tmp_path / "whole", workers=0, display="quiet")
    (path,) = (tmp_path / "runs").iterdir()
    assert [tried.state for tried in whole.trials] == ["completed"] * 5
    assert facts(Search(path)) == facts(whole)


@pytest.mark.slow
def test_a_search_waits_for_new_workers_where_all_have_died(
    kzoo_here: Command, tmp_path: Path
) -> None:
    """It says so, gives the trial to the next worker, and records nothing as failed."""
    spec = small_spec(tmp_path, trials=3)
    with run_scheduler(tmp_path / "cluster") as (address, _), contextlib.ExitStack() as workers:
        first = workers.enter_context(worker(address))
        connect(address, workers=1).stop()

        def bring_another() -> None:
            # Longer than the loop's two looks at the number of workers.
            time.sleep(2.0)
            workers.enter_context(worker(address))

        killer = Killer(tmp_path / "runs", "0001", first, bring_another)
        killer.start()
        said = kzoo_here("tune", "spec.json", "--scheduler", address, "--plain")
        killer.join()
    assert said.returncode == 0
    said_so = "there are no workers any more; the search waits for new ones"
    assert (said.stdout + said.stderr).count(said_so) == 1
    whole = kzoo.tune(spec, out=tmp_path / "whole", workers=0, display="quiet")
    assert facts(Search(next((tmp_path / "runs").iterdir()))) == facts(whole)


def refuses_soon(call: Callable[[], object]) -> None:
    """See that a call says that the cluster has gone, soon."""
    began = time.monotonic()
    with pytest.raises(ClusterLostError, match="its scheduler does not answer"):
        call()
    assert time.monotonic() - began < SOON


def test_whatever_is_asked_of_a_lost_scheduler_is_refused_soon(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """While its workers are asked, and afterwards; Dask itself prints nothing."""
    with run_scheduler(tmp_path) as (address, process), worker(address):
        cluster: Cluster = connect(address, workers=1)
        threading.Timer(1.0, process.kill).start()
        refuses_soon(lambda: cluster.ask_all(time.sleep, 600))
        refuses_soon(lambda: cluster.capacity)
        refuses_soon(lambda: cluster.where)
        refuses_soon(lambda: cluster.submit(time.sleep, 1))
        refuses_soon(lambda: cluster.ask_all(time.sleep, 1))
        cluster.stop()
        # A second time is no harm.
        cluster.stop()
    assert capfd.readouterr() == ("", "")


def test_a_worker_that_dies_while_it_is_asked_is_left_out(tmp_path: Path) -> None:
    """The others answer; it would be waited for in vain."""
    with (
        run_scheduler(tmp_path) as (address, _),
        worker(address) as first,
        worker(address),
        connect(address, workers=2) as cluster,
    ):
        threading.Timer(1.0, first.kill).start()
        answers = cluster.ask_all(time.sleep, 3)
        assert [*answers.values()] == [None]
