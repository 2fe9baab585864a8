"""A recipe in, a run folder out: the one place that calls training, evaluation, export and report in turn."""

import os
import platform
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from sayso.checkpoint import load_model
from sayso.classifier import Classifier
from sayso.corpus import Corpus, pack
from sayso.errors import RunError
from sayso.evaluation import predict_probabilities, score_rows
from sayso.files import write_json, write_text
from sayso.leakage import Leakage, check_leakage
from sayso.leakage.unheard import check_unheard
from sayso.outcome import Stopwatch, write_outcome
from sayso.pictures.run import confusion_of, log_of
from sayso.plain_values import lay_over, parse_overrides
from sayso.plots.confusion import confusion_matrix
from sayso.plots.curves import loss_and_accuracy
from sayso.plots.flow import alluvial
from sayso.processes import from_leader, joined, loss_of_others, one_per_machine_first, this_process, wait
from sayso.progress import Progress
from sayso.recipe import Recipe, read_recipe, recipe_from_values, recipe_yaml
from sayso.reject_words import recipe_listing
from sayso.runs import RunFolder, carry_over, new_run_folder, open_run, taken_back_if_unstarted
from sayso.runtime import Recognizer
from sayso.schema import dump
from sayso.splits import Split, make_split
from sayso.suggestion import suggest_recipe
from sayso.unheard import open_unheard

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sayso.training import Hardware

__all__ = ["Run", "leakage_of", "load", "open_clips", "open_data", "recipe_for", "resume", "split_of", "train"]


@dataclass(frozen=True)
class Run(RunFolder):
    """A run, opened: its scores, its model, its pictures.

    >>> Run(Path("runs/nowhere")).finished
    False
    """

    @cached_property
    def settings(self) -> Recipe:
        """The recipe it was trained by."""
        return read_recipe(self.recipe)

    def classifier(self) -> Classifier:
        """The trained model, to look into or to train on."""
        return load_model(self.weights)

    def recognizer(self) -> Recognizer:
        """The exported model, to answer with."""
        return Recognizer(self.onnx)

    def evaluate(self, part: str = "test", *, progress: Progress | None = None) -> dict[str, Any]:
        """Score a part again from the model and the clips.

        Args:
            part: `test`, `validation`, `train` or `all`.
            progress: where to report.

        Returns:
            Scores as `metrics.json` holds them.

        Raises:
            RunError: the part has no clips, or the clips have changed since the training: a split drawn anew could put
                clips that were trained on into the test part.
            SettingsError: there is no such part.
        """
        corpus, split = open_data(self.settings, progress or Progress())
        _check_same_clips(self.manifest(), corpus, split, f"{self.path}: its clips have changed since it was trained")
        rows = split.rows(part)
        if len(rows) == 0:
            raise RunError(f"{self.path}: its {part} part has no clips; choose another --split")
        classifier = self.classifier()
        return score_rows(corpus, rows, predict_probabilities(classifier, corpus, rows), classifier.labels)

    def show_confusion(self) -> "Figure":
        """Draw the confusion matrix of the test part."""
        return confusion_matrix(*confusion_of(self.metrics()))

    def show_flow(self) -> "Figure":
        """Draw the alluvial plot of the test part: predicted words flowing into true ones."""
        return alluvial(*confusion_of(self.metrics()))

    def show_training(self) -> "Figure":
        """Draw loss and accuracy by epoch."""
        return loss_and_accuracy(log_of(self), best_epoch=self.metrics()["best_epoch"])


def train(
    source: str | Path | Recipe,
    *,
    overrides: Sequence[str] = (),
    out: str | Path | None = None,
    name: str | None = None,
    extras: bool = True,
    progress: Progress | None = None,
) -> Run:
    """Train a recipe and leave a whole run: weights, scores, report and exported model.

    Under torchrun every process calls this; all train, the first one writes, and all return the same run.

    Args:
        source: a recipe, a recipe file, a folder of clips by word, or a manifest (CSV or JSONL).
        overrides: `key=value` texts laid over the recipe, such as `training.epochs=5`.
        out: the run's folder; None: `runs/<name>-<time>`.
        name: what the run is called; None: as the recipe's file or the folder.
        extras: leave pictures, report and exported model too; without them a run has its weights and scores.
        progress: where to report.

    Raises:
        SaysoError: whatever of recipe, clips and folder does not fit, in one line; earlier runs stay whole.
    """
    progress = progress or Progress()
    with joined():
        known_as, recipe = recipe_for(source, overrides, progress=progress)
        run = Run(from_leader(lambda: new_run_folder(name or known_as, Path(out) if out else None).path))
        corpus, split = open_data(recipe, progress)
        with taken_back_if_unstarted(run) if this_process().leads else nullcontext():
            return _complete(run, recipe, corpus, split, progress, extras=extras)


def resume(path: str | Path, *, extras: bool = True, progress: Progress | None = None) -> Run:
    """Go on with a run that was stopped; it ends as it would have ended. `extras` is as for `train`.

    Raises:
        RunError: there is no such run, it is finished, or its clips have changed since.
    """
    progress = progress or Progress()
    with joined():
        run, recipe = from_leader(lambda: _unfinished(Path(path)))
        corpus, split = open_data(recipe, progress)
        return _complete(run, recipe, corpus, split, progress, extras=extras)


def load(path: str | Path) -> Run | Recognizer:
    """Open a run's folder as a `Run`, or a `model.onnx` as a `Recognizer`.

    Raises:
        RunError: there is no run.
        ModelError: the file is no model.
    """
    path = Path(path)
    return Recognizer(path) if path.suffix == ".onnx" else Run(open_run(path).path)


