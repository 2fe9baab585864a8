"""Everything that is measured of a trained model: as `metrics.json` holds it, and as `verify` computes it anew."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.classifier.inference import predict_probabilities
from sayso.classifier.module import Classifier
from sayso.data.corpus import Corpus
from sayso.data.splits.draw import Split
from sayso.evaluation.calibration import calibration_scores
from sayso.evaluation.scores import score_rows
from sayso.evaluation.unknown_words import rejection_scores

__all__ = ["score_model"]

_SUMS = ("accuracy", "accuracy_ci95", "n", "errors", "loss", "ece")


def score_model(
    classifier: Classifier,
    corpus: Corpus,
    split: Split,
    unheard: Corpus | None,
    test_probabilities: NDArray[np.float64],
) -> dict[str, Any]:
    """Score a calibrated model on every part.

    Args:
        classifier: the model.
        corpus: the clips.
        split: their parts.
        unheard: clips of words never learned, or None.
        test_probabilities: the model's of the test part, (clips, classes).

    Returns:
        What `metrics.json` holds, but for what only the training knows: epochs and seconds. Of the other parts than
        the test part it has only sums, since they were seen in training.
    """
    scores: dict[str, Any] = {"test": score_rows(corpus, split.test, test_probabilities, classifier.labels)}
    for part in ("train", "validation"):
        rows = split.rows(part)
        if len(rows):
            whole = score_rows(corpus, rows, predict_probabilities(classifier, corpus, rows), classifier.labels)
            scores[part] = {key: whole[key] for key in _SUMS}
    scores["calibration"] = calibration_scores(
        corpus.targets[split.test],
        test_probabilities,
        temperature=classifier.temperature,
        fitted_on=len(split.validation),
    )
    if unheard is not None:
        scores["rejection"] = rejection_scores(classifier, corpus, split, unheard, test_probabilities)
    return scores | {
        "parameters": classifier.parameters_count,
        "labels": list(classifier.labels),
        "split": split.kind,
        "speakers_shared": split.speakers_shared,
    }
