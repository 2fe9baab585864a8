"""`train` and `resume`: a recipe in, a run folder out."""

import os
import platform
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from sayso.config.outside import find_outside_parts
from sayso.config.schema import dump
from sayso.data.splits.settings import EACH_SPEAKER
from sayso.errors import InterruptedRunError, RunError
from sayso.experiment.each_speaker import answer_for_each_speaker, train_without_each_speaker
from sayso.experiment.finish import Begun, finish_run, load_ahead
from sayso.experiment.rounds import train_rounds
from sayso.experiment.run import Run, check_same_clips
from sayso.experiment.teacher import find_teacher, note_teacher
from sayso.recipe.defaults import Wishes
from sayso.recipe.former import without_later_keys
from sayso.recipe.prepared import Prepared, prepare
from sayso.recipe.recipe import Recipe, recipe_yaml
from sayso.recipe.source import find_recipe
from sayso.recipe.teaching import teaching_recipe
from sayso.recipe.words import Words
from sayso.runs.folder import new_run_folder
from sayso.runs.manifest import StartedManifest, carry_over, write_manifest
from sayso.system.claims import locked_folder
from sayso.system.distributed import join_processes, make_once, tell_lost_processes, wait
from sayso.system.files import digest, file_digest, write_text
from sayso.system.openmp import waiting
from sayso.system.progress import Progress, SaidOnce
from sayso.system.wording import in_shell

if TYPE_CHECKING:
    from sayso.classifier.kept_features import KeptFeatures
    from sayso.training import Hardware, Teacher

__all__ = ["complete", "resume", "train"]


def train(
    source: str | Path | Recipe | Words,
    *,
    overrides: Sequence[str] = (),
    small: bool = False,
    language: str | None = None,
    out: str | Path | None = None,
    name: str | None = None,
    extras: bool = True,
    progress: Progress | None = None,
) -> Run:
    """Train a recipe and leave a whole run: weights, scores, report and exported model.

    Under torchrun every process calls this; all train, the first one writes, and all return the same run.

    Args:
        source: a recipe, a recipe file, a folder of clips by word, a manifest (CSV or JSONL), or words alone.
        overrides: `key=value` texts laid over the recipe, such as `training.epochs=5`.
        small: of clips without a recipe: a small network from nothing instead of a pretrained start.
        language: of such clips: what the synthetic voices beside them speak; None: English.
        out: the run's folder; None: `runs/<name>-<time>`.
        name: what the run is called; None: as the recipe's file or the folder.
        extras: leave pictures, report and exported model too; without them a run has its weights and scores.
        progress: where to report.

    Raises:
        SaysoError: whatever of recipe, clips and folder does not fit, in one line; earlier runs stay whole.
    """
    progress = progress or Progress()
    with join_processes(), ExitStack() as held:
        wishes = Wishes(small=small, language=language)
        known_as, recipe = find_recipe(source, overrides, wishes=wishes, progress=progress)
        folder = new_run_folder(name or known_as, Path(out) if out else None)
        run = Run(make_once(lambda: held.enter_context(folder).path))
        return complete(run, prepare(recipe, progress), extras=extras)


def resume(path: str | Path, *, extras: bool = True, progress: Progress | None = None) -> Run:
    """Go on with a run that was stopped; it ends as it would have ended. `extras` is as for `train`.

    Raises:
        RunError: there is no such run, it is finished, another command is at it, or its clips have changed since.
    """
    with join_processes(), ExitStack() as held:
        run, recipe = make_once(lambda: _unfinished(Path(path), held))
        return complete(run, prepare(recipe, progress or Progress()), extras=extras)


def _unfinished(path: Path, held: ExitStack) -> tuple[Run, Recipe]:
    run = Run.open(path)
    held.enter_context(locked_folder(run.path))
    if run.finished:
        raise RunError(f"{path}: finished already; its scores are in metrics.json")
    if not run.manifest_file.is_file() and not run.weights.is_file():
        return run, run.settings  # stopped before it wrote what makes it
    if "adapted_from" in run.manifest():
        raise RunError(
            f"{path}: sayso adapt was stopped in the middle; it takes seconds; remove the folder and adapt again"
        )
    return run, run.settings


def complete(
    run: Run, prepared: Prepared, *, start: Run | None = None, known: "KeptFeatures | None" = None, extras: bool
) -> Run:
    """Train, score and report in a run's folder, from where it stands.

    Args:
        run: its folder, new or of a training that was stopped.
        prepared: its recipe and clips.
        start: a finished run that this one begins with; None: it begins with nothing.
        known: features that need not be computed again.
        extras: leave pictures, report and exported model too.

    Raises:
        SaysoError: as `train`.
    """
    # Imported here: Lightning takes seconds, and only training needs it.
    from sayso.training import check_readiness, compute_features, fit, note_cost

    for note in prepared.notes:
        prepared.progress.note(note)
    hardware = check_readiness(prepared)
    if extras:
        load_ahead()
    lost = f"nothing is lost: under torchrun, go on with sayso train --resume {in_shell(run.path)}"
    with tell_lost_processes(lost), _kept_when_stopped(run):
        before = None
        if prepared.recipe.training.teacher_file is not None:
            before = make_once(lambda: _begin(run, prepared, hardware, start, None))
            _train_teacher(run, prepared)
        teacher = find_teacher(prepared, run)
        # What begins with a finished run takes seconds, whatever that run took.
        for note in (*note_teacher(prepared), *(() if start else note_cost(prepared))):
            prepared.progress.note(note)
        begun = make_once(lambda: _begin(run, prepared, hardware, start, teacher))
        begun = begun.since(before) if before else begun
        in_turn, keeps = prepared.split.kind == EACH_SPEAKER, prepared.recipe.features.is_kept
        sources = compute_features(prepared, hardware, known, teacher) if in_turn or keeps else None
        prepared, sources = train_rounds(prepared, run, hardware, sources, teacher)
        answers = None
        if in_turn and sources is not None:
            train_without_each_speaker(prepared, run, sources, start, teacher)
            answers = answer_for_each_speaker(prepared, run)
        fitted = fit(prepared, run, sources, start.classifier() if start else None, teacher)
        if hardware.processes.leads:
            kept = sources.kept if keeps and sources else None
            finish_run(run, prepared, fitted, begun, answers=answers, kept=kept, start=start, extras=extras)
        wait()
    return run


