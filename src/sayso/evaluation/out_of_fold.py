"""Answers to every clip by a model that never heard its speaker: what they say of a model that has heard everyone."""

from collections.abc import Mapping, Sequence
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
    temperatures: Mapping[str, float]
    """What each speaker's logits were divided by for that."""
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
    usual_threshold: float | None = None,
) -> OutOfFold:
    """Calibrate answers and find thresholds, for each speaker by the other speakers' clips alone.

    Args:
        logits: undivided, (clips, words, and one more where the model rejects), each by a model that never heard the
            clip's speaker.
        targets: index of the true word of each clip, (clips,).
        speakers: who speaks each, at least two.
        words: how many there are.
        lost_share: of the clips of words, what the threshold may turn away; None: there is none.
        usual_threshold: of other models of this kind, see `threshold_for_right`.
    """
    names = np.array(speakers)
    probabilities, thresholds = np.zeros((len(logits), words)), np.zeros(len(logits))
    temperatures: dict[str, float] = {}
    for speaker in sorted(set(speakers)):
        own = names == speaker
        temperatures[speaker], threshold = _fit(logits[~own], targets[~own], words, lost_share, usual_threshold)
        probabilities[own] = _shares(logits[own], temperatures[speaker], words)
        thresholds[own] = 0.0 if threshold is None else threshold
    temperature, threshold = _fit(logits, targets, words, lost_share, usual_threshold)
    return OutOfFold(probabilities, temperatures, None if threshold is None else thresholds, temperature, threshold)


def _fit(
    logits: NDArray[np.float32],
    targets: NDArray[np.int64],
    words: int,
    lost_share: float | None,
    usual_threshold: float | None,
) -> tuple[float, float | None]:
    temperature = fit_temperature(logits, targets)
    if lost_share is None:
        return temperature, None
    probabilities = _shares(logits, temperature, words)
    return temperature, threshold_for_right(probabilities, targets, lost_share=lost_share, usual=usual_threshold)


def _shares(logits: NDArray[np.float32], temperature: float, words: int) -> NDArray[np.float64]:
    return softmax(logits / np.float32(temperature))[:, :words]
