"""`adapt`: a finished run and more clips in, another run out that knows them too."""

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sayso.classifier.kept_features import KeptFeatures
from sayso.data.datasets.folder import FolderConfig, none_of_these
from sayso.errors import InterruptedRunError, RunError
from sayso.experiment.run import Run, check_same_clips
from sayso.experiment.train import complete
from sayso.recipe.addition import add_clips, describe_addition
from sayso.recipe.prepared import prepare, prepare_with_more
from sayso.runs.facts import missing
from sayso.runs.folder import new_run_folder
from sayso.runs.predictions import Predictions, read_predictions
from sayso.system.files import expand_home
from sayso.system.progress import Progress
from sayso.system.wording import counted, percent

__all__ = ["Adapted", "adapt"]


@dataclass(frozen=True)
class Adapted:
    """What came of a run with more clips."""

    run: Run
    """The new run; the old one stays as it was."""
    new_words: tuple[str, ...]
    """What it knows that the old one did not; no clip tests it."""
    cost: str
    """What that cost the words that were known before, in one line."""


def adapt(
    path: str | Path,
    clips: str | Path,
    *,
    language: str | None = None,
    marks: str | Path | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Adapted:
    """Add new words, or more recordings of known ones, to a finished run, in seconds.

    It begins with the run's weights and trains on the features that the run has kept, of old words and of sounds that
    are none, and on the new clips, with synthetic voices of new words beside them. The test and validation parts stay
    what they were, so that old and new scores are of the same clips.

    Args:
        path: the run's folder; it must have learned on a pretrained representation that did not learn on.
        clips: a folder of clips by word, or a manifest; clips in `_none_of_these_` beside the words train as none of
            them.
        language: what synthetic voices of new words speak; None: as in the run, else English.
        marks: a table of marks, such as the page of an audit gives: new clips to leave out, or of another word.
        out: the new run's folder; None: `runs/<name>-adapted-<time>`.
        progress: where to report.

    Raises:
        RunError: the run is not there, not finished or not of that kind, or its clips have changed since.
        DataError: the new clips, or the marks, cannot be used.
        InterruptedRunError: Ctrl-C; nothing is left of the new run.
        SettingsError: there is no such language.
    """
    progress = progress or Progress()
    old = Run.open(path)
    old.check_finished()
    if not old.weights.is_file():
        raise missing(old.weights)
    known = _kept_features(old)
    table = str(marks) if marks else None
    dataset = FolderConfig(path=str(clips), exclude=table, relabel=table).anchor()
    none = none_of_these(expand_home(str(clips)))
    with new_run_folder(f"{old.path.name}-adapted", Path(out) if out else None) as folder:
        run = Run(folder.path)
        before = prepare(old.settings, progress)
        check_same_clips(
            old.manifest(),
            before,
            f"{old.path}: its clips have changed since it was trained",
            mend="put new ones into a folder of their own and name that, bring the old ones back, or train anew",
        )
        words, trained = before.corpus.labels, len(before.split.train)
        addition = add_clips(
            old.settings,
            words,
            dataset,
            trained=trained,
            language=language,
            none_of_these=none.anchor() if none else None,
            progress=progress,
        )
        prepared = prepare_with_more(before, addition.recipe, progress)
        progress.note(describe_addition(addition))
        try:
            complete(run, prepared, start=old, known=known, extras=True)
        except InterruptedRunError as error:
            _remove_all(run.path)
            raise InterruptedRunError("stopped; nothing is left of it, and the old run is as it was") from error
    return Adapted(
        run, addition.new_words, _cost(read_predictions(old.predictions_file), read_predictions(run.predictions_file))
    )


def _remove_all(folder: Path) -> None:
    with suppress(OSError):  # what was stopped is what a person must read
        for entry in folder.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def _kept_features(run: Run) -> KeptFeatures:
    features = run.settings.features
    if features.is_kept and not run.kept_features.exists():
        raise RunError(
            f"{run.path}: keeps no features of its clips: they would take more than 128 MiB, an earlier Sayso "
            f"trained it, or {run.kept_features.name} was removed; bring that back, or train anew with all clips"
        )
    if not features.is_kept:
        learned = "its features went on learning" if features.learns else f"learned on {features.kind}"
        raise RunError(
            f"{run.path}: {learned}, and only runs on a frozen, pretrained representation (speech_embedding with "
            "features.trainable: none) are adapted; train anew with all clips"
        )
    return KeptFeatures.load(run.kept_features)


def _cost(before: Predictions, after: Predictions) -> str:
    """Compare the answers to the same test clips."""
    was, now = before.right, after.right
    lost, won = int(np.sum(was & ~now)), int(np.sum(~was & now))
    shares = f"{percent(float(was.mean()))} before, {percent(float(now.mean()))} now"
    return f"{shares}: of {counted(len(was), 'test clip')} {lost} newly wrong, {won} newly right"
