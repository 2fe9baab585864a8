"""A cell of a comparison: one recipe on one fold with one seed, trained as an ordinary run without its extras."""

import shutil
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from sayso.errors import RunError, SaysoError
from sayso.experiment.train import resume, train
from sayso.recipe.prepared import pack_clips
from sayso.recipe.recipe import Recipe, kept_recipe_from_text, recipe_from_text
from sayso.runs.folder import RunFolder
from sayso.runs.predictions import read_predictions
from sayso.system.files import output_errors
from sayso.system.progress import Progress

__all__ = ["FILES", "THREAD_COUNTS", "Cell", "Outcome", "is_finished", "train_cell"]

FILES = ("recipe.yaml", "log.csv", "metrics.json", "predictions.csv", "model.safetensors", "manifest.json")
"""What a finished cell consists of; the manifest, which says that it is finished, comes last."""
THREAD_COUNTS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Variables that a process training a cell has set to the cell's threads before it begins."""


@dataclass(frozen=True)
class Cell:
    """What must be known to train a cell anywhere: plain values only, so that it can be sent."""

    contestant: str
    """Name of the recipe."""
    fold: str
    """Name of the fold: `fold-1` and so on, `own` where each recipe keeps its split, `random-0` for the gap."""
    seed: int
    threads: int
    recipe: str
    """The whole recipe as YAML, fold, seed and threads in it."""
    data_hash: str
    """Of the packed clips; a cell of other clips is another cell."""

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.contestant}-{self.fold}-seed-{self.seed}"

    def values(self) -> dict[str, Any]:
        """Its fields, to be sent as JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Outcome:
    """A cell that was trained, or why it could not be."""

    cell: Cell
    error: str = ""


def is_finished(cell: Cell, folder: Path) -> bool:
    """Whether the folder holds this cell, whole: same recipe, same clips, same Sayso."""
    run = RunFolder(folder)
    return _is_of(cell, run) and run.finished and all((folder / name).is_file() for name in FILES) and _is_whole(run)


def train_cell(cell: Cell, folder: Path) -> None:
    """Train a cell, or go on with it where it was stopped; anything else in its folder is removed first.

    Raises:
        SaysoError: its recipe cannot be trained here, or the clips here are not those of the comparison.
    """
    if is_finished(cell, folder):
        return
    recipe = recipe_from_text(cell.recipe, source=cell.name)
    if pack_clips(recipe, Progress()).corpus.content_hash != cell.data_hash:
        raise RunError("the clips here are not those of the comparison; give every machine the same, and start again")
    run = RunFolder(folder)
    if _is_of(cell, run) and not run.finished:
        with output_errors(folder):
            for left in folder.glob(".*"):  # half written when it was killed
                left.unlink()
        resume(folder, extras=False)
        return
    if folder.exists():
        with output_errors(folder):
            shutil.rmtree(folder)
    train(recipe, out=folder, extras=False)


def _is_whole(run: RunFolder) -> bool:
    """Whether its answers are those that were scored, its weights can be read, and its times are there."""
    try:
        test, manifest = run.metrics()["test"], run.manifest()
        scored = test["n"], test["errors"]
        numbers = (*scored, test["accuracy"], manifest["training_seconds"], manifest["cpu_seconds"])
        right = read_predictions(run.predictions).right
        with safe_open(run.weights, framework="numpy"):
            pass
    except (OSError, ValueError, KeyError, TypeError, SaysoError, SafetensorError):
        return False
    return (len(right), int((~right).sum())) == scored and all(isinstance(each, int | float) for each in numbers)


def _is_of(cell: Cell, run: RunFolder) -> bool:
    try:
        kept, manifest = run.recipe.read_text(encoding="utf-8"), run.manifest()
        same_recipe = kept == cell.recipe or _parsed(kept) == _parsed(cell.recipe)
    except (OSError, SaysoError, UnicodeDecodeError):
        return False
    same_sayso = manifest.get("versions", {}).get("sayso") == version("sayso")
    return same_recipe and manifest.get("data_hash") == cell.data_hash and same_sayso


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Recipe:
    """A recipe as it is meant: a key that it leaves to its default is no other recipe."""
    return kept_recipe_from_text(text, source="a cell")
