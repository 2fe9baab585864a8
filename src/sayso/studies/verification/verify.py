"""`verify`: a run in; its clips, its split, its scores and its models in question, one check each."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.audio import to_float
from sayso.classifier.checkpoint import kept_recipe
from sayso.classifier.inference import predict_probabilities
from sayso.classifier.module import Classifier
from sayso.classifier.streaming_export import check_streaming
from sayso.config.outside import find_changed_parts, find_outside_parts
from sayso.data.corpus import Corpus, find_changed_rows
from sayso.data.splits import Split
from sayso.data.splits.settings import EACH_SPEAKER
from sayso.errors import RunError, SaysoError
from sayso.evaluation.calibration import find_temperature
from sayso.evaluation.model_scores import score_model
from sayso.evaluation.out_of_fold import OutOfFold
from sayso.evaluation.rejection import find_threshold
from sayso.experiment.each_speaker import answer_for_each_speaker
from sayso.experiment.run import Run
from sayso.recipe.prepared import BACKGROUND_NOISE, Prepared, prepare
from sayso.recipe.recipe import Recipe, kept_values_from_text, read_kept_values
from sayso.runs.manifest import Manifest, read_manifest
from sayso.runs.metrics import Metrics, read_metrics
from sayso.runs.predictions import Predictions, read_predictions
from sayso.runs.sharing import without_names
from sayso.runtime.stream_file import StreamFile
from sayso.studies.verification.differences import (
    SCORE_TOLERANCE,
    TOLERANCE,
    WEIGHTS_TOLERANCE,
    differences,
    scores_of,
    wrong_answer,
)
from sayso.studies.verification.facts import model_faults, section_of, training_faults
from sayso.studies.verification.predicted_clips import find_other_clips
from sayso.system.files import file_digest
from sayso.system.progress import Progress
from sayso.system.wording import counted, listed

__all__ = ["Check", "verify"]

_BATCH = 256
_STREAM_CLIPS = 32
_SHOWN = 3
_FORMER_KEYS = ("best_epoch", "epochs", "training_seconds", "split", "speakers_shared")
"""What `metrics.json` of an earlier Sayso says beside the scores; the manifest says it too."""
_ANSWERED = ("clips", "weights", "metrics", "export")
"""Checks that run the code of parts."""
_NEEDS_DATA = "needs the clips and the split of the training"
_NEEDS_PREDICTIONS = "needs predictions.csv"
Verdict = tuple[bool | None, str]


@dataclass(frozen=True)
class Check:
    """One thing that was computed anew."""

    name: str
    """Such as `split`."""
    holds: bool | None
    """None: it cannot be told here."""
    detail: str
    """What was compared, or why it could not be."""


@dataclass(frozen=True, eq=False)
class _Opened:
    """A run beside its clips; what several checks ask for is computed once."""

    run: Run
    manifest: Manifest
    metrics: Metrics
    prepared: Prepared

    @property
    def corpus(self) -> Corpus:
        return self.prepared.corpus

    @property
    def split(self) -> Split:
        return self.prepared.split

    @cached_property
    def classifier(self) -> Classifier:
        return self.run.classifier()

    @cached_property
    def answers(self) -> OutOfFold | None:
        """To the test part, by the models that left a speaker out; None where the split has none."""
        return answer_for_each_speaker(self.prepared, self.run) if self.split.kind == EACH_SPEAKER else None

    @cached_property
    def own_probabilities(self) -> NDArray[np.float64]:
        """Of the test part, by the weights of the run itself; (clips, words)."""
        return predict_probabilities(self.classifier, self.corpus, self.split.test)

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Of the test part, by whatever weights answer it; (clips, words)."""
        return self.answers.probabilities if self.answers else self.own_probabilities


