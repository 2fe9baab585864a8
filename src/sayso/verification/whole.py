"""`verify`: a run in; its clips, its split, its scores and its models in question, one check each."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sayso.audio import to_float
from sayso.corpus import Corpus, changed_rows
from sayso.errors import RunError, SaysoError, counted
from sayso.evaluation import calibrate, predict_probabilities
from sayso.experiment import Run, leakage_of, open_data
from sayso.progress import Progress
from sayso.runs import open_run
from sayso.runtime.recognizer import softmax
from sayso.scoring import score_model
from sayso.splits import Rows, Split
from sayso.unheard import open_unheard
from sayso.verification.predictions import Predictions, other_clips, read_predictions
from sayso.verification.scores import (
    SCORE_TOLERANCE,
    TOLERANCE,
    WEIGHTS_TOLERANCE,
    differences,
    scores_of,
    wrong_answer,
)

__all__ = ["Check", "verify"]

_BATCH = 256
_SHOWN = 3
_OF_TRAINING = ("best_epoch", "epochs", "training_seconds")
"""What `metrics.json` tells of the training's course; nothing but training anew could check it."""
_NEEDS_DATA = "needs the clips and the split of the training"
_NEEDS_PREDICTIONS = "needs predictions.csv"
Verdict = tuple[bool | None, str]
Answer = Callable[[Run, Corpus, Rows], tuple[tuple[str, ...], NDArray[np.float64]]]


@dataclass(frozen=True)
class Check:
    """One thing that was computed anew."""

    name: str
    """Such as `split`."""
    holds: bool | None
    """None: it cannot be told here."""
    detail: str
    """What was compared, or why it could not be."""


class _Evidence(NamedTuple):
    """What the checks compare."""

    run: Run
    manifest: Mapping[str, Any]
    metrics: Mapping[str, Any]
    predictions: Predictions | SaysoError
    data: tuple[Corpus, Split] | SaysoError
    progress: Progress


def verify(path: str | Path, *, progress: Progress | None = None) -> tuple[Check, ...]:
    """Compute a finished run's hashes and scores anew.

    Nothing is taken from the cache on trust: recordings are decoded anew.

    Args:
        path: the run's folder.
        progress: where to report.

    Returns:
        One check each of: the clips; the split, in manifest and metrics; what the test part shares with the others; the
        clips in `predictions.csv`; the scores in `metrics.json` from these predictions; the probabilities by the
        weights; the whole of `metrics.json` by the weights, but for the training's epochs and seconds; and the
        probabilities by the exported model. What cannot be told, because the recordings are not here, say, holds
        neither way.

    Raises:
        RunError: there is no run, it has not finished, or its manifest or metrics are damaged.
    """
    progress = progress or Progress()
    run = Run(open_run(Path(path)).path)
    if not run.finished:
        raise RunError(f"{run.path}: has not finished, so there is nothing to verify; sayso train --resume {run.path}")
    manifest, metrics = run.manifest(), run.metrics()
    predictions = _attempt(lambda: read_predictions(run.predictions))
    data = _attempt(lambda: open_data(run.settings, progress))
    return tuple(_checks(_Evidence(run, manifest, metrics, predictions, data, progress)))


def _checks(seen: _Evidence) -> Iterator[Check]:
    same = False
    if isinstance(seen.data, SaysoError):
        yield Check("clips", None, f"cannot be opened here: {seen.data}")
        yield Check("split", None, "needs the clips")
    else:
        clips = Check("clips", *_clips(seen, seen.data[0]))
        split = Check("split", *_split(seen, seen.data))
        yield from (clips, split)
        same = bool(clips.holds) and seen.data[1].split_hash == seen.manifest.get("split_hash")
    # Name, whether it needs the clips, whether it needs the predictions, and the check.
    checks: tuple[tuple[str, bool, bool, Callable[[_Evidence], Verdict]], ...] = (
        ("leakage", True, False, _leakage),
        ("predictions", True, True, _predictions),
        ("scores", False, True, _scores),
        ("weights", True, True, lambda seen: _answers(seen, _by_weights)),
        ("metrics", True, False, _metrics),
        ("export", True, True, _export),
    )
    for name, of_clips, of_predictions, check in checks:
        if of_predictions and isinstance(seen.predictions, SaysoError):
            own = name == "predictions"
            yield Check(name, False if own else None, str(seen.predictions) if own else _NEEDS_PREDICTIONS)
        elif of_clips and not same:
            yield Check(name, None, _NEEDS_DATA)
        else:
            try:
                yield Check(name, *check(seen))
            except SaysoError as error:
                yield Check(name, False, str(error))


def _attempt(make: Callable[[], Any]) -> Any:
    try:
        return make()
    except SaysoError as error:
        return error


