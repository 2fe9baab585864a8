"""The whole way with no recordings at hand: words to a recogniser, scored on voices it never heard."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sayso.classifier.inference import predict_probabilities
from sayso.data.corpus import pack
from sayso.data.datasets import DATASETS
from sayso.data.voices.espeak import SAMPLE_RATE, speak
from sayso.evaluation.model_scores import score_rows
from sayso.experiment.run import Run
from sayso.experiment.train import train
from sayso.recipe.words import Words, parse_words
from sayso.runtime import Prediction
from sayso.system.progress import Progress

__all__ = ["Demonstration", "demo_words", "demonstrate"]

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_SPOKEN = (("three", "en-gb", 130), ("seven", "en-us", 150), ("zero", "en-gb-scotland", 170), ("five", "en-us", 190))


@dataclass(frozen=True)
class Demonstration:
    """What the demonstration came to."""

    run: Run
    fsdd: Mapping[str, Any] | None
    """Scores on all of FSDD, real voices never trained on; None when it is not at hand."""
    spoken: tuple[tuple[str, Prediction], ...]
    """Words spoken afresh, and what was recognised."""


def demo_words() -> Words:
    """Ten spoken digits, in all English accents."""
    return parse_words(",".join(f"{digit}={text}" for digit, text in enumerate(_DIGITS)))


def demonstrate(*, out: Path | None = None, progress: Progress) -> Demonstration:
    """Synthesise, train, score on unheard voices and on real ones where they are at hand, recognise a few words.

    Raises:
        MissingExtraError: espeak-ng's voices are not installed.
    """
    run = train(demo_words(), out=out, name="demo", progress=progress)
    return Demonstration(run, _score_fsdd(run, progress), tuple(_recognise(run)))


def _score_fsdd(run: Run, progress: Progress) -> Mapping[str, Any] | None:
    dataset = DATASETS.get("fsdd")()
    if dataset.location() is None:
        return None
    classifier = run.classifier()
    corpus = pack(dataset.listing(progress), classifier.audio, progress=progress)
    rows = np.arange(len(corpus))
    return score_rows(corpus, rows, predict_probabilities(classifier, corpus, rows), classifier.labels)


def _recognise(run: Run) -> list[tuple[str, Prediction]]:
    recognizer = run.recognizer()
    answers: list[tuple[str, Prediction]] = []
    for text, language, rate in _SPOKEN:
        samples = speak(text, language=language, words_per_minute=rate)
        answers.append((text, recognizer.predict(samples, sample_rate=SAMPLE_RATE, reject=False)[0]))
    return answers
