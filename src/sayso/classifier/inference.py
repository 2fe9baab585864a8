"""Clips in, answers out, by the trained model: always float32, never augmented."""

import numpy as np
import torch
from numpy.typing import NDArray

from sayso.classifier.module import Classifier, samples_from_int16
from sayso.data.corpus import Corpus, Rows
from sayso.metrics.probabilities import softmax
from sayso.system.malloc import keep_freed_memory

__all__ = ["logits_of_rows", "predict_logits", "predict_probabilities"]

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
    """Probabilities (rows, words) of rows of a corpus; what a row lacks to 1 is that of "none of these"."""
    return softmax(logits_of_rows(classifier, corpus, rows))[:, : len(classifier.labels)]


def logits_of_rows(classifier: Classifier, corpus: Corpus, rows: Rows) -> NDArray[np.float32]:
    """Batch by batch: samples are copied as they are taken, and all of them at once may be gigabytes."""
    batches = [predict_logits(classifier, corpus.samples[rows[at : at + _BATCH]]) for at in range(0, len(rows), _BATCH)]
    return np.concatenate(batches) if batches else np.zeros((0, len(classifier.labels)), np.float32)
