"""`sayso compare`: recipes in, a ranked table out; finished trials are kept, so that it can be stopped and started."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sayso.data.splits.folds import Folds
from sayso.errors import Fault, SettingsError
from sayso.studies.comparison.clips import read_compared
from sayso.studies.comparison.page import write_comparison
from sayso.studies.comparison.plan import make_plan
from sayso.studies.comparison.runs import are_runs, compare_runs
from sayso.studies.comparison.table import make_table, write_tables
from sayso.studies.trials.folder import TRIALS, claimed
from sayso.studies.trials.run_trials import check_asked, run_trials
from sayso.system.claims import own_folder
from sayso.system.progress import Progress

__all__ = ["Comparison", "compare"]

_SEEDS = 5


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
    seeds: int | None = None,
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
        recipes: recipe files, or folders of clips; each name once. Or folders of finished runs: they are compared as
            they are, on the clips that all of them were tested on, and nothing else is asked.
        folds: how many folds by speaker, or `leave-one-speaker-out`; None: each recipe's own split, which must test
            the same clips.
        seeds: how many seeds, from 0; None: five.
        jobs: how many trials at a time on this machine.
        on: `ray` or `ray://ADDRESS`: train on a Ray cluster instead.
        gap: train on random splits too, to show what shared speakers make of the scores.
        threads: of each trial; they change the last bits, and `jobs` does not.
        overrides: `key=value` texts laid over every recipe.
        out: folder of the comparison; what is finished there is not trained again.
        progress: where to report.

    Raises:
        SaysoError: whatever of recipes, clips and folder does not fit; trials that failed, when all others are done.
    """
    progress = progress or Progress()
    if are_runs(recipes):
        _refuse_for_runs(folds=folds, seeds=seeds, on=on, gap=gap, overrides=overrides)
        return _compare_runs(recipes, Path(out), progress)
    seeds = _SEEDS if seeds is None else seeds
    check_asked(seeds=seeds, jobs=jobs, threads=threads, on=on, out=Path(out))
    plan = make_plan(
        recipes, overrides=overrides, folds=folds, seeds=seeds, threads=threads, gap=gap, progress=progress
    )
    sources = {contestant.name: contestant.source for contestant in plan.contestants}
    with claimed(Path(out), folds=folds, sources=sources) as folder:
        run_trials(plan.trials, folder, jobs=jobs, on=on, progress=progress)
        table = make_table(plan, folder.path, progress)
        write_tables(table, folder.path)
        ranked = [row["recipe"] for row in table["recipes"]]
        page = write_comparison(table, folder.path, read_compared(plan, folder.path / TRIALS, ranked))
    return Comparison(folder.path, table, page)


def _refuse_for_runs(*, folds: Folds | None, seeds: int | None, on: str, gap: bool, overrides: Sequence[str]) -> None:
    asked = {
        "--folds": folds is not None,
        "--seeds": seeds is not None,
        "--on": bool(on),
        "--gap": gap,
        "--set": bool(overrides),
    }
    if unfit := [option for option, given in asked.items() if given]:
        raise SettingsError([Fault(unfit[0], "is about trainings, and finished runs are compared as they are")])


def _compare_runs(runs: Sequence[str | Path], out: Path, progress: Progress) -> Comparison:
    with own_folder(out) as folder:
        found = compare_runs(runs, progress)
        write_tables(found.table, folder)
        return Comparison(folder, found.table, write_comparison(found.table, folder, found.clips))
