"""When a recogniser names a word at all: its threshold, what that costs the wanted words, and what it keeps out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.classifier.inference import predict_probabilities
from sayso.classifier.module import Classifier
from sayso.data.clips import Clip
from sayso.data.corpus import Corpus, Rows
from sayso.metrics.rejection import reject_threshold, rejection, share_of_clips, threshold_for_right
from sayso.recipe.prepared import Prepared

__all__ = ["find_threshold", "score_accepted", "score_own_threshold", "score_rejection", "set_threshold"]


def set_threshold(classifier: Classifier, corpus: Corpus, rows: Rows) -> None:
    """Fit the threshold of a model that learned what is none of the words, on rows that neither train nor test.

    Without rows there is none, and the model always names a word.
    """
    recipe = classifier.recipe.rejection
    classifier.threshold = find_threshold(classifier, corpus, rows) if recipe.has_negatives and len(rows) else None


def find_threshold(classifier: Classifier, corpus: Corpus, rows: Rows) -> float:
    """Find the threshold for these clips of wanted words, by what the recipe lets be lost and what it calls usual."""
    probabilities = predict_probabilities(classifier, corpus, rows)
    asked = classifier.recipe.rejection
    return threshold_for_right(
        probabilities, corpus.targets[rows], lost_share=asked.lost_share, usual=asked.usual_threshold
    )


def score_rejection(
    classifier: Classifier,
    prepared: Prepared,
    test_probabilities: NDArray[np.float64],
    *,
    thresholds: NDArray[np.float64] | None = None,
) -> dict[str, Any] | None:
    """Give what `metrics.json` holds under `rejection`; None where there is no threshold and no unknown word.

    Args:
        classifier: the model.
        prepared: the clips of known words and their parts; the model never learned `prepared.unknown_words`.
        test_probabilities: the model's of the test part, (clips, classes).
        thresholds: for each test clip, (clips,), where they are not the model's own; see `OutOfFold`.
    """
    corpus, split, unknown = prepared.corpus, prepared.split, prepared.unknown_words
    if unknown is None and classifier.threshold is None:
        return None
    threshold, origin = _threshold(classifier, prepared, test_probabilities)
    clips = [corpus.clips[row] for row in split.test]
    asked = threshold if thresholds is None else thresholds
    known = score_accepted(clips, classifier.labels, test_probabilities, threshold=asked)
    if unknown is None:
        return {"words": [], "threshold": threshold, "threshold_from": origin, **known}
    scores = rejection(
        test_probabilities.max(axis=1),
        predict_probabilities(classifier, unknown, np.arange(len(unknown))).max(axis=1),
        known_speakers=[corpus.clips[row].speaker for row in split.test],
        unknown_speakers=[clip.speaker for clip in unknown.clips],
        threshold=threshold,
    )
    # What is known of wanted words counts: there each speaker may have a threshold of its own.
    return {"words": list(unknown.labels), "threshold_from": origin, **scores, **known}


def score_own_threshold(
    classifier: Classifier, corpus: Corpus, rows: Rows, probabilities: NDArray[np.float64]
) -> dict[str, Any] | None:
    """What the model's own threshold does to these rows, with its answers to them; None where it has none."""
    if classifier.threshold is None:
        return None
    clips = [corpus.clips[row] for row in rows]
    accepted = score_accepted(clips, classifier.labels, probabilities, threshold=classifier.threshold)
    return {"words": [], "threshold": classifier.threshold, **accepted}


def score_accepted(
    clips: Sequence[Clip],
    labels: Sequence[str],
    probabilities: NDArray[np.float64],
    *,
    threshold: float | NDArray[np.float64],
) -> dict[str, Any]:
    """Of clips of wanted words: the shares that are accepted and right, and that are turned away, with intervals."""
    speakers = [clip.speaker for clip in clips]
    accepted = probabilities.max(axis=1) >= threshold
    right = np.array([labels[best] for best in probabilities.argmax(axis=1)]) == [clip.label for clip in clips]
    return {
        "accepted_right": share_of_clips(accepted & right, speakers),
        "false_reject": share_of_clips(~accepted, speakers),
    }


def _threshold(
    classifier: Classifier, prepared: Prepared, test_probabilities: NDArray[np.float64]
) -> tuple[float, str]:
    """The model's own threshold; else one for 5 % false rejects of validation clips, without any of test clips."""
    if classifier.threshold is not None:
        return classifier.threshold, "model"
    validation = prepared.split.validation
    if len(validation):
        confidence = predict_probabilities(classifier, prepared.corpus, validation).max(axis=1)
        return reject_threshold(confidence), "validation"
    return reject_threshold(test_probabilities.max(axis=1)), "test"
