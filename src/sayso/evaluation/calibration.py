"""The temperature of a model: fitted on validation clips, and what it did for the test part."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.classifier.inference import logits_of_rows
from sayso.classifier.module import Classifier
from sayso.data.corpus import Corpus, Rows
from sayso.metrics.calibration import expected_calibration_error, fit_temperature, reliability, uncalibrated
from sayso.metrics.scores import cross_entropy

__all__ = ["LEFT_OUT", "calibrate", "find_temperature", "score_calibration"]


def calibrate(classifier: Classifier, corpus: Corpus, rows: Rows) -> None:
    """Fit the model's temperature on these rows, which must be neither of the training nor of the test part."""
    classifier.temperature = find_temperature(classifier, corpus, rows)


def find_temperature(classifier: Classifier, corpus: Corpus, rows: Rows) -> float:
    """Find the temperature that these rows ask for, whatever the model's is; 1 without rows."""
    before, classifier.temperature = classifier.temperature, 1.0
    try:
        return fit_temperature(logits_of_rows(classifier, corpus, rows), corpus.targets[rows])
    finally:
        classifier.temperature = before


LEFT_OUT = "speakers left out"


def score_calibration(
    targets: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    *,
    temperature: float,
    fitted_on: int,
    temperatures: Mapping[str, float] | None = None,
    speakers: Sequence[str | None] = (),
) -> dict[str, Any]:
    """Give what `metrics.json` holds under `calibration`: what the temperature did for the test part.

    Args:
        targets: index of the true word of each test clip, (clips,).
        probabilities: as the model states them, (clips, classes).
        temperature: that of the model.
        fitted_on: how many clips it was fitted on: validation clips, or those of speakers left out.
        temperatures: by speaker, where each was left out and has one of its own.
        speakers: who speaks each test clip, (clips,); needed with `temperatures`.
    """
    divided = np.array([[temperatures[speaker or ""]] for speaker in speakers]) if temperatures else temperature
    before = uncalibrated(probabilities, divided)
    source = LEFT_OUT if temperatures else "validation"
    own = {"temperature_by_speaker": dict(temperatures)} if temperatures else {}
    return own | {
        "temperature": temperature,
        "fitted_on": source if fitted_on else None,
        "fitted_on_clips": fitted_on,
        "test_ece_before": expected_calibration_error(targets, before),
        "test_ece_after": expected_calibration_error(targets, probabilities),
        "test_loss_before": cross_entropy(targets, before),
        "test_loss_after": cross_entropy(targets, probabilities),
        "test_reliability_before": reliability(targets, before),
    }
