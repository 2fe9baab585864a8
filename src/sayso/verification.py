"""`verify`: does a finished run still hold? Its clips, its split, its scores, from predictions and from both models."""

import csv
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.audio import to_float
from sayso.clips import Clip
from sayso.corpus import Corpus
from sayso.errors import RunError, SaysoError, counted
from sayso.evaluation import predict_probabilities
from sayso.experiment import Run, open_data
from sayso.metrics import score
from sayso.progress import Progress
from sayso.runs import open_run
from sayso.runtime.recognizer import softmax
from sayso.splits import Rows, Split

__all__ = ["SCORE_TOLERANCE", "TOLERANCE", "Check", "verify"]

TOLERANCE = 1e-4
"""How far a probability computed anew may lie from the one written down; other processors round otherwise."""
SCORE_TOLERANCE = 1e-6
"""How far a score computed from `predictions.csv`, which has nine digits, may lie from `metrics.json`."""
_BATCH = 256


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
class _Predictions:
    """What `predictions.csv` holds."""

    clips: tuple[tuple[str, str, str, str], ...]
    """Path, start in seconds as text, speaker and label of each clip."""
    predicted: tuple[str, ...]
    labels: tuple[str, ...]
    probabilities: NDArray[np.float64]
    """(clips, labels)"""


def verify(path: str | Path, *, progress: Progress | None = None) -> tuple[Check, ...]:
    """Compute a finished run's hashes and scores anew.

    Args:
        path: the run's folder.
        progress: where to report.

    Returns:
        One check each of: the clips, the split, the clips in `predictions.csv`, the scores in `metrics.json` from
        these predictions, and the probabilities by the weights and by the exported model. What cannot be told, because
        the recordings are not here, say, holds neither way.

    Raises:
        RunError: there is no run, it has not finished, or its manifest or metrics are damaged.
    """
    run = Run(open_run(Path(path)).path)
    if not run.finished:
        raise RunError(f"{run.path}: has not finished, so there is nothing to verify; sayso train --resume {run.path}")
    manifest, metrics = run.manifest(), run.metrics()
    read = _attempt(lambda: _read_predictions(run.predictions))
    opened = _attempt(lambda: open_data(run.settings, progress or Progress()))
    return tuple(_checks(run, manifest, metrics, read, opened))


def _checks(
    run: Run,
    manifest: Mapping[str, Any],
    metrics: Mapping[str, Any],
    read: "_Predictions | SaysoError",
    opened: tuple[Corpus, Split] | SaysoError,
) -> Iterator[Check]:
    data = None if isinstance(opened, SaysoError) else opened
    same_data = data is not None and data[0].content_hash == manifest.get("data_hash")
    same_split = data is not None and data[1].split_hash == manifest.get("split_hash")
    if data is None:
        yield Check("clips", None, f"cannot be opened here: {opened}")
        yield Check("split", None, "needs the clips")
    else:
        held = "the same samples, labels and speakers as in training" if same_data else "are not those of the training"
        yield Check("clips", same_data, f"{counted(len(data[0]), 'clip')}, {held}")
        yield Check("split", same_split, "the same clips in each part" if same_split else "other clips in its parts")
    if isinstance(read, SaysoError):
        yield Check("predictions", False, str(read))
        return
    if data is None or not (same_data and same_split):
        yield Check("predictions", None, "need the clips and the split of the training")
    else:
        yield _tested_clips(data[0], data[1].test, read)
    yield _scores(metrics, read)
    for name, answer in (("weights", _by_weights), ("export", _by_export)):
        if data is None or not (same_data and same_split):
            yield Check(name, None, "needs the clips and the split of the training")
        else:
            yield _answers(name, run, data[0], data[1].test, read, answer)


def _attempt(make: Callable[[], Any]) -> Any:
    try:
        return make()
    except SaysoError as error:
        return error


def _read_predictions(path: Path) -> _Predictions:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = list(csv.reader(file))
        labels = tuple(name.removeprefix("p(").removesuffix(")") for name in header[5:])
        shares = np.array([[float(cell) for cell in row[5:]] for row in rows]).reshape(len(rows), len(labels))
        clips = tuple((row[0], row[1], row[2], row[3]) for row in rows)
        return _Predictions(clips, tuple(row[4] for row in rows), labels, shares)
    except FileNotFoundError as error:
        raise RunError(f"{path}: is not there") from error
    except (OSError, ValueError, IndexError, csv.Error) as error:
        raise RunError(f"{path}: is damaged") from error


def _row(clip: Clip) -> tuple[str, str, str, str]:
    start = "" if clip.start_seconds is None else str(clip.start_seconds)
    return (_tail(clip.path), start, clip.speaker or "", clip.label)


def _tail(path: str) -> str:
    """Two parts of the path: what comes before them is the machine's."""
    return "/".join(path.replace("\\", "/").split("/")[-2:])


