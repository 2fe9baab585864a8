"""Clips that cannot be used: how many are too many, of all and of each word, and what is said of the others."""

from collections import Counter
from collections.abc import Mapping, Sequence

from sayso.audio import printable
from sayso.data.clips import Clip
from sayso.errors import DataError
from sayso.system.wording import counted, listed, percent

__all__ = ["check_losses", "describe_losses", "gather_reasons"]

_SHOWN, _SHOWN_REASONS, _SHOWN_WORDS = 5, 2, 3
# A word of ten clips may well lose two of them; one that loses most of them is another word, or none.
_MOST_OF_A_WORD = 0.5


def check_losses(
    clips: Sequence[Clip], kept: Sequence[Clip], reasons: Sequence[tuple[str, str]], max_bad_share: float
) -> None:
    """Refuse clips of which too many cannot be used, all together or most of one word.

    Args:
        clips: all that were listed.
        kept: those that could be read.
        reasons: path of each other, and why it could not.
        max_bad_share: how many of all may be lost; of a word it is half, or this where it is more.

    Raises:
        DataError: more are lost, or all of a word.
    """
    lost, total = len(clips) - len(kept), len(clips)
    if lost == total or lost > max_bad_share * total:
        shown = listed(gather_reasons(reasons), _SHOWN, between="; ")
        raise DataError(
            f"{lost} of {counted(total, 'file')} cannot be used, the limit is "
            f"{percent(max_bad_share, digits=0)} (dataset.max_bad_share): {shown}"
        )
    limit = max(max_bad_share, _MOST_OF_A_WORD)
    for word, (bad, count) in _by_word(clips, kept).items():
        if bad == count or bad > limit * count:
            why = dict(reasons)
            first = next(why[clip.path] for clip in clips if clip.label == word and clip.path in why)
            raise DataError(
                f"{bad} of {counted(count, 'file')} of the word '{word}' cannot be used, so that it would be lost: "
                f"{first}; mend them, or take that word out"
            )


def describe_losses(clips: Sequence[Clip], kept: Sequence[Clip], reasons: Sequence[tuple[str, str]]) -> str:
    """Say how many could not be read, of which words most, and why; nothing where none were lost."""
    lost = len(clips) - len(kept)
    if not lost:
        return ""
    were = "was" if lost == 1 else "were"
    words = sorted(_by_word(clips, kept).items(), key=lambda word: -word[1][0] / word[1][1])
    shown = listed([f"{bad} of {count} of '{word}'" for word, (bad, count) in words], _SHOWN_WORDS)
    why = listed(gather_reasons(reasons), _SHOWN_REASONS, between="; ", count_rest=True)
    return f"{lost} of {counted(len(clips), 'file')} could not be read and {were} skipped ({shown}): {why}"


def gather_reasons(reasons: Sequence[tuple[str, str]]) -> list[str]:
    """Say why files cannot be read, once for all with the same reason.

    Args:
        reasons: path of each, and the line that its reader gave, which begins with the path.

    >>> gather_reasons([("a.wav", "a.wav: is empty"), ("b.m4a", "b.m4a: no such file"), ("c.wav", "c.wav: is empty")])
    ['a.wav and 1 more: is empty', 'b.m4a: no such file']
    """
    paths: dict[str, list[str]] = {}
    for path, why in reasons:
        paths.setdefault(why.removeprefix(f"{printable(path)}: "), []).append(printable(path))
    more = {why: f" and {len(those) - 1:,} more" if len(those) > 1 else "" for why, those in paths.items()}
    return [f"{those[0]}{more[why]}: {why}" for why, those in paths.items()]


def _by_word(clips: Sequence[Clip], kept: Sequence[Clip]) -> Mapping[str, tuple[int, int]]:
    """Count lost clips and all clips of each word that lost any, in the words' order."""
    counts = Counter(clip.label for clip in clips)
    lost = counts - Counter(clip.label for clip in kept)
    return {word: (lost[word], counts[word]) for word in sorted(lost)}