def recipe_for(source: str | Path | Recipe, overrides: Sequence[str] = (), *, progress: Progress) -> tuple[str, Recipe]:
    """The name of a source and its recipe: read when it is a file, suggested when it is clips.

    Raises:
        SettingsError: anything in it does not fit.
        DataError: a folder or manifest without usable clips.
    """
    if isinstance(source, Recipe):
        values = lay_over(dump(source), parse_overrides(overrides))
        recipe = recipe_from_values(values, source="the recipe given")
        return "recipe", replace(recipe, dataset=recipe.dataset.anchored())
    path = Path(source)
    if path.suffix.lower() in (".yaml", ".yml"):
        recipe = read_recipe(path, overrides)
    else:
        recipe = suggest_recipe(path, overrides, progress=progress)
    return path.stem or path.resolve().name, replace(recipe, dataset=recipe.dataset.anchored())


def open_clips(recipe: Recipe, progress: Progress) -> Corpus:
    """The packed clips of a recipe.

    Raises:
        DataError: they cannot be used as the recipe says.
    """
    with one_per_machine_first():
        listing = recipe_listing(recipe.dataset, progress)
        return pack(listing, recipe.audio, progress=progress, max_bad_share=recipe.dataset.max_bad_share)


def open_data(recipe: Recipe, progress: Progress) -> tuple[Corpus, Split]:
    """The packed clips of a recipe and their split.

    Raises:
        DataError: the clips cannot be used as the recipe says.
    """
    corpus = open_clips(recipe, progress)
    return corpus, split_of(corpus, recipe)


def split_of(corpus: Corpus, recipe: Recipe) -> Split:
    """The parts into which a recipe divides its clips.

    Raises:
        DataError: these clips cannot be divided as it says.
    """
    settings = recipe.training
    return make_split(
        corpus,
        recipe.dataset,
        validation=settings.validation,
        validation_share=settings.validation_share,
        seed=settings.seed,
    )


def _unfinished(path: Path) -> tuple[Run, Recipe]:
    run = Run(open_run(path).path)
    if run.finished:
        raise RunError(f"{path}: finished already; its scores are in metrics.json")
    return run, run.settings


def _complete(run: Run, recipe: Recipe, corpus: Corpus, split: Split, progress: Progress, *, extras: bool) -> Run:
    # Imported here: Lightning takes seconds, and only training needs it.
    from sayso.training import check_readiness, fit

    unheard = open_unheard(recipe, corpus, split, progress)
    leakage = leakage_of(recipe, corpus, split, unheard, progress)
    for note in (*corpus.notes, *split.notes, *leakage.notes):
        progress.note(note)
    watch = Stopwatch()
    hardware = check_readiness(recipe, split)
    with loss_of_others(f"nothing is lost: under torchrun, go on with sayso train --resume {run.path}"):
        begun = from_leader(lambda: _begin(run, recipe, corpus, split, leakage, hardware, progress))
        fitted = fit(recipe, corpus, split, run, progress=progress)
        if hardware.processes.leads:
            write_outcome(run, recipe, corpus, split, unheard, fitted, begun, watch, progress, extras=extras)
        wait()
    return run


def leakage_of(recipe: Recipe, corpus: Corpus, split: Split, unheard: Corpus | None, progress: Progress) -> Leakage:
    """What test clips, and clips of words never learned, share with what is trained on.

    Raises:
        DataError: the very samples of one are trained on, and that is not allowed by name.
    """
    allowed = recipe.dataset.allow_copies
    with one_per_machine_first():
        tested = check_leakage(corpus, split, allow_copies=allowed, progress=progress)
        if unheard is None:
            return tested
        others = check_unheard(corpus, split, unheard, allow_copies=allowed, progress=progress)
        return Leakage((*tested.notes, *others.notes), tested.facts | others.facts)


def _begin(
    run: Run, recipe: Recipe, corpus: Corpus, split: Split, leakage: Leakage, hardware: "Hardware", progress: Progress
) -> dict[str, Any]:
    """Write recipe and manifest of an unfinished run; a resumed one must have the same clips as before."""
    write_text(run.recipe, recipe_yaml(recipe))
    manifest: dict[str, Any] = {
        "finished": False,
        "name": run.path.name,
        "created": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "data_hash": corpus.content_hash,
        "split_hash": split.split_hash,
        "split": split.kind,
        "speakers_shared": split.speakers_shared,
        "clips": {part: len(split.rows(part)) for part in ("train", "validation", "test")},
        "seed": recipe.training.seed,
        "threads": hardware.threads,
        "processes": hardware.processes.count,
        "precision": "bf16" if hardware.bf16 else "float32",
        "device": str(hardware.device),
        "machine": _machine(hardware),
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in ("sayso", "torch", "lightning", "numpy", "onnxruntime")},
        "leakage": leakage.facts,
        "notes": [*corpus.notes, *split.notes, *leakage.notes],
    }
    if (run.path / "manifest.json").exists():
        before = run.manifest()
        _check_same_clips(before, corpus, split, f"{run.path}: its clips have changed since it was stopped")
        if note := carry_over(before, manifest):
            progress.note(note)
    write_json(run.path / "manifest.json", manifest)
    return manifest


def _machine(hardware: "Hardware") -> dict[str, Any]:
    machine = {"system": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count()}
    gpu = hardware.device.type == "cuda"
    return machine | ({"gpu": torch.cuda.get_device_name(hardware.device)} if gpu else {})


def _check_same_clips(manifest: Mapping[str, Any], corpus: Corpus, split: Split, complaint: str) -> None:
    for key, now in (("data_hash", corpus.content_hash), ("split_hash", split.split_hash)):
        if manifest.get(key) != now:
            raise RunError(f"{complaint} ({key}); bring the old clips back, or train anew")