@contextmanager
def _kept_when_stopped(run: Run) -> Generator[None]:
    """Say how to go on after Ctrl-C while nothing learns, such as while features are computed; `fit` does so itself."""
    try:
        yield
    except KeyboardInterrupt as error:
        if not run.recipe.is_file():
            raise
        kept = "stopped; what was done before is kept"
        raise InterruptedRunError(f"{kept}. Go on with: sayso train --resume {in_shell(run.path)}") from error


def _train_teacher(run: Run, prepared: Prepared) -> None:
    """Train the teacher that the recipe names by a file, or go on with it; it lies in the run's folder."""
    teacher, file = Run(run.teacher.path), prepared.recipe.training.teacher_file
    begun, finished = make_once(lambda: (teacher.recipe.is_file(), teacher.finished))
    if finished:
        return
    recipe = make_once(lambda: teacher.settings if begun else teaching_recipe(prepared.recipe))
    assert file is not None
    prepared.progress.note(f"a teacher is trained first, on the same clips, by {file.name}; it stays in {teacher.path}")
    make_once(lambda: teacher.path.mkdir(parents=True, exist_ok=True))
    quiet = replace(prepared.for_recipe(recipe), progress=SaidOnce(prepared.progress, prepared.notes))
    try:
        complete(teacher, quiet, extras=False)
    except InterruptedRunError as error:
        kept = "stopped while its teacher was trained, and what that has learned is kept"
        raise InterruptedRunError(f"{kept}. Go on with: sayso train --resume {in_shell(run.path)}") from error
    except RunError as error:
        raise RunError(f"training.teacher: {error}") from error


def _begin(run: Run, prepared: Prepared, hardware: "Hardware", start: Run | None, teacher: "Teacher | None") -> Begun:
    """Write recipe and manifest of an unfinished run; a resumed one must have the same clips and teacher as before."""
    write_text(run.recipe, recipe_yaml(prepared.recipe))
    manifest = _manifest(run.path.name, prepared, hardware)
    if start is not None:
        manifest["adapted_from"] = {"run": start.path.name, "weights": file_digest(start.weights)}
        if taught := start.manifest().get("teacher"):
            manifest["teacher"] = taught
    if teacher is not None:
        manifest["teacher"] = _taught_by(run, prepared, teacher)
    if run.manifest_file.exists():
        before = run.manifest()
        check_same_clips(before, prepared, f"{run.path}: its clips have changed since it was stopped")
        in_the_run = prepared.recipe.training.teacher_file is not None
        if in_the_run and teacher is None and "teacher" in before:
            manifest["teacher"] = before["teacher"]
        if before.get("teacher") != manifest.get("teacher") and not (in_the_run and "teacher" not in before):
            raise RunError(f"{run.path}: its teacher has changed since it was stopped; bring it back, or train anew")
        if note := carry_over(before, manifest):
            prepared.progress.note(note)
    write_manifest(run.manifest_file, manifest)
    return Begun(manifest)


def _taught_by(run: Run, prepared: Prepared, teacher: "Teacher") -> dict[str, str]:
    training = prepared.recipe.training
    facts = {"run": Path(training.teacher).name, "weights": teacher.weights_digest}
    if training.teacher_file is None:
        return facts
    own = Run(run.teacher.path)
    return facts | {"run": own.path.name, "recipe": digest(without_later_keys(dump(own.settings)))}


def _manifest(name: str, prepared: Prepared, hardware: "Hardware") -> StartedManifest:
    packages = ("sayso", "torch", "lightning", "numpy", "onnxruntime")
    manifest: StartedManifest = {
        "finished": False,
        "name": name,
        "created": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "data_hash": prepared.corpus.content_hash,
        "other_sounds": prepared.other_sounds,
        "split_hash": prepared.split.split_hash,
        "split": prepared.split.kind,
        "speakers_shared": prepared.split.speakers_shared,
        "clips": {part: len(prepared.rows(part)) for part in ("train", "validation", "test")},
        "seed": prepared.recipe.training.seed,
        "threads": hardware.threads,
        "processes": hardware.processes.count,
        "precision": "bf16" if hardware.bf16 else "float32",
        "device": str(hardware.device),
        "machine": _machine(hardware),
        "versions": {"python": platform.python_version()} | {package: version(package) for package in packages},
        "leakage": prepared.leakage.facts,
        "notes": [*prepared.notes, *note_teacher(prepared)],
    }
    if relabelled := prepared.relabelled:
        manifest["relabelled"] = relabelled
    if credit := prepared.recipe.features.credit:
        manifest["credit"] = credit
    if outside := find_outside_parts(prepared.recipe):
        manifest["outside_parts"] = outside
    return manifest


def _machine(hardware: "Hardware") -> dict[str, Any]:
    machine = {"system": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count()}
    machine["waiting"] = waiting()  # costs or saves time, changes no number
    gpu = hardware.device.type == "cuda"
    return machine | ({"gpu": torch.cuda.get_device_name(hardware.device)} if gpu else {})