def verify(path: str | Path, *, progress: Progress | None = None) -> tuple[Check, ...]:
    """Compute a finished run's hashes and scores anew.

    Nothing is taken from the cache on trust: recordings are decoded anew.

    Args:
        path: the run's folder.
        progress: where to report.

    Returns:
        One check each of: parts of other packages, if there were any; the recipe, beside the one that the weights keep;
        what the manifest says of the training, beside recipe and log; the clips; the split, in manifest and metrics;
        clips that were relabelled, if any were; what the test part shares with the others; the clips in
        `predictions.csv`; the scores in `metrics.json` from these predictions; the probabilities by the weights; the
        whole of `metrics.json` by the weights; the probabilities by the exported model, and all that it says of itself;
        and the answers on a stream by
        its streaming form. What cannot be told, because the recordings are not here, say, holds neither way.

    Raises:
        RunError: there is no run, it has not finished, or its manifest or metrics are damaged.
    """
    progress = progress or Progress()
    run = Run.open(path)
    run.check_finished(", so there is nothing to verify")
    manifest = read_manifest(run.manifest_file, strictly=False)
    metrics = read_metrics(run.metrics_file, strictly=False)
    try:
        read = read_predictions(run.predictions_file)
    except RunError as error:
        read = error
    try:
        opened = _Opened(run, manifest, metrics, prepare(run.settings, progress))
    except SaysoError as error:
        opened = error
    checks = [_told("recipe", _recipe, run), _told("manifest", _manifest, run, manifest, _settings(run))]
    checks += _checks(metrics, read, opened)
    return tuple(_with_changed_parts(checks, manifest, run))


def _with_changed_parts(checks: list[Check], manifest: Manifest, run: Run) -> Iterator[Check]:
    """Add to answers that changed which parts of other packages did; a check of these comes first, where any were."""
    before = manifest.get("outside_parts")
    if not before:
        yield from checks
        return
    try:
        changed = find_changed_parts(before, find_outside_parts(run.settings))
    except SaysoError:  # without the package, the recipe cannot be read
        changed = find_changed_parts(before, [])
    parts = counted(len(before), "part of another package", "parts of other packages")
    yield Check("add-ons", None if changed else True, "; ".join(changed) or f"{parts}: the same versions and code")
    for check in checks:
        because = changed and check.name in _ANSWERED and not check.holds
        yield replace(check, detail=f"{check.detail}; since then {_listed(changed)}") if because else check


def _checks(metrics: Metrics, read: Predictions | RunError, opened: _Opened | SaysoError) -> Iterator[Check]:
    if isinstance(opened, SaysoError):
        yield Check("clips", None, f"cannot be opened here: {opened}")
        yield Check("split", None, _NEEDS_DATA)
        data = _NEEDS_DATA
    else:
        clips, split = _told("clips", _clips, opened), _told("split", _split, opened)
        yield from (clips, split)
        same = clips.holds and opened.split.split_hash == opened.manifest.get("split_hash")
        data = opened if same else _NEEDS_DATA
    if isinstance(data, _Opened) and (data.prepared.relabelled or data.manifest.get("relabelled")):
        yield _told("relabelled", _relabelled, data)
    yield _told("leakage", _leakage, data)
    answers = _NEEDS_PREDICTIONS if isinstance(read, RunError) else read
    if isinstance(read, RunError):
        yield Check("predictions", False, str(read))
    else:
        yield _told("predictions", _predictions, data, read)
    yield _told("scores", _scores, metrics, answers)
    yield _told("weights", _weights, data, answers)
    yield _told("metrics", _metrics, data)
    yield _told("export", _export, data, answers)
    yield _told("stream", _stream, data)


def _told(name: str, check: Callable[..., Verdict], *needed: Any) -> Check:
    """The check of what it needs; of these a text says why one of them is not there."""
    if missing := next((each for each in needed if isinstance(each, str)), None):
        return Check(name, None, missing)
    try:
        return Check(name, *check(*needed))
    except SaysoError as error:
        return Check(name, False, str(error))


def _recipe(run: Run) -> Verdict:
    """The recipe that lies in the folder, beside the one in the header of the weights; clips may have been moved."""
    file, weights = run.recipe, run.weights
    written = read_kept_values(file)
    anew = kept_values_from_text(kept_recipe(weights), source=str(weights))
    if found := list(differences(without_names(anew), without_names(written), tolerance=0)):
        return False, f"{file.name} is not what {weights.name} was trained by: {_listed(found)}"
    return True, f"{file.name} and {weights.name} say the same, names and paths aside"


