"""Scores as pure functions of labels and probabilities; accuracies with their intervals."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.metrics.calibration import expected_calibration_error, reliability
from sayso.metrics.intervals import Z95, between_groups, speaker_groups, speaker_interval, wilson_interval
from sayso.metrics.rejection import risk_coverage
from sayso.system.wording import counted, listed

__all__ = [
    "confusion_matrix",
    "cross_entropy",
    "name_never_recognised",
    "paired_difference",
    "per_class",
    "per_speaker",
    "score",
]

_MOST_NAMES = 10


def paired_difference(
    first: Sequence[float], second: Sequence[float], speakers: Sequence[str | None]
) -> tuple[float, tuple[float, float]]:
    """Accuracy of one model less that of another on the same clips, with its 95 % interval.

    A t-interval over speakers, since clips of one speaker are not independent: variance and degrees of freedom as for
    `speaker_intervals`, of differences. It is at least as wide as that of independent clips with half a
    clip added to each cell of the two-by-two table (Agresti & Min (2005), "Simple improved confidence intervals for
    comparing matched proportions"), so that models which never differ leave doubt too. It covers what other clips and
    speakers would change, not what other seeds would.

    Args:
        first: for each clip 1 where the first model is right and 0 where it is wrong, or the mean of that over seeds.
        second: the same of the second model.
        speakers: who speaks each clip; one that is not known counts as a speaker of its own.

    Returns:
        The difference in [-1, 1], and its lower and upper limit.

    Raises:
        ValueError: lengths differ, or fewer than two speakers.
    """
    places = speaker_groups(speakers)
    if not len(first) == len(second) == len(speakers) or len(set(places.tolist())) < 2:
        raise ValueError("a paired difference needs the same clips twice, of at least two speakers")
    gains = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    clips, total = len(gains), float(gains.sum())
    clips_of = np.bincount(places).astype(np.float64)
    sums = np.bincount(places, weights=gains) - clips_of * total / clips
    alone = (float(np.square(gains).sum()) + 1 - total**2 / (clips + 2)) / (clips + 2) ** 2
    squares, quantiles = between_groups(sums[None], clips_of[None], np.array([[max(alone * clips, 1e-12)]]))
    spread = max(float(quantiles[0]) * math.sqrt(float(squares[0])) / clips, Z95 * math.sqrt(alone))
    return total / clips, (max(-1.0, total / clips - spread), min(1.0, total / clips + spread))


def confusion_matrix(targets: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Counts of shape (classes, classes): rows are true, columns predicted.

    >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)
    array([[1, 1],
           [0, 1]])
    """
    return np.bincount(targets * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def cross_entropy(targets: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    """Mean of -log(probability of the true class), in nats; probabilities (clips, classes)."""
    chosen = probabilities[np.arange(len(targets)), targets]
    return float(-np.log(np.maximum(chosen, 1e-12)).mean())


def per_class(confusion: NDArray[np.int64], labels: Sequence[str]) -> dict[str, dict[str, float | int | None]]:
    """Clips, precision, recall and F1 of each word; None where a share of nothing would be asked for."""
    table: dict[str, dict[str, float | int | None]] = {}
    for index, label in enumerate(labels):
        hits = int(confusion[index, index])
        true, called = int(confusion[index].sum()), int(confusion[:, index].sum())
        table[label] = {
            "n": true,
            "precision": _share(hits, called),
            "recall": _share(hits, true),
            "f1": _share(2 * hits, true + called),
        }
    return table


def name_never_recognised(per_class: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Name the words of which no clip was recognised, as they stand beside an accuracy; None: there is none.

    >>> words = {"on": {"n": 20, "recall": 1.0}, "off": {"n": 2, "recall": 0.0}, "up": {"n": 1, "recall": 0.0}}
    >>> name_never_recognised(words)
    "2 words are never recognised: 'off' (0 of 2 clips), 'up' (0 of 1 clip)"
    >>> del words["up"]
    >>> name_never_recognised(words)
    "'off' is never recognised (0 of 2 clips)"
    """
    never = {word: f"(0 of {counted(row['n'], 'clip')})" for word, row in per_class.items() if row["recall"] == 0}
    if len(never) > 1:
        names = [f"'{word}' {clips}" for word, clips in never.items()]
        return f"{len(never)} words are never recognised: {listed(names, _MOST_NAMES)}"
    return next((f"'{word}' is never recognised {clips}" for word, clips in never.items()), None)


def per_speaker(right: NDArray[np.bool_], speakers: Sequence[str | None]) -> dict[str, dict[str, Any]]:
    """Clips and accuracy (with its Wilson interval) of each known speaker."""
    tally: dict[str, list[int]] = {}
    for hit, speaker in zip(right.tolist(), speakers, strict=True):
        if speaker is not None:
            entry = tally.setdefault(speaker, [0, 0])
            entry[0] += int(hit)
            entry[1] += 1
    return {
        speaker: {"n": n, "accuracy": hits / n, "accuracy_ci95": list(wilson_interval(hits, n))}
        for speaker, (hits, n) in sorted(tally.items())
    }


def score(
    targets: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    *,
    labels: Sequence[str],
    speakers: Sequence[str | None],
) -> dict[str, Any]:
    """Everything `metrics.json` says of one part.

    Args:
        targets: index of the true word of each clip, (clips,).
        probabilities: (clips, classes), each row summing to 1, or to less where a model may say "none of these".
        labels: the words, (classes,).
        speakers: who speaks each clip, None where not known.
    """
    right = probabilities.argmax(axis=1) == targets
    confusion = confusion_matrix(targets, probabilities.argmax(axis=1), len(labels))
    by_speaker = per_speaker(right, speakers)
    hits = [round(entry["accuracy"] * entry["n"]) for entry in by_speaker.values()]
    # Of some of the clips it would be another accuracy's interval, and might not hold the one it stands beside.
    interval = None if None in speakers else speaker_interval(hits, [entry["n"] for entry in by_speaker.values()])
    return {
        "accuracy": float(right.mean()),
        "accuracy_ci95": list(wilson_interval(int(right.sum()), len(right))),
        "n": len(right),
        "errors": int(len(right) - right.sum()),
        "loss": cross_entropy(targets, probabilities),
        "ece": expected_calibration_error(targets, probabilities),
        "speakers": len(by_speaker),
        "speaker_accuracy_ci95": list(interval) if interval else None,
        "worst_speaker": _worst(by_speaker),
        "per_class": per_class(confusion, labels),
        "per_speaker": by_speaker,
        "confusion": {"labels": list(labels), "counts": confusion.tolist()},
        "reliability": reliability(targets, probabilities),
        "risk_coverage": risk_coverage(right, probabilities.max(axis=1)),
    }


def _worst(by_speaker: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Who is least well understood, of equals the one with more clips; None of one speaker, or of none misheard."""
    ranked = sorted(by_speaker, key=lambda name: (by_speaker[name]["accuracy"], -by_speaker[name]["n"], name))
    return ranked[0] if len(ranked) > 1 and by_speaker[ranked[0]]["accuracy"] < 1 else None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
