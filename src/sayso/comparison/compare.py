"""`sayso compare`: recipes in, a ranked table out; finished cells are kept, so that it can be stopped and started."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol, runtime_checkable

from sayso.comparison.cells import Cell, Outcome, is_finished
from sayso.comparison.folder import Folder, claimed
from sayso.comparison.local import LocalProcesses
from sayso.comparison.on_ray import RayCluster
from sayso.comparison.page import write_comparison
from sayso.comparison.plan import Plan, make_plan
from sayso.comparison.table import make_table, write_tables
from sayso.errors import Fault, InterruptedRunError, RunError, SettingsError, counted
from sayso.folds import Folds
from sayso.progress import Progress, Task

__all__ = ["Comparison", "Executor", "compare"]


@runtime_checkable
class Executor(Protocol):
    """Whatever trains cells."""

    def train(self, cells: Sequence[Cell], folder: Path) -> Generator[Outcome]:
        """Train cells, each in its folder below `folder`, and give each as it ends; closed, it ends them at once."""
        ...


@dataclass(frozen=True)
class Comparison:
    """A comparison that has ended."""

    path: Path
    table: dict[str, Any]
    """As `comparison.json` holds it."""
    page: Path
    """HTML; the tables lie beside it."""


def compare(
    recipes: Sequence[str | Path],
    *,
    folds: Folds | None = None,
    seeds: int = 5,
    jobs: int = 2,
    on: str = "",
    gap: bool = False,
    threads: int = 1,
    overrides: Sequence[str] = (),
    out: str | Path = "comparison",
    progress: Progress | None = None,
) -> Comparison:
    """Train every recipe on the same folds and seeds, rank them, and test which differ.

    Args:
        recipes: recipe files, or folders of clips; each name once.
        folds: how many folds by speaker, or `leave-one-speaker-out`; None: each recipe's own split, which must test
            the same clips.
        seeds: how many seeds, from 0.
        jobs: how many cells at a time on this machine.
        on: `ray` or `ray://ADDRESS`: train on a Ray cluster instead.
        gap: train on random splits too, to show what shared speakers make of the scores.
        threads: of each cell; they change the last bits, and `jobs` does not.
        overrides: `key=value` texts laid over every recipe.
        out: folder of the comparison; what is finished there is not trained again.
        progress: where to report.

    Raises:
        SaysoError: whatever of recipes, clips and folder does not fit; cells that failed, when all others are done.
    """
    progress = progress or Progress()
    limits = {"--seeds": seeds, "--jobs": jobs, "--threads": threads}
    if faults := [Fault(name, f"is {value}, must be 1 or more") for name, value in limits.items() if value < 1]:
        raise SettingsError(faults)
    plan = make_plan(
        recipes, overrides=overrides, folds=folds, seeds=seeds, threads=threads, gap=gap, progress=progress
    )
    sources = {contestant.name: contestant.source for contestant in plan.contestants}
    with claimed(Path(out), folds=folds, sources=sources) as folder:
        _train(_executor(on, jobs, folder), plan, folder.path / "cells", progress)
        table = make_table(plan, folder.path, progress)
        write_tables(table, folder.path)
        page = write_comparison(table, folder.path)
    return Comparison(folder.path, table, page)


def _executor(on: str, jobs: int, folder: Folder) -> Executor:
    if not on:
        return LocalProcesses(jobs, lock=folder.lock, log=folder.path / "workers.log")
    return RayCluster(on, jobs=jobs)


def _train(executor: Executor, plan: Plan, cells: Path, progress: Progress) -> None:
    """Train what is not finished; complain when all else is done."""
    missing = [cell for cell in plan.cells if not is_finished(cell, cells / cell.name)]
    failed: list[Outcome] = []
    with progress.task("cells", total=len(plan.cells), unit="cells") as task:
        task.advance(len(plan.cells) - len(missing))
        tell = _clock(task, len(missing))
        try:
            with closing(executor.train(missing, cells)) as outcomes:
                for outcome in outcomes:
                    failed += [outcome] if outcome.error else []
                    tell()
        except KeyboardInterrupt as error:
            kept = sum(is_finished(cell, cells / cell.name) for cell in plan.cells)
            raise InterruptedRunError(
                f"stopped; {kept} of {counted(len(plan.cells), 'cell')} are finished and kept, the others go on from "
                "their last epoch. Start the same command again"
            ) from error
    for outcome in failed:
        progress.note(f"{outcome.cell.name}: {outcome.error}")
    if failed:
        raise RunError(
            f"{len(failed)} of {counted(len(plan.cells), 'cell')} failed, {failed[0].cell.name} first; the others are "
            "finished and kept. Mend it, and start the same command again"
        )


def _clock(task: Task, cells: int) -> Callable[[], None]:
    """Tell after every cell how long the others will take, as long as those before did."""
    started, done = perf_counter(), 0

    def tell() -> None:
        nonlocal done
        done += 1
        left = (perf_counter() - started) / done * (cells - done)
        task.tell(f"about {left / 60:.0f} min left" if left > 90 else f"about {left:.0f} s left")
        task.advance()

    return tell
