"""A model scored on other recordings than it was trained from: how one that learned here does there."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np

from sayso.classifier.inference import predict_probabilities
from sayso.classifier.module import Classifier
from sayso.config.schema import did_you_mean
from sayso.data.clips import Clip, Listing
from sayso.data.corpus import Corpus, pack
from sayso.data.datasets import DatasetConfig
from sayso.data.leakage.other_clips import check_other_clips
from sayso.data.unknown_words import list_for_recipe
from sayso.errors import DataError, Fault, SettingsError
from sayso.evaluation.model_scores import score_rows
from sayso.evaluation.rejection import score_own_threshold
from sayso.metrics.rejection import share_of_clips
from sayso.recipe.prepared import Prepared
from sayso.system.progress import Progress
from sayso.system.wording import counted, listed

__all__ = ["OtherPart", "OtherScores", "score_other_recordings"]

OtherPart = Literal["test", "validation", "train", "all"]
_MOST_WORDS = 10


@dataclass(frozen=True)
class OtherScores:
    """How a model did on other recordings."""

    scores: dict[str, Any]
    """As `metrics.json` holds those of a part; with `rejection` where the model has a threshold."""
    speakers_shared: int | None
    """How many of their speakers bear the name of one trained on; None where they are not known."""
    notes: tuple[str, ...]
    """What a reader of the scores must know."""
    copies: int = 0
    """How many of them it was trained on after all, as allowed."""
    compared: bool = True
    """Whether copies of what it was trained on were looked for; False: those clips are gone."""


def score_other_recordings(
    classifier: Classifier,
    trained: Prepared | None,
    dataset: DatasetConfig,
    *,
    part: OtherPart = "all",
    words: Mapping[str, str] | None = None,
    data_hash: str = "",
    progress: Progress,
) -> OtherScores:
    """Score a model on the clips of a data set that it was not trained from.

    Clips of words that the model does not know are left out and counted; by those it is scored how many of them pass
    its threshold, where it has one.

    Args:
        classifier: the model.
        trained: the clips it was trained on, in which copies of the others are looked for; None: they are gone.
        dataset: the other recordings.
        part: which of them: the part of that name in the data set's own split, or all.
        words: what a label of the data set is called by the model, where the two differ.
        data_hash: of the clips of its training, by which they are known again where they are gone from their place.
        progress: where to report.

    Raises:
        DataError: no clip is left to score, or one has the samples of a clip that was trained on.
        SettingsError: `words` names a label that the data set or the model does not have.
    """
    listing = list_for_recipe(dataset, progress)
    known, unknown, notes = _translate(_take_part(listing, part), words or {}, classifier.labels)

    def packed(clips: tuple[Clip, ...]) -> Corpus:
        chosen = Listing(clips, notes=listing.notes)
        corpus = pack(chosen, classifier.audio, progress=progress, max_bad_share=dataset.max_bad_share)
        if trained is not None and trained.negatives is not None:
            trained.negatives.check_apart(corpus, "clip to score")
        return corpus

    others = packed(known)
    speakers = {clip.speaker for clip in others.clips if clip.speaker}
    shared, learned = None, 0
    if trained is None:
        if others.content_hash == data_hash:
            problem = "these are the very clips that it was trained from, in another place"
            raise DataError(f"{problem}; score other recordings, or set the run's recipe to that place")
        notes.append("the clips of its training are not here: copies of them were not looked for")
    else:
        copies = check_other_clips(
            trained.corpus,
            trained.split,
            others,
            what="clip to score",
            section="",
            allow_copies=_allowed_copies(dataset),
            progress=progress,
        )
        heard = {trained.corpus.clips[row].speaker for row in trained.split.train}
        shared = len(speakers & heard) if speakers else None
        notes += [*copies.notes, *_speaker_notes(shared)]
        learned = len(copies.facts["same_samples"])
    rows = np.arange(len(others))
    probabilities = predict_probabilities(classifier, others, rows)
    scores = score_rows(others, rows, probabilities, classifier.labels)
    if rejected := score_own_threshold(classifier, others, rows, probabilities):
        scores["rejection"] = rejected | (_score_unknown(classifier, packed(unknown)) if unknown else {})
    return OtherScores(scores, shared, (*others.notes, *notes), learned, trained is not None)


def _allowed_copies(dataset: DatasetConfig) -> tuple[str, ...]:
    """Which a person allows; what a source allows by itself is about repeats among its own parts."""
    by_itself = next(each.default for each in fields(dataset) if each.name == "allow_copies")
    return () if dataset.allow_copies == by_itself else dataset.allow_copies


def _score_unknown(classifier: Classifier, unknown: Corpus) -> dict[str, Any]:
    """How many clips of words that the model does not know pass its threshold, by word too."""
    sure = predict_probabilities(classifier, unknown, np.arange(len(unknown))).max(axis=1)
    passed = sure >= classifier.threshold
    speakers = [clip.speaker for clip in unknown.clips]
    by_word = {
        word: {"n": int(own.sum()), "rate": float(passed[own].mean())}
        for place, word in enumerate(unknown.labels)
        for own in [unknown.targets == place]
    }
    return {
        "words": list(unknown.labels),
        "false_accept": share_of_clips(passed, speakers),
        "false_accept_by_word": by_word,
        "false_accept_macro": float(np.mean([row["rate"] for row in by_word.values()])),
    }


def _take_part(listing: Listing, part: OtherPart) -> Listing:
    if part == "all":
        return listing
    clips = tuple(clip for clip in listing.clips if clip.part == part)
    if not clips:
        raise DataError(f"these recordings name no {part} clips of their own; leave --split out to score all of them")
    return replace(listing, clips=clips)


def _translate(
    listing: Listing, words: Mapping[str, str], labels: tuple[str, ...]
) -> tuple[tuple[Clip, ...], tuple[Clip, ...], list[str]]:
    """The clips under the model's own labels; those of words that it does not know, and a note of them."""
    there = {clip.label for clip in listing.clips}
    not_there, not_known = sorted(words.keys() - there), sorted({*words.values()} - {*labels})
    faults = [Fault("map", f"no clips of '{word}' are there; {did_you_mean(word, there)}") for word in not_there]
    faults += [Fault("map", f"the run has no word '{word}'; {did_you_mean(word, labels)}") for word in not_known]
    if faults:
        raise SettingsError(faults)
    called = [(clip, words.get(clip.label, clip.label)) for clip in listing.clips]
    known = tuple(_relabelled(clip, label) for clip, label in called if label in labels)
    unknown = tuple(clip for clip, label in called if label not in labels)
    left_out = {label for _, label in called} - {*labels}
    if not known:
        theirs, own = (listed(sorted(names), _MOST_WORDS, count_rest=True) for names in (there, labels))
        raise DataError(f"none of their words ({theirs}) is one of the run's ({own}); translate them: --map A=B,...")
    notes: list[str] = []
    if unknown:
        names = listed(sorted(left_out), _MOST_WORDS, count_rest=True)
        notes.append(f"{counted(len(unknown), 'clip')} of words that the run does not know were left out ({names})")
    return known, unknown, notes


def _relabelled(clip: Clip, label: str) -> Clip:
    return clip if clip.label == label else replace(clip, label=label)


def _speaker_notes(shared: int | None) -> list[str]:
    if not shared:
        return []
    speakers = counted(shared, "speaker bears", "speakers bear")
    return [f"{speakers} the name of one heard in training: expect less from a new voice if they are the same people"]
