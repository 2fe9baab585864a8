"""Everything that is measured of a trained model: as `metrics.json` holds it, and as `verify` computes it anew."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.classifier.inference import predict_probabilities
from sayso.classifier.module import Classifier
from sayso.data.corpus import Corpus, Rows
from sayso.evaluation.calibration import score_calibration
from sayso.evaluation.out_of_fold import OutOfFold
from sayso.evaluation.rejection import score_rejection
from sayso.metrics.scores import score
from sayso.recipe.prepared import Prepared
from sayso.runs.metrics import Metrics

__all__ = ["score_model", "score_rows"]

_SUMS = ("accuracy", "accuracy_ci95", "n", "errors", "loss", "ece")


def score_model(
    classifier: Classifier,
    prepared: Prepared,
    test_probabilities: NDArray[np.float64],
    answers: OutOfFold | None = None,
) -> Metrics:
    """Score a calibrated model on every part.

    Args:
        classifier: the model.
        prepared: the clips and their parts.
        test_probabilities: the model's of the test part, (clips, classes); or those of `answers`.
        answers: to the test part, where its speakers were left out in turn.

    Returns:
        What `metrics.json` holds. Of the other parts than the test part it has only sums, since they were seen in
        training.
    """
    corpus, split = prepared.corpus, prepared.split
    metrics: Metrics = {
        "test": score_rows(corpus, split.test, test_probabilities, classifier.labels),
        "calibration": score_calibration(
            corpus.targets[split.test],
            test_probabilities,
            temperature=classifier.temperature,
            fitted_on=len(split.test) if answers else len(split.validation),
            temperatures=answers.temperatures if answers else None,
            speakers=[corpus.clips[row].speaker for row in split.test],
        ),
        "parameters": classifier.parameters_count,
        "labels": list(classifier.labels),
    }
    for part in ("train", "validation"):
        if len(rows := split.rows(part)):
            whole = score_rows(corpus, rows, predict_probabilities(classifier, corpus, rows), classifier.labels)
            metrics[part] = {key: whole[key] for key in _SUMS}
    thresholds = answers.thresholds if answers else None
    if rejected := score_rejection(classifier, prepared, test_probabilities, thresholds=thresholds):
        metrics["rejection"] = rejected
    return metrics


def score_rows(corpus: Corpus, rows: Rows, probabilities: NDArray[np.float64], labels: Sequence[str]) -> dict[str, Any]:
    """Score answers on these rows, as `metrics.json` holds the scores of a part; `labels` are the model's."""
    index = {label: i for i, label in enumerate(labels)}
    targets = np.array([index[corpus.clips[row].label] for row in rows], dtype=np.int64)
    speakers = [corpus.clips[row].speaker for row in rows]
    return score(targets, probabilities, labels=labels, speakers=speakers)
