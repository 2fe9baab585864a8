"""`sayso find-lr`: a learning rate searched for a recipe or a folder, its curve kept, and the recipe told."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sayso.errors import Fault, OutputError, SaysoError, SettingsError
from sayso.experiment.teacher import find_teacher
from sayso.recipe.defaults import Wishes
from sayso.recipe.edit import check_key, set_key
from sayso.recipe.prepared import prepare
from sayso.recipe.recipe import is_recipe_file
from sayso.recipe.source import find_recipe
from sayso.system.files import check_writable, write_text
from sayso.system.progress import Progress
from sayso.views.figures import save_pictures
from sayso.views.plots.rates import draw_loss_by_rate

if TYPE_CHECKING:
    from sayso.training import RateSearch

__all__ = ["Found", "find_lr"]

_KEY = ("training", "learning_rate")


@dataclass(frozen=True)
class Found:
    """A search that has ended."""

    search: "RateSearch"
    before: float
    """What the recipe says now."""
    files: tuple[Path, ...]
    """The curve as CSV, SVG and PNG, as far as they could be written."""
    written: bool
    """Whether the rate was set in the recipe's file."""
    unwritten: OutputError | None
    """What could not be written at the end; to be raised once the rest has been shown."""


def find_lr(
    source: str | Path,
    *,
    overrides: Sequence[str] = (),
    lowest: float = 1e-6,
    highest: float = 10.0,
    steps: int = 200,
    out: Path,
    write: bool = False,
    progress: Progress | None = None,
) -> Found:
    """Search a learning rate, keep the curve, and with `write` set the rate in the recipe's file.

    Whether that can be done is tried before the search. What cannot be written after it all the same is told beside
    what was found, which must not be lost.

    Args:
        source: a recipe file, a folder of clips by word, or a manifest.
        overrides: `key=value` texts laid over the recipe for the search.
        lowest: first learning rate.
        highest: last learning rate.
        steps: batches between them.
        out: folder for `<name>-learning-rate` as .csv, .svg and .png, replacing what has that name.
        write: set `training.learning_rate` in the recipe's file.
        progress: where to report.

    Raises:
        SaysoError: whatever of recipe, clips, rates and folder does not fit, or a search that diverges at once.
    """
    from sayso.training import search_learning_rate  # takes seconds, and errors above need it not

    progress = progress or Progress()
    path = Path(source)
    if write and not is_recipe_file(path):
        fault = Fault("--write", "needs a recipe's file; `sayso init` writes one for a folder")
        raise SettingsError([fault], source=str(source))
    if write and overrides:
        progress.note(f"searched with {', '.join(overrides)}: {path} has not, and the rate goes there all the same")
    name, recipe = find_recipe(source, overrides, wishes=Wishes(in_turn=False), progress=progress)
    check_writable(out)
    if write:
        check_key(path, *_KEY, _text(recipe.training.learning_rate / 2))
    prepared = prepare(recipe, progress)
    teacher = find_teacher(prepared)
    search = search_learning_rate(prepared, lowest=lowest, highest=highest, steps=steps, teacher=teacher)
    faults: list[SaysoError] = []
    written = write and _kept(lambda: set_key(path, *_KEY, _text(search.suggestion)), faults)
    files: list[Path] = []
    _kept(lambda: files.append(_save_table(search, out, name)), faults)
    _kept(lambda: files.extend(_save_curve(search, out, name)), faults)
    unwritten = OutputError("; ".join(str(fault) for fault in faults)) if faults else None
    return Found(search, recipe.training.learning_rate, tuple(files), written, unwritten)


def _kept(write: Callable[[], None], faults: list[SaysoError]) -> bool:
    """Whether something could be written; if not, why is added to `faults`."""
    try:
        write()
    except SaysoError as fault:
        faults.append(fault)
        return False
    return True


def _text(rate: float) -> str:
    return f"{rate:.1e}"


def _save_curve(search: "RateSearch", out: Path, name: str) -> list[Path]:
    pictures = {
        "learning_rate": draw_loss_by_rate(search.rates, search.losses, search.smoothed, suggestion=search.suggestion)
    }
    svg = save_pictures(pictures, out, subject=name)
    return svg + save_pictures(pictures, out, subject=name, suffix="png")


def _save_table(search: "RateSearch", out: Path, name: str) -> Path:
    path = out / f"{name}-learning-rate.csv"
    write_text(path, _csv(search))
    return path


def _csv(search: "RateSearch") -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["learning_rate", "loss", "smoothed_loss"])
    for values in zip(search.rates, search.losses, search.smoothed, strict=True):
        writer.writerow([f"{value:.6g}" for value in values])
    return text.getvalue()
