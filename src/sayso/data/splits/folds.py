"""Speakers divided for testing: folds in which each is held out once, and a draw that keeps the words in proportion."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sayso.data.clips import Clip
from sayso.data.splits.settings import LEAVE_ONE_OUT, Folds
from sayso.errors import DataError
from sayso.system.wording import counted, listed

__all__ = ["count_words", "deal_clips", "deal_folds", "draw_balanced"]

# A drawn part is in proportion when each word's share is within half of the share wanted. Tighter, a word that is added
# later changes who is held out: of 12 to 40 speakers with 4 to 6 clips of each word a tenth kept them in 58 to 84 % of
# 300 such corpora, a half in all; with 2 to 10 clips of each in 33 to 51 %, and in 82 to 100 %.
_TOLERANCE = 0.5


def deal_clips(clips: Sequence[Clip], *, folds: Folds, seed: int = 0) -> tuple[tuple[str, ...], ...]:
    """Divide the speakers of clips into folds as `deal_folds` does; clips that stay in their part are in none."""
    divided = [clip for clip in clips if not (clip.keeps_part and clip.part == "test")]
    speakers = [None if clip.keeps_part else clip.speaker for clip in divided]
    return deal_folds(speakers, [clip.label for clip in divided], folds=folds, seed=seed)


def deal_folds(
    speakers: Sequence[str | None], labels: Sequence[str], *, folds: Folds, seed: int = 0
) -> tuple[tuple[str, ...], ...]:
    """Divide speakers into folds, each of which is tested once while the others train.

    With a number, the speakers with the most clips are dealt first, each to the fold that lacks their words most, so
    that every fold comes near to its share of each word's clips; the seed orders speakers with as many clips. Clips of
    no known speaker are in no fold: they always train.

    Args:
        speakers: of each clip, or None where it is not known.
        labels: the word of each clip.
        folds: how many, from 2 to the number of speakers; or leave-one-speaker-out, a fold a speaker, by name.
        seed: at least 0.

    Returns:
        The test speakers of each fold, in alphabetical order.

    Raises:
        DataError: fewer speakers than folds or than two, or a fold whose training part would lack a word.
    """
    names, counts = count_words(speakers, labels)
    if len(names) < 2:
        raise DataError(
            f"folds by speaker need at least 2 speakers, but {counted(len(names), 'is', 'are')} known; name them (a "
            "column, a sub-folder or a pattern) or use by: random"
        )
    if folds == LEAVE_ONE_OUT:
        dealt = [[row] for row in range(len(names))]
    elif not 2 <= folds <= len(names):
        raise DataError(
            f"{counted(folds, 'fold')} asked for, of {len(names)} speakers; choose from 2 to {len(names)} folds, or "
            f"{LEAVE_ONE_OUT}"
        )
    else:
        dealt = _deal(counts, folds, np.random.default_rng((seed, 2)))
    found = tuple(tuple(names[row] for row in sorted(rows)) for rows in dealt)
    _check_words(found, speakers, labels)
    return found


def count_words(speakers: Sequence[str | None], labels: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    """Known speakers by name, and how many clips each has of each word, (speakers, words)."""
    names = sorted({speaker for speaker in speakers if speaker})
    row_of = {name: row for row, name in enumerate(names)}
    column_of = {label: column for column, label in enumerate(sorted(set(labels)))}
    counts = np.zeros((len(names), len(column_of)), np.int64)
    for speaker, label in zip(speakers, labels, strict=True):
        if speaker:
            counts[row_of[speaker], column_of[label]] += 1
    return names, counts


def draw_balanced(counts: NDArray[np.int64], order: Sequence[int], take: int) -> list[int]:
    """Draw speakers so that each word is drawn in the same proportion.

    The first `take` of `order` are drawn; while a word's share lies more than a half off the speakers' share, one of
    them is changed for another, whichever brings the words nearest. Speakers with equal counts stay as they were drawn.

    Args:
        counts: clips of each speaker and word, (speakers, words).
        order: every speaker's row, in the order drawn.
        take: how many, below the number of speakers.

    Returns:
        Rows of the speakers drawn.
    """
    drawn, left = list(order[:take]), list(order[take:])
    shares = counts / np.maximum(counts.sum(0), 1)
    spoken = counts.sum(0) > 0
    wanted = take / len(order)
    for _ in range(take):
        off = np.where(spoken, shares[drawn].sum(0) - wanted, 0.0)
        if not drawn or not left or (abs(off) <= _TOLERANCE * wanted).all():
            break
        # |off - a + b|^2 for each a drawn and b left, without an array of (drawn, left, words).
        without = off - shares[drawn]
        others = shares[left]
        misses = (without**2).sum(1)[:, None] + 2 * without @ others.T + (others**2).sum(1)
        first, second = np.unravel_index(int(misses.argmin()), misses.shape)
        if misses[first, second] >= (off**2).sum() - 1e-12:
            break
        drawn[first], left[second] = left[second], drawn[first]
    return drawn


def _deal(counts: NDArray[np.int64], folds: int, rng: np.random.Generator) -> list[list[int]]:
    """Rows of the speakers of each fold."""
    shares = counts / np.maximum(counts.sum(0), 1)
    held = np.zeros((folds, counts.shape[1]))
    dealt: list[list[int]] = [[] for _ in range(folds)]
    shuffled = rng.permutation(len(counts))
    for row in shuffled[np.argsort(-counts[shuffled].sum(1), kind="stable")].tolist():
        # What a speaker adds to the squared distance from equal shares, up to what is the same for all folds.
        cost = np.round(held @ shares[row], 12)
        sizes = [len(rows) for rows in dealt]
        fold = int(np.lexsort((sizes, held.sum(1), cost))[0])
        held[fold] += shares[row]
        dealt[fold].append(row)
    return dealt


def _check_words(folds: Sequence[Sequence[str]], speakers: Sequence[str | None], labels: Sequence[str]) -> None:
    fold_of = {name: number for number, names in enumerate(folds) for name in names}
    inside: dict[str, set[int | None]] = {}
    for speaker, label in zip(speakers, labels, strict=True):
        inside.setdefault(label, set()).add(fold_of[speaker] if speaker else None)
    for label, numbers in sorted(inside.items()):
        if len(numbers) == 1 and None not in numbers:
            fold = next(number for number in numbers if number is not None)
            raise DataError(
                f"one of the {len(folds)} folds ({listed(folds[fold], 3)}) holds every clip of '{label}', so that its "
                "training part lacks that word; record it with more speakers, or leave it out"
            )
