"""What a report knows of the clips tested, so that a cell of the confusion matrix lists its clips to be marked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sayso.data.marks import MARK_COLUMNS
from sayso.views.plots.flow import lay_out_flows

__all__ = ["AnsweredClip", "describe_tested"]

# Of the clips that were right, which are most of a good test: at some 60 bytes each, 200 kB.
_MOST_LISTED = 3_000


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


def describe_tested(
    tested: Sequence[AnsweredClip], labels: Sequence[str], counts: Sequence[Sequence[int]]
) -> tuple[dict[str, Any], dict[str, int]]:
    """Give what the page's script is to know, as plain values, and the place of each clip in it by name.

    Wrong ones come first, the surest before the others; then those that were right, the least sure first, as many as
    the page is to hold.

    Args:
        tested: all of them.
        labels: the words, (words,).
        counts: clips, (words, words), rows true, columns predicted.
    """
    wrong = sorted((clip for clip in tested if clip.label != clip.predicted), key=lambda clip: -clip.probability)
    right = sorted((clip for clip in tested if clip.label == clip.predicted), key=lambda clip: clip.probability)
    shown = [*wrong, *right][: max(len(wrong), _MOST_LISTED)]
    folder = _folder_of(shown)
    words = {label: place for place, label in enumerate(labels)}
    people = sorted({clip.speaker for clip in shown if clip.speaker})
    person = {name: place for place, name in enumerate(people)}
    rows = [
        [
            clip.path[len(folder) :],
            clip.start_seconds,
            person.get(clip.speaker or ""),
            words[clip.label],
            words[clip.predicted],
            round(clip.probability, 3),
        ]
        for clip in shown
    ]
    flows = [[flow.true, flow.predicted] for flow in lay_out_flows(np.array(counts, dtype=np.int64))]
    facts = {
        "columns": MARK_COLUMNS,
        "folder": folder,
        "labels": list(labels),
        "speakers": people,
        "counts": [list(row) for row in counts],
        "flows": flows,
        "rows": rows,
    }
    return facts, {clip.name: place for place, clip in enumerate(shown)}


def _folder_of(clips: Sequence[AnsweredClip]) -> str:
    """What all their paths begin with, up to a folder's end; it is said once."""
    first, last = min(clip.path for clip in clips), max(clip.path for clip in clips)
    differ = (place for place, (one, other) in enumerate(zip(first, last, strict=False)) if one != other)
    begin = first[: next(differ, min(len(first), len(last)))]
    return begin[: max(begin.rfind("/"), begin.rfind("\\")) + 1]
