"""Clips in, answers out, by the trained model: always float32, never augmented."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sayso.classifier.kept_features import FeatureTable
from sayso.classifier.module import Classifier, samples_from_int16
from sayso.data.corpus import Corpus, Rows
from sayso.metrics.probabilities import softmax
from sayso.system.malloc import keep_freed_memory

__all__ = ["embed_rows", "logits_of_rows", "predict_logits", "predict_probabilities", "represent"]

_BATCH = 256


def predict_logits(classifier: Classifier, samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Logits (clips, classes) of packed clips (clips, samples); the process keeps freed memory from then on."""
    logits = _apply(classifier, classifier, samples)
    return logits.numpy() if len(logits) else np.zeros((0, len(classifier.labels)), np.float32)


def predict_probabilities(classifier: Classifier, corpus: Corpus, rows: Rows) -> NDArray[np.float64]:
    """Probabilities (rows, words) of rows of a corpus; what a row lacks to 1 is that of "none of these"."""
    return softmax(logits_of_rows(classifier, corpus, rows))[:, : len(classifier.labels)]


def logits_of_rows(classifier: Classifier, corpus: Corpus, rows: Rows) -> NDArray[np.float32]:
    """Batch by batch: samples are copied as they are taken, and all of them at once may be gigabytes."""
    batches = [_logits(classifier, corpus, rows[at : at + _BATCH]) for at in range(0, len(rows), _BATCH)]
    return np.concatenate(batches) if batches else np.zeros((0, len(classifier.labels)), np.float32)


def embed_rows(classifier: Classifier, corpus: Corpus, rows: Rows) -> NDArray[np.float32]:
    """What the last layer gets of rows of a corpus, (rows, numbers); the logits where the network ends in no layer.

    Clips are heard at their own speed alone.
    """
    with _entering(classifier.network) as entered:
        logits = [_logits_as_it_is(classifier, corpus, rows[at : at + _BATCH]) for at in range(0, len(rows), _BATCH)]
    found = entered or logits
    return torch.cat(found).numpy() if found else np.zeros((0, len(classifier.labels)), np.float32)


@contextmanager
def _entering(network: nn.Module) -> Generator[list[Tensor]]:
    """Collect what enters the last linear layer, (clips, numbers) each time."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    entered: list[Tensor] = []

    def keep(layer: nn.Module, given: tuple[Tensor, ...]) -> None:
        del layer
        entered.append(given[0].flatten(1).float().cpu())

    hook = layers[-1].register_forward_pre_hook(keep) if layers else None
    try:
        yield entered
    finally:
        if hook:
            hook.remove()


def represent(classifier: Classifier, corpus: Corpus) -> FeatureTable:
    """Features that the classifier has kept, and behind them those of all clips of a corpus that are not among them."""
    kept = classifier.kept or FeatureTable((), torch.zeros(0, *classifier.features.shape))
    row_of = {mark: row for row, mark in enumerate(corpus.fingerprints)}
    missing = np.array([*row_of.values()], dtype=np.int64)[kept.find([*row_of]) < 0]
    made = [kept.values.float()]
    for at in range(0, len(missing), _BATCH):
        made.append(_apply(classifier, classifier.features, corpus.samples[missing[at : at + _BATCH]]))
    return FeatureTable((*kept.marks, *(corpus.fingerprints[row] for row in missing)), torch.cat(made))


def _logits(classifier: Classifier, corpus: Corpus, rows: Rows) -> NDArray[np.float32]:
    if classifier.speeds:
        return predict_logits(classifier, corpus.samples[rows])
    return _logits_as_it_is(classifier, corpus, rows).numpy()


def _logits_as_it_is(classifier: Classifier, corpus: Corpus, rows: Rows) -> Tensor:
    """Of clips at their own speed, whose features may be known."""
    if classifier.kept is not None:
        places = classifier.kept.find([corpus.fingerprints[row] for row in rows])
        if np.all(places >= 0):
            with torch.inference_mode():
                features = classifier.kept[places].to(next(classifier.parameters()).device)
                return classifier.eval().answer(features).float().cpu()
    return _apply(classifier, classifier.answer_as_it_is, corpus.samples[rows])


def _apply(classifier: Classifier, function: Callable[[Tensor], Tensor], samples: NDArray[np.int16]) -> Tensor:
    """What a function, the classifier itself or its features, makes of packed clips; float32, on the processor."""
    keep_freed_memory()
    classifier.eval()
    device = next(classifier.parameters()).device
    made: list[Tensor] = []
    with torch.inference_mode():
        for start in range(0, len(samples), _BATCH):
            batch = torch.from_numpy(np.array(samples[start : start + _BATCH])).to(device)
            made.append(function(samples_from_int16(batch)).float().cpu())
    return torch.cat(made) if made else torch.zeros(0)
