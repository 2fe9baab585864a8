"""Tables of clips, as CSV, that say something of each: read line by line, and found among the clips of a data set.

A line names a clip by its path, as `Clip.path` gives it or relative to the table's own folder, also with backslashes
and without the file's ending; `start_seconds` tells apart clips that are stretches of one recording, and where it is
empty the whole recording is meant.

A table of marks, such as a run's report gives as `marks.csv`, has a column `mark` besides: `exclude` or `relabel`. Then
each reader takes the lines that are for it, so that one table serves `dataset.exclude` and `dataset.relabel`. Its
column `part` is the part that the clip was in where it was marked.
"""

import csv
import math
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sayso.errors import DataError
from sayso.system.files import csv_text, write_bytes
from sayso.system.wording import counted, listed

__all__ = ["ClipRow", "FoundClips", "Place", "TableKind", "find_clips", "read_clip_rows", "write_clip_rows"]

_SHOWN = 3
# Stretches are told apart to a tenth of a millisecond, so that a start may be written by hand.
_START_DIGITS = 4
_MARKS = ("exclude", "relabel")
Place = tuple[str, float | None]
"""Path and start in seconds of a clip."""


@dataclass(frozen=True, slots=True)
class TableKind:
    """Which table it is, for what is said of it."""

    noun: str
    """Such as `exclusion file`."""
    mark: Literal["exclude", "relabel"]
    """The lines that are for it in a table of marks, and the key of a data set that names it."""
    needed: tuple[str, ...]
    """Columns that must be there."""
    columns: tuple[str, ...]
    """All that it has."""
    mend: str
    """What to do where it is not of these clips."""


@dataclass(frozen=True, slots=True)
class ClipRow:
    """One line of a table."""

    line: int
    """Its number in the file, from 1."""
    clip: str
    """The clip's path."""
    start_seconds: float | None = None
    """Where the clip starts in its recording; None: every clip of that recording."""
    cells: Mapping[str, str] = field(default_factory=dict)
    """All of it, by column."""

    @property
    def was_tested(self) -> bool:
        """Whether the clip was in the test part where it was marked."""
        return self.cells.get("part", "").strip().lower() == "test"


@dataclass(frozen=True, slots=True)
class FoundClips:
    """Which clips the lines of a table name."""

    places: tuple[tuple[int, ...], ...]
    """For each line the places of its clips in the list that was searched."""
    beside: str
    """Says how many more files it names that are there but not used; empty where there are none."""


def read_clip_rows(path: Path, kind: TableKind) -> tuple[ClipRow, ...]:
    """Read a table.

    Raises:
        DataError: it is missing, no CSV, without a needed column, or has a line that names no clip, no time or no mark.
    """
    key, article = f"dataset.{kind.mark}", "an" if kind.noun[0] in "aeiou" else "a"
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip().lower() for name in next(reader, [])]
            if missing := next((name for name in kind.needed if name not in header), None):
                there = ", ".join(header)[:80] or "nothing"
                raise DataError(
                    f"{path}: has no column {missing}; the first line of {article} {kind.noun} is "
                    f"{','.join(kind.columns)}, here it is {there!r}"
                )
            lines = [(reader.line_num, dict(zip(header, cells, strict=False))) for cells in reader if any(cells)]
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such {kind.noun}; check the path, which is {key} in a recipe") from error
    except (OSError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise DataError(f"{path}: cannot be read as {article} {kind.noun} ({reason}); check {key}") from error
    return tuple(_read_row(path, line, cells) for line, cells in lines if _is_for(path, line, cells, kind))


def write_clip_rows(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table, atomically; a file name that holds bytes that are no text comes back as it was.

    Raises:
        OutputError: it cannot be written there.
    """
    write_bytes(path, csv_text([columns, *rows]).encode("utf-8", "surrogateescape"))


def find_clips(path: Path, rows: Sequence[ClipRow], clips: Sequence[Place], kind: TableKind) -> FoundClips:
    """Find which of some clips a table names.

    A file that is there but is none of these clips, as when a data set is used in part, is passed over. Where no clip
    is named at all, such files must at least lie below the folder of the clips; elsewhere they are of another data set.

    Raises:
        DataError: it names clips that are gone, or is that of another data set.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for place, (clip, _) in enumerate(clips):
        places[os.path.abspath(clip)].append(place)  # noqa: PTH100 - links stay as they are
    whole = {os.path.splitext(name)[0]: name for name in places}  # noqa: PTH122 - one for each clip
    found: list[tuple[int, ...]] = []
    gone: list[str] = []
    unused: list[str] = []
    for row in rows:
        written = dict.fromkeys((row.clip, row.clip.replace("\\", "/")))
        names = [os.path.abspath(folder / clip) for clip in written for folder in (path.parent, Path())]  # noqa: PTH100
        name = next((name for name in (*names, *map(whole.get, names)) if name in places), None)
        hits = [place for place in places[name] if _same_start(row, clips[place][1])] if name else []
        found.append(tuple(hits))
        there = None if name else next(filter(os.path.isfile, names), None)
        if there:
            unused.append(there)
        elif not hits:
            gone.append(row.clip if row.start_seconds is None else f"{row.clip} from {row.start_seconds:g} s")
    if gone:
        shown = listed(gone, _SHOWN)
        are = counted(len(gone), "clip that is", "clips that are")
        raise DataError(f"{path}: names {are} gone: {shown}; take those lines out, or {kind.mend} again")
    if unused and not any(found) and places:
        _check_below(path, unused, list(places), kind)
    beside = f", which names {counted(len(unused), 'file')} more that are not used here" if unused else ""
    return FoundClips(tuple(found), beside)


def _is_for(path: Path, line: int, cells: Mapping[str, str], kind: TableKind) -> bool:
    """Whether a line is for this reader; in a table without marks every line is."""
    if "mark" not in cells:
        return True
    mark = cells["mark"].strip().lower()
    if mark not in _MARKS:
        raise DataError(f"{path}: line {line}: mark is '{mark}', must be {' or '.join(_MARKS)}")
    return mark == kind.mark


def _read_row(path: Path, line: int, cells: Mapping[str, str]) -> ClipRow:
    clip, start = cells.get("clip", "").strip(), cells.get("start_seconds", "").strip()
    if not clip:
        raise DataError(f"{path}: line {line} names no clip")
    try:
        seconds = float(start) if start else None
    except ValueError:
        seconds = math.nan
    if seconds is not None and not 0 <= seconds < math.inf:
        raise DataError(f"{path}: line {line}: start_seconds is '{start}', must be seconds from 0 upwards, or empty")
    return ClipRow(line, clip, seconds, cells)


def _check_below(path: Path, unused: Sequence[str], clips: Sequence[str], kind: TableKind) -> None:
    folder = os.path.commonpath([os.path.dirname(clip) for clip in clips])  # noqa: PTH120 - one for each clip
    if not any(other.startswith(os.path.join(folder, "")) for other in unused):  # noqa: PTH118
        raise DataError(
            f"{path}: names none of the data set's clips, but others, such as {unused[0]}; the data set's are such as "
            f"{clips[0]}; {kind.mend} on this data set, or leave out dataset.{kind.mark}"
        )


def _same_start(row: ClipRow, start_seconds: float | None) -> bool:
    if row.start_seconds is None:
        return True
    return round(row.start_seconds, _START_DIGITS) == round(start_seconds or 0.0, _START_DIGITS)
