"""What a recogniser costs: multiply-adds of one answer, counted, and milliseconds, measured on the exported model."""

import math
import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from sayso.classifier.checkpoint import load_model
from sayso.classifier.export import export
from sayso.classifier.module import Classifier
from sayso.data.corpus import Corpus
from sayso.runtime import Recognizer

__all__ = ["count_multiply_adds", "exported", "time_answer"]

_ANSWERS = 100
_EXPORT_CLIPS = 16


def count_multiply_adds(classifier: Classifier) -> int:
    """Multiply-adds of one answer, features included: products and convolutions as torch counts them.

    A Fourier transform of n numbers counts as 2.5 n log2 n, half of that when it gives or takes real numbers only: the
    usual 5 n log2 n operations (Cooley & Tukey 1965), two to a multiply-add. Sums, activations and their like do
    not count.
    """
    fft = torch.ops.aten
    counted: Mapping[Any, Any] = {
        fft._fft_r2c: _real_to_complex,
        fft._fft_c2r: _complex_to_real,
        fft._fft_c2c: _complex_to_complex,
    }
    clip = torch.zeros(1, classifier.audio.clip_samples)
    with FlopCounterMode(display=False, custom_mapping=dict(counted)) as counter, torch.no_grad():
        classifier.eval()(clip)
    return counter.get_total_flops() // 2


def exported(weights: Path, path: Path, corpus: Corpus) -> Classifier:
    """Export a trial's model to `path`, checked on clips of the corpus; gives the model itself."""
    classifier = load_model(weights)
    rows = np.linspace(0, len(corpus) - 1, min(_EXPORT_CLIPS, len(corpus))).astype(np.int64)
    export(classifier, path, np.array(corpus.samples[rows]))
    return classifier


def time_answer(model: Path, corpus: Corpus) -> float:
    """Median time of an answer on one clip, on one thread, from samples to words."""
    recognizer = Recognizer(model, threads=1)
    clips = [np.array(corpus.samples[row]) for row in range(min(_ANSWERS, len(corpus)))]
    for clip in clips[:3]:
        recognizer.predict(clip)
    taken: list[float] = []
    for turn in range(_ANSWERS):
        clip = clips[turn % len(clips)]
        started = time.perf_counter()
        recognizer.predict(clip)
        taken.append(1000 * (time.perf_counter() - started))
    return statistics.median(taken)


def _real_to_complex(shape: Any, dimensions: Any, *_: Any, out_shape: Any = None, **__: Any) -> int:
    del out_shape
    return _operations(shape, dimensions) // 2


def _complex_to_real(shape: Any, dimensions: Any, *_: Any, out_shape: Any = None, **__: Any) -> int:
    del shape
    return _operations(out_shape, dimensions) // 2


def _complex_to_complex(shape: Any, dimensions: Any, *_: Any, out_shape: Any = None, **__: Any) -> int:
    del out_shape
    return _operations(shape, dimensions)


def _operations(shape: Any, dimensions: Any) -> int:
    length = math.prod(shape[dimension] for dimension in dimensions)
    return round(5 * math.prod(shape) * math.log2(max(2, length)))
