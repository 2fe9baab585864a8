"""Answers to every clip by a model that never heard its speaker: what they say of a model that has heard everyone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sayso.metrics.calibration import fit_temperature
from sayso.metrics.probabilities import softmax
from sayso.metrics.rejection import threshold_for_right

__all__ = ["OutOfFold", "judge_out_of_fold"]


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """What the models that left one speaker out said of that speaker's clips, and what follows for all."""

    probabilities: NDArray[np.float64]
    """(clips, words), calibrated for each speaker by the answers to the others."""
    thresholds: NDArray[np.float64] | None
    """(clips,), for each speaker by the answers to the others; None where the model does not reject."""
    temperature: float
    """By all answers, for the model that has heard everyone."""
    threshold: float | None
    """The same of the threshold."""


def judge_out_of_fold(
    logits: NDArray[np.float32],
    targets: NDArray[np.int64],
    speakers: Sequence[str],
    *,
    words: int,
    lost_share: float | None,
) -> OutOfFold:
    """Calibrate answers and find thresholds, for each speaker by the other speakers' clips alone.

    Args:
        logits: undivided, (clips, words, and one more where the model rejects), each by a model that never heard the
            clip's speaker.
        targets: index of the true word of each clip, (clips,).
        speakers: who speaks each, at least two.
        words: how many there are.
        lost_share: of the clips of words, what the threshold may turn away; None: there is none.
    """
    names = np.array(speakers)
    probabilities = np.zeros((len(logits), words))
    thresholds = np.zeros(len(logits))
    for speaker in sorted(set(speakers)):
        own = names == speaker
        temperature = fit_temperature(logits[~own], targets[~own])
        probabilities[own] = softmax(logits[own] / np.float32(temperature))[:, :words]
        if lost_share is not None:
            others = softmax(logits[~own] / np.float32(temperature))[:, :words]
            thresholds[own] = _threshold(others, targets[~own], lost_share)
    temperature = fit_temperature(logits, targets)
    if lost_share is None:
        return OutOfFold(probabilities, None, temperature, None)
    everyone = softmax(logits / np.float32(temperature))[:, :words]
    return OutOfFold(probabilities, thresholds, temperature, _threshold(everyone, targets, lost_share))


def _threshold(probabilities: NDArray[np.float64], targets: NDArray[np.int64], lost_share: float) -> float:
    right = probabilities.argmax(axis=1) == targets
    return threshold_for_right(probabilities.max(axis=1), right, lost_share=lost_share)