def _settings(run: Run) -> Recipe | str:
    try:
        return run.settings
    except SaysoError:
        return "needs the recipe, with all of its parts"


def _manifest(run: Run, manifest: Manifest, recipe: Recipe) -> Verdict:
    if found := list(training_faults(run, recipe, manifest)):
        return False, f"manifest.json does not say how it was trained: {_listed(found)}"
    return True, f"seed {manifest['seed']} and {counted(manifest['epochs'], 'epoch')}, as recipe and log say"


def _clips(opened: _Opened) -> Verdict:
    there = counted(len(opened.corpus), "clip")
    if "data_hash" not in opened.manifest:
        return False, "manifest.json does not say what clips it was trained on (data_hash)"
    if opened.corpus.content_hash != opened.manifest.get("data_hash"):
        return False, f"{there} are here; they are not those of the training"
    other = dict[str, Any](opened.manifest).get("other_sounds")  # whatever is there; an earlier Sayso does not say
    noise = opened.corpus.noise_hash if opened.corpus.noise else None
    if other is not None and (not isinstance(other, Mapping) or other.get(BACKGROUND_NOISE) != noise):
        return False, "the background noise here is not that of the training"
    if changed := find_changed_rows(opened.corpus, opened.prepared.progress):
        first = opened.corpus.clips[changed[0]].path
        return False, f"{counted(len(changed), 'recording')} of {there} changed since they were packed, such as {first}"
    return True, f"{there}, decoded anew: the same samples, labels and speakers as in training"


def _split(opened: _Opened) -> Verdict:
    split = opened.split
    if split.split_hash != opened.manifest.get("split_hash"):
        return False, "other clips in its parts"
    said = {"split": split.kind, "speakers_shared": split.speakers_shared}
    counts = {part: len(split.rows(part)) for part in ("train", "validation", "test")}
    former = {key: value for key, value in said.items() if key in opened.metrics}  # an earlier Sayso said it twice
    for name, facts, anew in (
        ("manifest.json", opened.manifest, said | {"clips": counts}),
        ("metrics.json", opened.metrics, former),
    ):
        if found := list(differences(anew, {key: facts.get(key) for key in anew}, tolerance=0)):
            return False, f"{name} does not say what the split is: {_listed(found)}"
    return True, "the same clips in each part"


def _relabelled(opened: _Opened) -> Verdict:
    anew = opened.prepared.relabelled
    if wrong := list(differences(anew, opened.manifest.get("relabelled") or {}, tolerance=0)):
        return False, f"manifest.json does not say which clips were relabelled: {_listed(wrong)}"
    clips = counted(sum(anew.values()), "clip has another word", "clips have another word")
    return True, f"{clips} than the source's, {anew['test']} of them in the test part, as manifest.json says"


def _leakage(opened: _Opened) -> Verdict:
    if wrong := list(
        differences(opened.prepared.leakage.facts, opened.manifest.get("leakage"), tolerance=SCORE_TOLERANCE)
    ):
        return False, f"manifest.json does not say what the parts share: {_listed(wrong)}"
    return True, "speakers and copies across the parts are as manifest.json says"


def _predictions(opened: _Opened, read: Predictions) -> Verdict:
    other = find_other_clips(read, opened.corpus, opened.split.test)
    return not other, other or f"the {counted(len(opened.split.test), 'clip')} of the test part, with label and speaker"


def _scores(metrics: Metrics, read: Predictions) -> Verdict:
    """Every score that predictions tell, against what is written down."""
    if wrong := wrong_answer(read):
        return False, wrong
    anew = scores_of(read, metrics)
    if found := list(differences(anew, {key: metrics.get(key) for key in anew}, tolerance=SCORE_TOLERANCE)):
        return False, f"metrics.json is not what predictions.csv gives: {_listed(found)}"
    return True, f"accuracy {anew['test']['accuracy']:.4f} and all scores of the test part, from predictions.csv"


def _weights(opened: _Opened, read: Predictions) -> Verdict:
    return _answers(opened.classifier.labels, opened.probabilities, read)


