"""How well a recogniser tells unknown words, which it never learned, from its own."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.classifier.inference import predict_probabilities
from sayso.classifier.module import Classifier
from sayso.data.corpus import Corpus
from sayso.metrics.rejection import reject_threshold, rejection
from sayso.recipe.prepared import Prepared

__all__ = ["score_rejection"]


def score_rejection(
    classifier: Classifier, prepared: Prepared, unknown: Corpus, test_probabilities: NDArray[np.float64]
) -> dict[str, Any]:
    """Give what `metrics.json` holds under `rejection`: confidence on known test clips against that on unknown words.

    The threshold for 5 % false rejects is chosen on validation clips; without any, on the test clips themselves, which
    `threshold_from` then says.

    Args:
        classifier: the model.
        prepared: the clips of known words and their parts.
        unknown: clips of words that the model never learned, all of which are scored.
        test_probabilities: the model's of the test part, (clips, classes).
    """
    corpus, split = prepared.corpus, prepared.split
    known = test_probabilities.max(axis=1)
    validation = predict_probabilities(classifier, corpus, split.validation).max(axis=1, initial=0)
    scores = rejection(
        known,
        predict_probabilities(classifier, unknown, np.arange(len(unknown))).max(axis=1),
        known_speakers=[corpus.clips[row].speaker for row in split.test],
        unknown_speakers=[clip.speaker for clip in unknown.clips],
        threshold=reject_threshold(validation if len(validation) else known),
    )
    origin = {"words": list(unknown.labels), "threshold_from": "validation" if len(validation) else "test"}
    return origin | scores
