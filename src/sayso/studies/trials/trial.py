"""A trial of a comparison: one recipe on one fold with one seed, trained as an ordinary run without its extras."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from sayso.config.schema import dump
from sayso.errors import RunError, SaysoError
from sayso.experiment.train import resume, train
from sayso.recipe.former import without_later_keys
from sayso.recipe.prepared import prepare
from sayso.recipe.recipe import Recipe, kept_recipe_from_text, recipe_from_text
from sayso.recipe.teaching import teaching_recipe
from sayso.runs.folder import RunFolder
from sayso.runs.predictions import read_predictions
from sayso.studies.executors.job import Job, name_of
from sayso.system.files import digest, output_errors
from sayso.system.progress import Progress
from sayso.system.wording import listed

__all__ = ["FILES", "Trial", "is_finished", "train_sent_trial", "train_trial"]

FILES = ("recipe.yaml", "log.csv", "metrics.json", "predictions.csv", "model.safetensors", "manifest.json")
"""What a finished trial consists of; the manifest, which says that it is finished, comes last."""


@dataclass(frozen=True)
class Trial:
    """What must be known to train a trial anywhere: plain values only, so that it can be sent."""

    recipe_name: str
    """Name of the recipe."""
    fold: str
    """Name of the fold: `fold-1` and so on, `own` where each recipe keeps its split, `random-0` for the gap."""
    seed: int
    threads: int
    recipe: str
    """The whole recipe as YAML, fold, seed and threads in it."""
    data_hash: str
    """Of the packed clips; a trial of other clips is another trial."""
    other_sounds: Mapping[str, str] = field(hash=False)
    """Of what trains beside them, as `Prepared.other_sounds` has it; of that the same is true."""

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.recipe_name}-{self.fold}-seed-{self.seed}"

    def values(self) -> dict[str, Any]:
        """Its fields, to be sent as JSON."""
        return asdict(self)

    def find_other_sounds(self, there: Mapping[str, str]) -> list[str]:
        """What trains beside the clips and is other than this trial's, or is missing, by `Prepared.other_sounds`."""
        known = self.other_sounds
        return [what for what in {**known, **there} if known.get(what) != there.get(what)]

    @property
    def job(self) -> Job:
        """The trial as executors take it."""
        return Job(self.name, name_of(train_sent_trial), self.values(), FILES, self.threads)


def is_finished(trial: Trial, folder: Path) -> bool:
    """Whether the folder holds this trial, whole: same recipe, same clips, same Sayso."""
    run = RunFolder(folder)
    return _is_of(trial, run) and run.finished and all((folder / name).is_file() for name in FILES) and _is_whole(run)


def train_trial(trial: Trial, folder: Path) -> None:
    """Train a trial, or go on with it where it was stopped; anything else in its folder is removed first.

    Raises:
        SaysoError: its recipe cannot be trained here, or clips or other sounds here are not those of the comparison.
    """
    if is_finished(trial, folder):
        return
    recipe = recipe_from_text(trial.recipe, source=trial.name)
    _check_sounds(trial, recipe)
    run = RunFolder(folder)
    if _is_of(trial, run) and not run.finished:
        with output_errors(folder):
            for left in folder.glob(".*"):  # half written when it was killed
                left.unlink()
        resume(folder, extras=False)
        return
    if folder.exists():
        with output_errors(folder):
            shutil.rmtree(folder)
    train(recipe, out=folder, extras=False)


def train_sent_trial(values: dict[str, Any], folder: Path) -> None:
    """Train the trial of a job, as `train_trial` does; `values` are the trial's."""
    train_trial(Trial(**values), folder)


def _check_sounds(trial: Trial, recipe: Recipe) -> None:
    prepared = prepare(recipe, Progress())
    if prepared.corpus.content_hash != trial.data_hash:
        raise _others_here("clips")
    if differ := trial.find_other_sounds(prepared.other_sounds):
        raise _others_here(listed(differ, len(differ)))


def _others_here(what: str) -> RunError:
    return RunError(f"the {what} here are not those of the comparison; give every machine the same, and start again")


def _is_whole(run: RunFolder) -> bool:
    """Whether its answers are those that were scored, its weights can be read, and its times are there."""
    try:
        test, manifest = run.metrics()["test"], run.manifest()
        scored = test["n"], test["errors"]
        numbers = (*scored, test["accuracy"], manifest["training_seconds"], manifest["cpu_seconds"])
        right = read_predictions(run.predictions_file).right
        with safe_open(run.weights, framework="numpy"):
            pass
    except (OSError, ValueError, KeyError, TypeError, SaysoError, SafetensorError):
        return False
    return (len(right), int((~right).sum())) == scored and all(isinstance(each, int | float) for each in numbers)


def _is_of(trial: Trial, run: RunFolder) -> bool:
    try:
        kept, manifest = run.recipe.read_text(encoding="utf-8"), run.manifest()
        same_recipe = kept == trial.recipe or _parsed(kept) == _parsed(trial.recipe)
    except (OSError, SaysoError, UnicodeDecodeError):
        return False
    versions = dict[str, Any](manifest).get("versions")  # whatever a damaged file holds
    same_sayso = isinstance(versions, dict) and versions.get("sayso") == version("sayso")
    return (
        same_recipe
        and _has_its_teacher(trial, dict(manifest))
        and manifest.get("data_hash") == trial.data_hash
        and _has_its_sounds(trial, dict(manifest))
        and same_sayso
    )


def _has_its_sounds(trial: Trial, manifest: Mapping[str, Any]) -> bool:
    """Whether what trained beside the clips is what would train now, as far as the run says."""
    there = manifest.get("other_sounds", trial.other_sounds)
    return isinstance(there, Mapping) and not trial.find_other_sounds(there)


def _has_its_teacher(trial: Trial, manifest: Mapping[str, Any]) -> bool:
    """Whether a teacher that was trained first was trained by what its recipe says now."""
    recipe, taught = _parsed(trial.recipe), manifest.get("teacher")
    if recipe.training.teacher_file is None or not isinstance(taught, Mapping) or "recipe" not in taught:
        return True
    return taught["recipe"] == digest(without_later_keys(dump(teaching_recipe(recipe))))


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Recipe:
    """A recipe as it is meant: a key that it leaves to its default is no other recipe."""
    return kept_recipe_from_text(text, source="a trial")