def _tested_clips(corpus: Corpus, test: Rows, read: _Predictions) -> Check:
    wanted = [_row(corpus.clips[row]) for row in test]
    there = [(_tail(path), *rest) for path, *rest in read.clips]
    if len(wanted) != len(there):
        said = f"{counted(len(there), 'clip')} in predictions.csv, {len(wanted)} in the test part"
        return Check("predictions", False, said)
    for line, (one, other) in enumerate(zip(there, wanted, strict=True), start=2):
        if tuple(one) != other:
            said = f"predictions.csv, line {line}: {' '.join(one)}, but the test part has {' '.join(other)} there"
            return Check("predictions", False, said)
    return Check("predictions", True, f"the {counted(len(wanted), 'clip')} of the test part, with label and speaker")


def _scores(metrics: Mapping[str, Any], read: _Predictions) -> Check:
    """Every score of the test part that predictions tell, against what is written down."""
    index = {label: place for place, label in enumerate(read.labels)}
    if stray := next((label for *_, label in read.clips if label not in index), None):
        return Check("scores", False, f"predictions.csv has the label '{stray}', and no probability of it")
    best = [read.labels[place] for place in read.probabilities.argmax(axis=1)] if read.clips else []
    if wrong := next(
        (line for line, pair in enumerate(zip(best, read.predicted, strict=True), 2) if len({*pair}) > 1), 0
    ):
        return Check("scores", False, f"predictions.csv, line {wrong}: the word predicted is not the most probable one")
    targets = np.array([index[label] for *_, label in read.clips], dtype=np.int64)
    speakers = [speaker or None for _, _, speaker, _ in read.clips]
    anew = score(targets, read.probabilities, labels=read.labels, speakers=speakers)
    written = metrics["test"]
    differing = [where for key in anew.keys() & written.keys() for where in _differences(anew[key], written[key], key)]
    if differing:
        shown = "; ".join(sorted(differing)[:3])
        return Check("scores", False, f"metrics.json is not what predictions.csv gives: {shown}")
    return Check("scores", True, f"accuracy {anew['accuracy']:.4f} and the rest of metrics.json, from predictions.csv")


def _differences(anew: Any, written: Any, key: str) -> Iterator[str]:
    if isinstance(anew, Mapping) and isinstance(written, Mapping):
        for name in sorted(anew.keys() | written.keys()):
            yield from _differences(anew.get(name), written.get(name), f"{key}.{name}")
    elif isinstance(anew, list | tuple) and isinstance(written, list) and len(anew) == len(written):
        for place, (one, other) in enumerate(zip(anew, written, strict=True)):
            yield from _differences(one, other, f"{key}[{place}]")
    elif isinstance(anew, int | float) and isinstance(written, int | float):
        if not math.isclose(anew, written, rel_tol=SCORE_TOLERANCE, abs_tol=SCORE_TOLERANCE):
            yield f"{key} is {written:.6g}, computed anew {anew:.6g}"
    elif anew != written:
        yield f"{key} is {written!r}, computed anew {anew!r}"


def _answers(
    name: str,
    run: Run,
    corpus: Corpus,
    test: Rows,
    read: _Predictions,
    answer: Callable[[Run, Corpus, Rows], tuple[tuple[str, ...], NDArray[np.float64]]],
) -> Check:
    """The probabilities of the test part by a model, against those in `predictions.csv`."""
    try:
        labels, probabilities = answer(run, corpus, test)
    except SaysoError as error:
        return Check(name, False, str(error))
    if labels != read.labels or probabilities.shape != read.probabilities.shape:
        return Check(name, False, "knows other words, or answers for other clips, than predictions.csv")
    apart = np.abs(probabilities - read.probabilities).max(axis=1, initial=0)
    if (far := int((apart > TOLERANCE).sum())) or not np.isfinite(apart).all():
        worst = read.clips[int(apart.argmax())][0]
        said = (
            f"{counted(far, 'clip')} answered otherwise than in predictions.csv, by up to {apart.max():.2g} ({worst})"
        )
        return Check(name, False, said)
    return Check(
        name, True, f"probabilities within {apart.max(initial=0):.1e} of predictions.csv (limit {TOLERANCE:g})"
    )


def _by_weights(run: Run, corpus: Corpus, test: Rows) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    classifier = run.classifier()
    return classifier.labels, predict_probabilities(classifier, corpus, test)


def _by_export(run: Run, corpus: Corpus, test: Rows) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    recognizer = run.recognizer()
    parts = [test[start : start + _BATCH] for start in range(0, len(test), _BATCH)]
    logits = np.concatenate([recognizer.logits(to_float(np.array(corpus.samples[part]))) for part in parts])
    return recognizer.labels, softmax(logits)
