"""Clips of words that a recogniser never learned: which of them are scored, and how well it tells them from its own."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.classifier.inference import predict_probabilities
from sayso.classifier.module import Classifier
from sayso.data.corpus import Corpus
from sayso.data.splits.draw import Split
from sayso.metrics.rejection import reject_threshold, rejection

__all__ = ["rejection_scores"]


def rejection_scores(
    classifier: Classifier, corpus: Corpus, split: Split, unheard: Corpus, test_probabilities: NDArray[np.float64]
) -> dict[str, Any]:
    """What `metrics.json` holds under `rejection`: confidence on known test clips against that on words never learned.

    The threshold for 5 % false rejects is chosen on validation clips; without any, on the test clips themselves, which
    `threshold_from` then says.

    Args:
        classifier: the model.
        corpus: the clips of known words.
        split: their parts.
        unheard: clips of words that the model never learned, all of which are scored.
        test_probabilities: the model's of the test part, (clips, classes).
    """
    known = test_probabilities.max(axis=1)
    validation = predict_probabilities(classifier, corpus, split.validation).max(axis=1, initial=0)
    scores = rejection(
        known,
        predict_probabilities(classifier, unheard, np.arange(len(unheard))).max(axis=1),
        known_speakers=[corpus.clips[row].speaker for row in split.test],
        unheard_speakers=[clip.speaker for clip in unheard.clips],
        threshold=reject_threshold(validation if len(validation) else known),
    )
    origin = {"words": list(unheard.labels), "threshold_from": "validation" if len(validation) else "test"}
    return origin | scores