def _metrics(opened: _Opened) -> Verdict:
    """The whole of `metrics.json` as a training with these weights would write it; what is fitted is fitted anew."""
    classifier, prepared = opened.classifier, opened.prepared
    anew = score_model(classifier, prepared, opened.probabilities, opened.answers)
    temperature, threshold = _fitted_anew(opened)
    anew["calibration"]["temperature"] = temperature
    if threshold is not None and "rejection" in anew:
        anew["rejection"]["threshold"] = threshold
    written = {key: value for key, value in opened.metrics.items() if key not in _FORMER_KEYS}
    if found := list(differences(anew, written, tolerance=WEIGHTS_TOLERANCE)):
        return False, f"metrics.json is not what the weights give: {_listed(found)}"
    return True, "all parts, calibration and rejection, by the weights"


def _fitted_anew(opened: _Opened) -> tuple[float, float | None]:
    """The temperature, and the threshold where the model has one."""
    if opened.answers:
        return opened.answers.temperature, opened.answers.threshold
    classifier, corpus, validation = opened.classifier, opened.corpus, opened.split.validation
    temperature = find_temperature(classifier, corpus, validation)
    return temperature, None if classifier.threshold is None else find_threshold(classifier, corpus, validation)


def _export(opened: _Opened, read: Predictions) -> Verdict:
    run, test = opened.run, opened.split.test
    if not run.onnx.exists() and opened.manifest.get("export") is None:
        return True, "none: it was trained without an exported model"
    recognizer = run.recognizer()
    parts = [test[start : start + _BATCH] for start in range(0, len(test), _BATCH)]
    answers = [recognizer.probabilities(to_float(np.array(opened.corpus.samples[part]))) for part in parts]
    if opened.answers:
        # The file is of the model that has heard everyone, and predictions.csv is not.
        read = replace(read, probabilities=opened.own_probabilities)
    if found := list(model_faults(recognizer, opened.classifier, run, opened.manifest)):
        return False, f"{run.onnx.name} says otherwise of itself than weights and recipe: {_listed(found)}"
    return _answers(recognizer.labels, np.concatenate(answers), read)


def _stream(opened: _Opened) -> Verdict:
    """The streaming form on test clips that are laid one after another; and whether the model is the tuned one."""
    run, manifest = opened.run, opened.manifest
    if not run.onnx.exists() and manifest.get("export") is None:
        return True, "none: it was trained without an exported model"
    if not run.onnx.is_file():
        return False, f"{run.onnx.name} is missing"
    sha256 = file_digest(run.onnx)
    if section_of(manifest, "tuned").get("model_sha256", sha256) != sha256:
        return False, f"{run.onnx.name} is not the one that sayso tune left, by the SHA-256 in manifest.json"
    if not run.stream_onnx.is_file():
        if section_of(manifest, "export").get("stream"):
            return False, f"{run.stream_onnx.name} is missing"
        return True, "none: streams are answered by whole windows"
    if StreamFile(run.stream_onnx, threads=0).model_sha256 != sha256:
        return False, f"{run.stream_onnx.name} belongs to another {run.onnx.name}"
    clips = np.array(opened.corpus.samples[opened.split.test[:_STREAM_CLIPS]])
    apart = check_streaming(run.stream_onnx, run.onnx, clips)
    return True, f"{run.stream_onnx.name} belongs to {run.onnx.name}; logits on a stream within {apart:.1e} of it"


def _answers(labels: tuple[str, ...], probabilities: NDArray[np.float64], read: Predictions) -> Verdict:
    """The probabilities of the test part by a model, against those in `predictions.csv`."""
    if labels != read.labels or probabilities.shape != read.probabilities.shape:
        return False, "knows other words, or answers for other clips, than predictions.csv"
    apart = np.abs(probabilities - read.probabilities).max(axis=1)
    most = float(apart.max())
    if far := int(np.count_nonzero(~(apart <= TOLERANCE))):
        worst = read.clips[int(apart.argmax())][0]
        return (
            False,
            f"{counted(far, 'clip')} answered otherwise than in predictions.csv, by up to {most:.2g} ({worst})",
        )
    return True, f"probabilities within {most:.1e} of predictions.csv (limit {TOLERANCE:g})"


def _listed(found: list[str]) -> str:
    return listed(found, _SHOWN, between="; ")
