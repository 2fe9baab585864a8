""", so that they can be listed, heard, and marked to be left out or under another word."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sayso.data.marks import MARK_COLUMNS
from sayso.views.plots.flow import lay_out_flows

__all__ = ["AnsweredClip", "PageClip", "describe_answers", "describe_clips", "describe_tested"]

# Of the clips that were right, which are most of a good test: at some 60 bytes each, 200 kB.
_MOST_LISTED = 3_000


@dataclass(frozen=True, slots=True)
class PageClip:
    """One clip of a page."""

    name: str
    """What the clip is called, unlike any other."""
    path: str
    """Where it lies."""
    label: str
    speaker: str | None = None
    start_seconds: float | None = None
    """Where it starts in its recording; None: it is the whole of one."""
    part: str = ""
    """The part that it is in; empty where it is in none."""


@dataclass(frozen=True, slots=True)
class AnsweredClip:
    """One test clip and its answer."""

    name: str
    """What the clip is called, unlike any other."""
    path: str
    """Where it lies."""
    label: str
    predicted: str
    probability: float
    """What the model gave the predicted word, 0 to 1."""
    speaker: str | None = None
    start_seconds: float | None = None
    """Where it starts in its recording; None: it is the whole of one."""

    @property
    def asked(self) -> PageClip:
        """The clip without its answer."""
        return PageClip(self.name, self.path, self.label, self.speaker, self.start_seconds, "test")


def describe_clips(clips: Sequence[PageClip], labels: Sequence[str]) -> tuple[dict[str, Any], dict[str, int]]:
    """Give what a page's script is to know of its clips, as plain values, and the place of each in it by name.

    Args:
        clips: all that can be listed, each once.
        labels: the words that a clip may be given.
    """
    folder = _folder_of(clips)
    words = {label: place for place, label in enumerate(labels)}
    people = sorted({clip.speaker for clip in clips if clip.speaker})
    person = {name: place for place, name in enumerate(people)}
    parts = [clip.part for clip in clips]
    facts = {
        "columns": MARK_COLUMNS,
        "folder": folder,
        "labels": list(labels),
        "speakers": people,
        "part": parts[0] if len(set(parts)) == 1 else parts,
        "rows": [
            [clip.path[len(folder) :], clip.start_seconds, person.get(clip.speaker or ""), words[clip.label]]
            for clip in clips
        ],
    }
    return facts, {clip.name: place for place, clip in enumerate(clips)}


def describe_answers(
    shown: Sequence[AnsweredClip], labels: Sequence[str], counts: Sequence[Sequence[int]]
) -> tuple[dict[str, Any], dict[str, int]]:
    """Do so of clips that were answered, and give the cells and flows by which they are listed.

    Args:
        shown: those that can be listed.
        labels: the words, (words,).
        counts: clips, (words, words), rows true, columns predicted.
    """
    facts, places = describe_clips([clip.asked for clip in shown], labels)
    words = {label: place for place, label in enumerate(labels)}
    for row, clip in zip(facts["rows"], shown, strict=True):
        row += [words[clip.predicted], round(clip.probability, 3)]
    flows = [[flow.true, flow.predicted] for flow in lay_out_flows(np.array(counts, dtype=np.int64))]
    return facts | {"counts": [list(row) for row in counts], "flows": flows}, places


def describe_tested(
    tested: Sequence[AnsweredClip],
    labels: Sequence[str],
    counts: Sequence[Sequence[int]],
    *,
    also: Collection[str] = (),
) -> tuple[dict[str, Any], dict[str, int]]:
    """Give what the page's script is to know of a test, as plain values, and the place of each clip in it by name.

    Wrong ones come first, the surest before the others; then those that were right, the least sure first, as many as
    the page is to hold.

    Args:
        tested: all of them.
        labels: the words, (words,).
        counts: clips, (words, words), rows true, columns predicted.
        also: names of clips that the page holds in any case.
    """
    wrong = sorted((clip for clip in tested if clip.label != clip.predicted), key=lambda clip: -clip.probability)
    right = sorted((clip for clip in tested if clip.label == clip.predicted), key=lambda clip: clip.probability)
    most = max(len(wrong), _MOST_LISTED)
    ranked = [*wrong, *right]
    shown = [*ranked[:most], *(clip for clip in ranked[most:] if clip.name in also)]
    return describe_answers(shown, labels, counts)


def _folder_of(clips: Sequence[PageClip]) -> str:
    """What all their paths begin with, up to a folder's end; it is said once."""
    first, last = min(clip.path for clip in clips), max(clip.path for clip in clips)
    differ = (place for place, (one, other) in enumerate(zip(first, last, strict=False)) if one != other)
    begin = first[: next(differ, min(len(first), len(last)))]
    return begin[: max(begin.rfind("/"), begin.rfind("\\")) + 1]
