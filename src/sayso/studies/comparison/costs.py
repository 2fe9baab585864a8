"""What an answer takes: milliseconds, measured on the exported model."""

import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.classifier.checkpoint import load_model
from sayso.classifier.export import export
from sayso.classifier.module import Classifier
from sayso.data.corpus import Corpus
from sayso.runtime import Recognizer

__all__ = ["ANSWERS", "exported", "time_answer"]

ANSWERS = 100
"""So many are timed."""
_EXPORT_CLIPS = 16


def exported(weights: Path, path: Path, corpus: Corpus) -> Classifier:
    """Export a trial's model to `path`, checked on clips of the corpus; gives the model itself."""
    classifier = load_model(weights)
    rows = np.linspace(0, len(corpus) - 1, min(_EXPORT_CLIPS, len(corpus))).astype(np.int64)
    export(classifier, path, np.array(corpus.samples[rows]))
    return classifier


def time_answer(model: Path, clips: Sequence[NDArray[Any]]) -> float:
    """Median time of an answer on one clip, on one thread, from samples to words, in milliseconds.

    Args:
        model: as exported.
        clips: at least one, each (samples,), as the model is given them.
    """
    recognizer = Recognizer(model, threads=1)
    for clip in clips[:3]:
        recognizer.predict(clip)
    taken: list[float] = []
    for turn in range(ANSWERS):
        clip = clips[turn % len(clips)]
        started = time.perf_counter()
        recognizer.predict(clip)
        taken.append(1000 * (time.perf_counter() - started))
    return statistics.median(taken)
