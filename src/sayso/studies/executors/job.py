"""A job: a function by its name, plain values for it, and the files that it leaves."""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from sayso.errors import RunError

__all__ = ["THREAD_COUNTS", "Executor", "Job", "Outcome", "do_job", "name_of"]

THREAD_COUNTS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Variables that a process has set to its job's threads before it begins."""


@dataclass(frozen=True)
class Job:
    """What must be known to do something anywhere: plain values only, so that it can be sent as JSON."""

    name: str
    """Of its folder, below that of all jobs."""
    function: str
    """`module:function`, called with `values` and the job's folder, which it makes; `name_of` gives this text."""
    values: dict[str, Any]
    files: Sequence[str]
    """What it leaves in its folder. Of a job that was done elsewhere, these come back."""
    threads: int = 1
    needs: Mapping[str, str] = field(default_factory=dict[str, str])
    """Files that it reads, by name, and where on this machine they lie. Where it is done elsewhere they are sent along;
    `values["needs"]` has the places that they lie at there."""


@dataclass(frozen=True)
class Outcome:
    """A job that was done, or why it could not be."""

    job: Job
    error: str = ""


@runtime_checkable
class Executor(Protocol):
    """Whatever does jobs."""

    def run(self, jobs: Iterable[Job], folder: Path) -> Generator[Outcome]:
        """Do jobs, each in its folder below `folder`, and give each as it ends; closed, it ends them at once."""
        ...


def name_of(function: Callable[[dict[str, Any], Path], None]) -> str:
    """The text by which another process finds a function of a module.

    >>> name_of(do_job)
    'sayso.studies.executors.job:do_job'
    """
    return f"{function.__module__}:{function.__qualname__}"


def do_job(job: Job, folder: Path) -> None:
    """Do a job here.

    Args:
        job: what is to be done.
        folder: its own.

    Raises:
        RunError: it did not leave its files. Beside that, whatever its function raises.
    """
    module, _, function = job.function.partition(":")
    values = job.values | ({"needs": dict(job.needs)} if job.needs else {})
    getattr(import_module(module), function)(values, folder)
    if missing := [name for name in job.files if not (folder / name).is_file()]:
        raise RunError(f"{job.name} ended and left no {', '.join(missing)}")
