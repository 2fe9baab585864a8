"""Clips of words that a recogniser never learned: which of them are scored, and how well it tells them from its own."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.classifier import Classifier
from sayso.clips import Listing
from sayso.corpus import Corpus, pack
from sayso.errors import DataError
from sayso.evaluation import predict_probabilities
from sayso.processes import one_per_machine_first
from sayso.progress import Progress
from sayso.recipe import Recipe
from sayso.reject_words import recipe_listing
from sayso.rejection import reject_threshold, rejection
from sayso.splits import Split

__all__ = ["open_unheard", "rejection_scores"]


def open_unheard(recipe: Recipe, corpus: Corpus, split: Split, progress: Progress) -> Corpus | None:
    """The packed clips of `dataset.reject_words`, as far as they belong with the test part; None without such words.

    They are of its speakers where it was chosen by speaker, the source's own test clips where it is the official one,
    and all of them where it was drawn at random: so that known and unknown words differ in nothing but the word.

    Raises:
        DataError: none of them belongs with the test part, or they cannot be read.
    """
    if not recipe.dataset.reject_words:
        return None
    with one_per_machine_first():
        listing = recipe_listing(recipe.dataset, progress)
        speakers = {corpus.clips[row].speaker for row in split.test}
        tested = [
            clip
            for clip in listing.unheard
            if (split.kind != "speakers" or clip.speaker in speakers)
            and (split.kind != "official" or clip.split == "test")
        ]
        if not tested:
            raise DataError(
                f"dataset.reject_words: no clips of {', '.join(recipe.dataset.reject_words)} belong with the test part "
                f"of the {split.kind} split; name other words, or use another dataset.split"
            )
        return pack(Listing(tuple(tested)), recipe.audio, progress=progress, max_bad_share=recipe.dataset.max_bad_share)


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
