"""A recipe in, a run folder out: the one place that calls training, evaluation, export and report in turn."""

import os
import platform
import time
from collections.abc import Sequence
from contextlib import nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from sayso.data.corpus import Corpus
from sayso.data.leakage import Leakage
from sayso.data.splits.draw import Split
from sayso.errors import RunError
from sayso.experiment.finish import Stopwatch, write_outcome
from sayso.experiment.run import Run, check_same_clips
from sayso.recipe.prepared import leakage_of, open_data, open_unheard
from sayso.recipe.recipe import Recipe, recipe_yaml
from sayso.recipe.source import recipe_for
from sayso.runs.folder import new_run_folder, open_run, taken_back_if_unstarted
from sayso.runs.manifest import carry_over
from sayso.system.distributed import join_processes, make_once, tell_lost_processes, this_process, wait
from sayso.system.files import write_json, write_text
from sayso.system.progress import Progress

if TYPE_CHECKING:
    from sayso.training import Hardware

__all__ = ["resume", "train"]


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
    with join_processes():
        known_as, recipe = recipe_for(source, overrides, progress=progress)
        run = Run(make_once(lambda: new_run_folder(name or known_as, Path(out) if out else None).path))
        corpus, split = open_data(recipe, progress)
        with taken_back_if_unstarted(run) if this_process().leads else nullcontext():
            return _complete(run, recipe, corpus, split, progress, extras=extras)


def resume(path: str | Path, *, extras: bool = True, progress: Progress | None = None) -> Run:
    """Go on with a run that was stopped; it ends as it would have ended. `extras` is as for `train`.

    Raises:
        RunError: there is no such run, it is finished, or its clips have changed since.
    """
    progress = progress or Progress()
    with join_processes():
        run, recipe = make_once(lambda: _unfinished(Path(path)))
        corpus, split = open_data(recipe, progress)
        return _complete(run, recipe, corpus, split, progress, extras=extras)


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
    with tell_lost_processes(f"nothing is lost: under torchrun, go on with sayso train --resume {run.path}"):
        begun = make_once(lambda: _begin(run, recipe, corpus, split, leakage, hardware, progress))
        fitted = fit(recipe, corpus, split, run, progress=progress)
        if hardware.processes.leads:
            write_outcome(run, recipe, corpus, split, unheard, fitted, begun, watch, progress, extras=extras)
        wait()
    return run


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
        check_same_clips(before, corpus, split, f"{run.path}: its clips have changed since it was stopped")
        if note := carry_over(before, manifest):
            progress.note(note)
    write_json(run.path / "manifest.json", manifest)
    return manifest


def _machine(hardware: "Hardware") -> dict[str, Any]:
    machine = {"system": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count()}
    gpu = hardware.device.type == "cuda"
    return machine | ({"gpu": torch.cuda.get_device_name(hardware.device)} if gpu else {})
