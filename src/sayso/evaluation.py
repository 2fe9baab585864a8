"""A model and clips in, probabilities and scores out; always float32, never augmented."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sayso.calibration import expected_calibration_error, fit_temperature, reliability, uncalibrated
from sayso.classifier import Classifier, samples_from_int16
from sayso.corpus import Corpus
from sayso.files import csv_text, write_text
from sayso.memory import keep_freed_memory
from sayso.metrics import cross_entropy, score
from sayso.runtime.recognizer import softmax
from sayso.splits import Rows

__all__ = [
    "PREDICTION_COLUMNS",
    "calibrate",
    "calibrated_temperature",
    "calibration_scores",
    "predict_logits",
    "predict_probabilities",
    "score_rows",
    "write_predictions",
]

PREDICTION_COLUMNS = ("clip", "start_seconds", "speaker", "label", "predicted")
"""Of `predictions.csv`, before every word's probability."""
_BATCH = 256


def predict_logits(classifier: Classifier, samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Logits (clips, classes) of packed clips (clips, samples); the process keeps freed memory from then on."""
    keep_freed_memory()
    classifier.eval()
    device = next(classifier.parameters()).device
    logits: list[NDArray[np.float32]] = []
    with torch.inference_mode():
        for start in range(0, len(samples), _BATCH):
            batch = torch.from_numpy(np.array(samples[start : start + _BATCH])).to(device)
            logits.append(classifier(samples_from_int16(batch)).float().cpu().numpy())
    return np.concatenate(logits) if logits else np.zeros((0, len(classifier.labels)), np.float32)


def predict_probabilities(classifier: Classifier, corpus: Corpus, rows: Rows) -> NDArray[np.float64]:
    """Probabilities (rows, classes) of rows of a corpus."""
    return softmax(_logits_of(classifier, corpus, rows))


def calibrate(classifier: Classifier, corpus: Corpus, rows: Rows) -> None:
    """Fit the model's temperature on these rows, which must be neither of the training nor of the test part."""
    classifier.temperature = calibrated_temperature(classifier, corpus, rows)


def calibrated_temperature(classifier: Classifier, corpus: Corpus, rows: Rows) -> float:
    """The temperature that these rows ask for, whatever the model's is; 1 without rows."""
    before, classifier.temperature = classifier.temperature, 1.0
    try:
        return fit_temperature(_logits_of(classifier, corpus, rows), corpus.targets[rows])
    finally:
        classifier.temperature = before


def _logits_of(classifier: Classifier, corpus: Corpus, rows: Rows) -> NDArray[np.float32]:
    """Batch by batch: samples are copied as they are taken, and all of them at once may be gigabytes."""
    batches = [predict_logits(classifier, corpus.samples[rows[at : at + _BATCH]]) for at in range(0, len(rows), _BATCH)]
    return np.concatenate(batches) if batches else np.zeros((0, len(classifier.labels)), np.float32)


def calibration_scores(
    targets: NDArray[np.int64], probabilities: NDArray[np.float64], *, temperature: float, fitted_on: int
) -> dict[str, Any]:
    """What `metrics.json` holds under `calibration`: what the temperature did for the test part.

    Args:
        targets: index of the true word of each test clip, (clips,).
        probabilities: as the model states them, (clips, classes).
        temperature: that of the model.
        fitted_on: how many validation clips it was fitted on.
    """
    before = uncalibrated(probabilities, temperature)
    return {
        "temperature": temperature,
        "fitted_on": "validation" if fitted_on else None,
        "fitted_on_clips": fitted_on,
        "test_ece_before": expected_calibration_error(targets, before),
        "test_ece_after": expected_calibration_error(targets, probabilities),
        "test_loss_before": cross_entropy(targets, before),
        "test_loss_after": cross_entropy(targets, probabilities),
        "test_reliability_before": reliability(targets, before),
    }


def score_rows(corpus: Corpus, rows: Rows, probabilities: NDArray[np.float64], labels: Sequence[str]) -> dict[str, Any]:
    """Scores of these rows, as `metrics.json` holds them; `labels` are the model's."""
    index = {label: i for i, label in enumerate(labels)}
    targets = np.array([index[corpus.clips[row].label] for row in rows], dtype=np.int64)
    speakers = [corpus.clips[row].speaker for row in rows]
    return score(targets, probabilities, labels=labels, speakers=speakers)


def write_predictions(
    path: Path, corpus: Corpus, rows: Rows, probabilities: NDArray[np.float64], labels: Sequence[str]
) -> None:
    """Write `predictions.csv`: clip, start, speaker, label, predicted, and every word's probability."""
    header = [*PREDICTION_COLUMNS, *(f"p({label})" for label in labels)]
    lines: list[list[object]] = []
    for row, shares in zip(rows, probabilities, strict=True):
        clip = corpus.clips[row]
        known = [clip.path, clip.start_seconds, clip.speaker, clip.label, labels[int(shares.argmax())]]
        # Nine digits give every float32 back exactly.
        lines.append([*known, *(f"{share:.9g}" for share in shares)])
    write_text(path, csv_text([header, *lines]))
