"""`sayso learning-curve`: a recipe trained on ever more of its clips, and what more of them would bring."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sayso.studies.learning_curve.page import write_learning_curve
from sayso.studies.learning_curve.plan import make_plan
from sayso.studies.learning_curve.sizes import AxisName
from sayso.studies.learning_curve.table import make_table, write_tables
from sayso.studies.trials.folder import claimed
from sayso.studies.trials.run_trials import check_asked, run_trials
from sayso.system.progress import Progress

__all__ = ["LearningCurve", "learning_curve"]


@dataclass(frozen=True)
class LearningCurve:
    """Learning curves that are drawn."""

    path: Path
    table: dict[str, Any]
    """As `learning-curve.json` holds it."""
    files: tuple[Path, ...]
    """The page, the figures and the tables."""

    @property
    def answers(self) -> list[str]:
        """What the curves say, a sentence each; last of all what would help most."""
        answers = (answer for axis in self.table["axes"] for answer in axis["answers"])
        return [*answers, self.table["most"]["told"]]


def learning_curve(
    recipe: str | Path,
    *,
    speakers: Sequence[int] = (),
    clips: Sequence[int] = (),
    seeds: int = 3,
    jobs: int = 2,
    on: str = "",
    threads: int = 1,
    overrides: Sequence[str] = (),
    out: str | Path = "learning-curve",
    progress: Progress | None = None,
) -> LearningCurve:
    """Train a recipe on ever more speakers, and on ever more clips of each; test and validation stay the same.

    Args:
        recipe: a recipe file, or a folder of clips.
        speakers: how many to train on; with neither these nor clips, about six sizes of both are chosen.
        clips: how many of each speaker to train on, all speakers there.
        seeds: how many seeds, from 0; each draws other speakers and clips.
        jobs: how many trials at a time on this machine.
        on: `ray` or `ray://ADDRESS`: train on a Ray cluster instead.
        threads: of each trial; they change the last bits, and `jobs` does not.
        overrides: `key=value` texts laid over the recipe.
        out: folder of the curves; what is finished there is not trained again.
        progress: where to report.

    Raises:
        SaysoError: whatever of recipe, clips, sizes and folder does not fit; trials that failed, when all others are
            done.
    """
    progress = progress or Progress()
    check_asked(seeds=seeds, jobs=jobs, threads=threads, on=on, out=Path(out))
    sizes: dict[AxisName, Sequence[int]] = {"speakers": speakers, "clips": clips}
    plan = make_plan(recipe, overrides=overrides, sizes=sizes, seeds=seeds, threads=threads, progress=progress)
    with claimed(Path(out), folds=None, sources={"recipe": plan.source}, what="learning curve") as folder:
        run_trials(plan.different, folder, jobs=jobs, on=on, progress=progress)
        table = make_table(plan, folder.trials)
        files = (*write_learning_curve(table, folder.path), *write_tables(table, folder.path))
    return LearningCurve(folder.path, table, files)
