"""The relabel file: clips that say another word than their source says, as CSV.

::

    clip,start_seconds,label
    yes/anna_3.wav,,no

How a line names its clip is said in `sayso.data.clip_tables`; `label` is one of the data set's words. A run's
`marks.csv` is one too.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from sayso.config.schema import did_you_mean
from sayso.data.clip_tables import TableKind, find_clips, read_clip_rows
from sayso.data.clips import Clip
from sayso.errors import DataError
from sayso.system.wording import counted

__all__ = ["relabel_clips"]

_COLUMNS = ("clip", "start_seconds", "label")
_KIND = TableKind("relabel file", "relabel", ("clip", "label"), _COLUMNS, "mark the clips of a run's report")


def relabel_clips(path: Path, clips: Sequence[Clip], *, left_out: Collection[int] = ()) -> tuple[tuple[Clip, ...], str]:
    """Give clips the words that a relabel file says, and word a note about it; all else of a clip stays as it is.

    Args:
        path: the relabel file.
        clips: all clips of the data set, whose labels are the words there are.
        left_out: places of those that are left out afterwards, and not counted.

    Returns:
        The clips in the same order, and how many have another label now, in words.

    Raises:
        DataError: the file cannot be used, names clips that are gone or those of another data set, has a word that no
            clip has, or says two words of one clip.
    """
    rows = read_clip_rows(path, _KIND)
    words = {clip.label for clip in clips}
    found = find_clips(path, rows, [(clip.path, clip.start_seconds) for clip in clips], _KIND)
    said: dict[int, str] = {}
    tested: set[int] = set()
    for row, places in zip(rows, found.places, strict=True):
        word = row.cells.get("label", "").strip()
        if word not in words:
            raise DataError(f"{path}: line {row.line}: no clip has the label '{word}'; {did_you_mean(word, words)}")
        for place in places:
            if said.setdefault(place, word) != word:
                raise DataError(
                    f"{path}: line {row.line}: {row.clip} is '{word}' here and '{said[place]}' further up; keep one"
                )
            if clips[place].label != word and (row.was_tested or clips[place].part == "test"):
                tested.add(place)
    tested.difference_update(left_out)
    changed = {place: word for place, word in said.items() if clips[place].label != word and place not in left_out}
    relabelled = tuple(
        replace(clip, label=changed[place], source_label=clip.label) if place in changed else clip
        for place, clip in enumerate(clips)
    )
    note = f"{counted(len(changed), 'clip')} relabelled by {path}{found.beside}"
    if tested:
        note += f"; {len(tested)} of them known as test clips, so this is another test than before"
    if lost := sorted(words - {clip.label for clip in relabelled}):
        note += f"; no clip of {', '.join(lost)} is left"
    return relabelled, note
