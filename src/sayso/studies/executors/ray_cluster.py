"""Jobs done on a Ray cluster: each on whichever node has room, its files sent back to this machine.

The nodes need Sayso in the same version, and the recordings; they share no folder with this machine. A node that dies
costs the jobs it was doing, which begin anew on another. Jobs are taken as the cluster gets on with them, however many
there are.
"""

import contextlib
import logging
import os
import shutil
import socket
import tempfile
from collections.abc import Generator, Iterable, Iterator
from dataclasses import asdict, replace
from importlib.metadata import version
from importlib.util import find_spec
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from sayso.errors import Fault, MissingExtraError, RunError, SaysoError, SettingsError
from sayso.studies.executors.job import THREAD_COUNTS, Job, Outcome, do_job
from sayso.system.files import atomic_folder
from sayso.system.wording import counted

__all__ = ["RayCluster", "check_address"]

_PATIENCE_SECONDS: Final = 5.0
_CLIENT_PORT: Final = 10001
_TRIES: Final = 5
# So that none waits for this machine; Ray is told of no more, or it would hold all of them.
_JOBS_A_PROCESSOR: Final = 2
_NEEDED: Final = "clusters of Ray (--on)"


def check_address(address: str) -> None:
    """See before long work whether `--on` can be meant; whether anything answers there is seen when jobs are done.

    Raises:
        SettingsError: it is neither `ray` nor `ray://HOST[:PORT]`.
        MissingExtraError: Ray is not installed.
    """
    try:
        parts = urlsplit(address)
        named = parts.scheme == "ray" and bool(parts.hostname) and parts.port != 0 and not parts.path.strip("/")
    except ValueError:  # half a bracket, or a port that is no number
        named = False
    if address != "ray" and not named:
        raise SettingsError([Fault("--on", f"is '{address}', must be ray or ray://HOST[:PORT]")])
    if find_spec("ray") is None:
        raise MissingExtraError(_NEEDED, extra="ray")


class RayCluster:
    """Does jobs on the nodes of a Ray cluster.

    Args:
        address: `ray` takes the cluster that `RAY_ADDRESS` names or that runs on this machine, and else starts one of
            this machine alone; `ray://HOST[:PORT]` that of a cluster's client server, port 10001 if none is given.
        processes: how many in a cluster that is started here; another has as many as it has room for.
        threads: of the job that has most.
        noun: what a job is called in messages.

    Raises:
        MissingExtraError: Ray is not installed.
        RunError: the address does not answer, runs another version of Ray or of Python, or no node has processors
            enough for a job.
    """

    def __init__(self, address: str, *, processes: int, threads: int = 1, noun: str = "job") -> None:
        self._address, self._processes, self._threads, self._noun = address, processes, threads, noun

    def run(self, jobs: Iterable[Job], folder: Path) -> Generator[Outcome]:
        """Do jobs, write what they leave below `folder`, and give each as it ends; closed, it ends them at once."""
        waiting = iter(jobs)
        if (first := next(waiting, None)) is None:
            return
        ray = self._connect()
        try:
            _check_room(ray, self._threads, self._noun)
            yield from _done(ray, chain((first,), waiting), folder)
        finally:
            ray.shutdown()

    def _connect(self) -> Any:
        try:
            import ray
        except ImportError as error:
            raise MissingExtraError(_NEEDED, extra="ray") from error
        options: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
        where = self._where()
        if where:
            options["address"] = where
        elif not _running():
            _check_machine(self._threads, self._noun)
            options |= {"num_cpus": self._processes * self._threads, "include_dashboard": False}
        try:
            with _quiet():
                ray.init(**options)
        except Exception as error:  # Ray has no family of its own for these
            ray.shutdown()
            raise RunError(f"{where or 'ray'}: cannot work with this cluster: {_in_a_line(error)}") from error
        return ray

    def _where(self) -> str | None:
        """The address for `ray.init`; None lets Ray look for itself."""
        if self._address == "ray":
            if (told := os.environ.get("RAY_ADDRESS", "")) not in ("", "auto", "local"):
                _knock(told if "://" in told else f"gcs://{told}", f"RAY_ADDRESS {told}")
            return None
        host, port = _knock(self._address, self._address)
        return f"ray://{host}:{port}"