def _data(seen: _Evidence) -> tuple[Corpus, Split]:
    assert not isinstance(seen.data, SaysoError)
    return seen.data


def _answered(seen: _Evidence) -> Predictions:
    assert not isinstance(seen.predictions, SaysoError)
    return seen.predictions


def _clips(seen: _Evidence, corpus: Corpus) -> Verdict:
    there = counted(len(corpus), "clip")
    if corpus.content_hash != seen.manifest.get("data_hash"):
        return False, f"{there} are here; they are not those of the training"
    if changed := changed_rows(corpus, seen.progress):
        first = corpus.clips[changed[0]].path
        return False, f"{counted(len(changed), 'recording')} of {there} changed since they were packed, such as {first}"
    return True, f"{there}, decoded anew: the same samples, labels and speakers as in training"


def _split(seen: _Evidence, data: tuple[Corpus, Split]) -> Verdict:
    _, split = data
    if split.split_hash != seen.manifest.get("split_hash"):
        return False, "other clips in its parts"
    said = {"split": split.kind, "speakers_shared": split.speakers_shared}
    counts = {part: len(split.rows(part)) for part in ("train", "validation", "test")}
    for name, facts, anew in (
        ("manifest.json", seen.manifest, said | {"clips": counts}),
        ("metrics.json", seen.metrics, said),
    ):
        if found := list(differences(anew, {key: facts.get(key) for key in anew}, tolerance=0)):
            return False, f"{name} does not say what the split is: {_listed(found)}"
    return True, "the same clips in each part"


def _leakage(seen: _Evidence) -> Verdict:
    recipe, (corpus, split) = seen.run.settings, _data(seen)
    facts = leakage_of(recipe, corpus, split, open_unheard(recipe, corpus, split, seen.progress), seen.progress).facts
    if found := list(differences(facts, seen.manifest.get("leakage"), tolerance=SCORE_TOLERANCE)):
        return False, f"manifest.json does not say what the parts share: {_listed(found)}"
    return True, "speakers and copies across the parts are as manifest.json says"


def _predictions(seen: _Evidence) -> Verdict:
    corpus, split = _data(seen)
    other = other_clips(_answered(seen), corpus, split.test)
    return not other, other or f"the {counted(len(split.test), 'clip')} of the test part, with label and speaker"


def _scores(seen: _Evidence) -> Verdict:
    """Every score that predictions tell, against what is written down."""
    read = _answered(seen)
    if wrong := wrong_answer(read):
        return False, wrong
    anew = scores_of(read, seen.metrics)
    written = {key: seen.metrics.get(key) for key in anew}
    if found := list(differences(anew, written, tolerance=SCORE_TOLERANCE)):
        return False, f"metrics.json is not what predictions.csv gives: {_listed(found)}"
    return True, f"accuracy {anew['test']['accuracy']:.4f} and all scores of the test part, from predictions.csv"


def _metrics(seen: _Evidence) -> Verdict:
    """The whole of `metrics.json` as a training with these weights would write it, the temperature fitted anew."""
    corpus, split = _data(seen)
    classifier = seen.run.classifier()
    calibrate(classifier, corpus, split.validation)
    unheard = open_unheard(seen.run.settings, corpus, split, seen.progress)
    anew = score_model(classifier, corpus, split, unheard, predict_probabilities(classifier, corpus, split.test))
    written = {key: value for key, value in seen.metrics.items() if key not in _OF_TRAINING}
    if found := list(differences(anew, written, tolerance=WEIGHTS_TOLERANCE)):
        return False, f"metrics.json is not what the weights give: {_listed(found)}"
    return True, "all parts, calibration and rejection, by the weights; epochs and seconds cannot be computed anew"


def _export(seen: _Evidence) -> Verdict:
    if not seen.run.onnx.exists() and seen.manifest.get("export") is None:
        return True, "none: it was trained without an exported model"
    return _answers(seen, _by_export)


def _answers(seen: _Evidence, answer: Answer) -> Verdict:
    """The probabilities of the test part by a model, against those in `predictions.csv`."""
    (corpus, split), read = _data(seen), _answered(seen)
    labels, probabilities = answer(seen.run, corpus, split.test)
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


def _by_weights(run: Run, corpus: Corpus, test: Rows) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    classifier = run.classifier()
    return classifier.labels, predict_probabilities(classifier, corpus, test)


def _by_export(run: Run, corpus: Corpus, test: Rows) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    recognizer = run.recognizer()
    parts = [test[start : start + _BATCH] for start in range(0, len(test), _BATCH)]
    logits = np.concatenate([recognizer.logits(to_float(np.array(corpus.samples[part]))) for part in parts])
    return recognizer.labels, softmax(logits)


def _listed(found: list[str]) -> str:
    return "; ".join(found[:_SHOWN]) + ("; ..." if len(found) > _SHOWN else "")
