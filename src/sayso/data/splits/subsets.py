"""Part of the training clips: fewer speakers, or fewer clips of each, to see what more of them would bring."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sayso.data.clips import Clip
from sayso.data.splits.folds import count_words
from sayso.errors import DataError
from sayso.system.wording import counted

__all__ = ["choose_subset", "limit_sizes", "rank_clips", "rank_speakers"]

_ALWAYS = -1


def choose_subset(
    clips: Sequence[Clip], *, speakers: int | None, clips_per_speaker: int | None, seed: int
) -> NDArray[np.bool_]:
    """Choose the clips to train on. Sets are nested: with the same seed a larger size holds all of a smaller one.

    Args:
        clips: of the training part.
        speakers: how many speakers to keep; None: all, and clips that name no speaker too.
        clips_per_speaker: how many clips of each to keep, fewer where a speaker has no more; None: all.
        seed: of the order in which speakers and clips are drawn.

    Returns:
        (clips,): which are kept.

    Raises:
        DataError: more is asked for than is there, a word would have no clips, or no clip names a speaker.
    """
    kept = np.ones(len(clips), np.bool_)
    if speakers is not None:
        if not any(_speaker(clip) for clip in clips):
            raise DataError(
                f"split.train_speakers is {speakers}, but no training clip names its speaker; name them (a column, "
                "a sub-folder or a pattern) or use split.train_clips_per_speaker"
            )
        ranks = rank_speakers(clips, seed=seed)
        kept &= _within(clips, ranks, speakers, key="train_speakers", unit="training speakers")
    if clips_per_speaker is not None:
        ranks = rank_clips(clips, seed=seed)
        kept &= _within(clips, ranks, clips_per_speaker, key="train_clips_per_speaker", unit="clips of a speaker")
    words = {clip.label for clip in clips}
    if lacking := sorted(words - {clip.label for clip, keep in zip(clips, kept, strict=True) if keep}):
        names = ", ".join(f"'{word}'" for word in lacking)
        raise DataError(
            "split.train_speakers and split.train_clips_per_speaker together leave no training clips of "
            f"{names}; use larger ones"
        )
    return kept


def rank_speakers(clips: Sequence[Clip], *, seed: int) -> NDArray[np.int64]:
    """The place of each clip's speaker in the order in which speakers are drawn, from 0.

    The order is random, but as long as words are lacking the next speaker is one who adds the most of them. Stretches
    of noise, voices beside the recordings and words that nobody speaks are kept at every size: -1. Other clips without
    a speaker come last, after all speakers: they may be anybody's.

    Args:
        clips: of the training part.
        seed: at least 0.

    Returns:
        (clips,)
    """
    names, counts = count_words([_speaker(clip) for clip in clips], [clip.label for clip in clips])
    spoken = counts > 0
    left = np.random.default_rng((seed, 3)).permutation(len(names)).tolist()
    lacking = spoken.any(axis=0)
    order: list[int] = []
    while left and lacking.any():
        chosen = left.pop(int((spoken[left] & lacking).sum(axis=1).argmax()))
        order.append(chosen)
        lacking &= ~spoken[chosen]
    rank_of = {names[row]: rank for rank, row in enumerate([*order, *left])}
    always = _kept_at_every_size(clips)
    return np.array(
        [
            _ALWAYS if clip.label in always or _stays(clip) else rank_of.get(clip.speaker or "", len(names))
            for clip in clips
        ],
        dtype=np.int64,
    )


def rank_clips(clips: Sequence[Clip], *, seed: int) -> NDArray[np.int64]:
    """The place of each clip in the order in which the clips of its speaker are drawn, from 0.

    A speaker's words take turns, each in random order, and each speaker begins with another word, so that few clips of
    each already hold every word. Where no clip names a speaker all count as one speaker's; clips and words that are
    kept at every size are those of `rank_speakers`.

    Args:
        clips: of the training part.
        seed: at least 0.

    Returns:
        (clips,)
    """
    rng = np.random.default_rng((seed, 4))
    always = _kept_at_every_size(clips)
    own: dict[str, dict[str, list[int]]] = {}
    for row, clip in enumerate(clips):
        if clip.label not in always and not _stays(clip):
            own.setdefault(clip.speaker or "", {}).setdefault(clip.label, []).append(row)
    words = rng.permutation(sorted({clip.label for clip in clips})).tolist()
    ranks = np.full(len(clips), _ALWAYS, dtype=np.int64)
    for place, speaker in enumerate(sorted(own)):
        start = place * len(words) // len(own)
        turns = {word: turn for turn, word in enumerate([*words[start:], *words[:start]])}
        drawn = [
            (index, turns[word], row)
            for word in sorted(own[speaker])
            for index, row in enumerate(rng.permutation(own[speaker][word]).tolist())
        ]
        for rank, (_, _, row) in enumerate(sorted(drawn)):
            ranks[row] = rank
    return ranks


def limit_sizes(clips: Sequence[Clip], ranks: NDArray[np.int64]) -> tuple[int, int]:
    """The smallest size that holds every word, and the largest there is.

    Args:
        clips: of the training part.
        ranks: what `rank_speakers` or `rank_clips` gave for them, (clips,).
    """
    first: dict[str, int] = {}
    for clip, rank in zip(clips, ranks.tolist(), strict=True):
        first[clip.label] = min(rank, first.get(clip.label, rank))
    named = [rank for clip, rank in zip(clips, ranks.tolist(), strict=True) if _speaker(clip)] or ranks.tolist()
    return max(1, max(first.values()) + 1), max(named) + 1


def _within(clips: Sequence[Clip], ranks: NDArray[np.int64], size: int, *, key: str, unit: str) -> NDArray[np.bool_]:
    least, most = limit_sizes(clips, ranks)
    if size > most:
        raise DataError(f"split.{key} is {size}, but there are {counted(most, unit, unit)} at most; use {most} or less")
    if size < least:
        lacking = sorted(
            {clip.label for clip in clips} - {clips[row].label for row in np.flatnonzero(ranks < size).tolist()}
        )
        names = ", ".join(f"'{word}'" for word in lacking)
        raise DataError(f"split.{key} is {size}, which leaves no training clips of {names}; use {least} or more")
    return ranks < size


def _stays(clip: Clip) -> bool:
    """Whether a clip trains at every size: noise, and voices beside the recordings; not what people said to train."""
    return clip.keeps_part and (clip.speaker is None or clip.source > 0)


def _speaker(clip: Clip) -> str | None:
    return None if _stays(clip) else clip.speaker


def _kept_at_every_size(clips: Sequence[Clip]) -> set[str]:
    """Words of which no clip names a speaker, such as noise; none where no word has speakers."""
    words = {clip.label for clip in clips}
    spoken = {clip.label for clip in clips if _speaker(clip)}
    return words - spoken if spoken else set()