def _knock(address: str, told: str) -> tuple[str, int]:
    """See whether anything answers there; Ray itself would try for half a minute."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or _CLIENT_PORT
        socket.create_connection((host, port), timeout=_PATIENCE_SECONDS).close()
    except (OSError, ValueError) as error:
        raise RunError(
            f"{told} does not answer; start the cluster with `ray start --head --ray-client-server-port "
            f"{_CLIENT_PORT}`, or check host and port"
        ) from error
    return host, port


def _check_machine(threads: int, noun: str) -> None:
    """Refuse jobs of more threads than this machine has processors; a cluster of it alone is told how many it has."""
    if threads > (most := os.cpu_count() or 1):
        raise RunError(
            f"a {noun} asks for {counted(threads, 'processor')}, and this machine has {most}; use --threads {most}"
        )


def _check_room(ray: Any, threads: int, noun: str) -> None:
    """Refuse jobs that no node can take; Ray would wait for such a node for ever."""
    most = max((node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]), default=0)
    if most < threads:
        mend = f"use --threads {int(most)} or add a node" if most >= 1 else "add a node"
        asked = counted(threads, "processor")
        raise RunError(f"no node of this cluster has {asked} for a {noun}, the largest has {most:g}; {mend}")


def _done(ray: Any, jobs: Iterator[Job], folder: Path) -> Generator[Outcome]:
    sent: dict[tuple[tuple[str, str], ...], Any] = {}
    waiting: dict[Any, Job] = {}
    while True:
        for job in islice(jobs, max(0, _count_welcome(ray) - len(waiting))):
            waiting[_hand_over(ray, job, sent)] = job
        if not waiting:
            return
        done, _ = ray.wait(list(waiting), num_returns=1)
        job = waiting.pop(done[0])
        try:
            error, files = ray.get(done[0])
        except Exception as broken:  # the worker or all nodes are gone, or Sayso is not there
            yield Outcome(job, f"Ray could not do it: {_in_a_line(broken)}")
            continue
        if not error:
            _keep(files, folder / job.name)
        yield Outcome(job, error)


def _count_welcome(ray: Any) -> int:
    """Count the jobs that the cluster, as large as it is now, has at work or waiting at any time."""
    return _JOBS_A_PROCESSOR * max(1, int(ray.cluster_resources().get("CPU", 0)))


def _hand_over(ray: Any, job: Job, sent: dict[tuple[tuple[str, str], ...], Any]) -> Any:
    """Give a job to the cluster; what several jobs need is sent once."""
    needs = tuple(sorted(job.needs.items()))
    if needs not in sent:
        sent[needs] = ray.put({name: Path(path).read_bytes() for name, path in needs})
    # A node that dies gives its job to another; an error of the job itself comes back as an answer.
    task = ray.remote(num_cpus=job.threads, max_retries=_TRIES, runtime_env={"env_vars": _environment(job)})
    return task(_do_there).remote(asdict(job), sent[needs], version("sayso"))


def _do_there(values: dict[str, Any], needed: dict[str, bytes], wanted: str) -> tuple[str, dict[str, bytes]]:
    """Do a job on the node where this runs; gives what went wrong, or the files it left."""
    if (there := version("sayso")) != wanted:
        return f"a node of the cluster has Sayso {there}, this machine {wanted}; install the same on both", {}
    job = Job(**values)
    with tempfile.TemporaryDirectory(prefix="sayso-job-") as place:
        beside = Path(place) / "needs"
        beside.mkdir()
        for name, content in needed.items():
            (beside / name).write_bytes(content)
        folder = Path(place) / "job" / job.name
        try:
            do_job(replace(job, needs={name: str(beside / name) for name in needed}), folder)
        except SaysoError as error:
            return str(error), {}
        return "", {name: (folder / name).read_bytes() for name in job.files}


def _environment(job: Job) -> dict[str, str]:
    """What a worker needs to do the same as a local process: its threads, and where recordings and cache are."""
    names = ("SAYSO_DATA", "SAYSO_CACHE", "PYTHONPATH")
    given = {name: os.environ[name] for name in names if name in os.environ}
    return given | dict.fromkeys(THREAD_COUNTS, str(job.threads))


def _keep(files: dict[str, bytes], path: Path) -> None:
    """Put a job's files in its folder, all at once."""
    shutil.rmtree(path, ignore_errors=True)
    with atomic_folder(path) as new:
        for name, content in files.items():
            (new / name).write_bytes(content)


def _running() -> bool:
    """Whether Ray finds a cluster without being told where."""
    if os.environ.get("RAY_ADDRESS"):
        return True
    note = Path(os.environ.get("RAY_TMPDIR", "/tmp"), "ray", "ray_current_cluster")
    return note.is_file()


@contextlib.contextmanager
def _quiet() -> Generator[None]:
    """Ray's own log lines say nothing that ours do not."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _in_a_line(error: Exception) -> str:
    """What Ray says over many lines, in one."""
    text = str(error) or type(error).__name__
    if "ersion mismatch" in text:
        return " ".join(text.split())[:300]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if "Error" in line]
    return (told or lines)[-1][:300]
