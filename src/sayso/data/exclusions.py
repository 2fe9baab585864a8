"""The exclusion file: clips that training leaves out, with what is wrong with them, as CSV.

::

    clip,start_seconds,fault,detail
    yes/anna_3.wav,,silence,loudest sample 0.0004 of full scale

`clip` is the clip's path, as `Clip.path` gives it or relative to the file's own folder, also with backslashes and
without the file's ending; `start_seconds` tells apart clips that are stretches of one recording, and where it is empty
the whole recording is meant; the last two say why.
"""

import csv
import math
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from sayso.errors import DataError
from sayso.system.files import csv_text, write_bytes
from sayso.system.wording import counted, listed

__all__ = ["Exclusion", "match_exclusions", "read_exclusions", "write_exclusions"]

_SHOWN = 3
# Stretches are told apart to a tenth of a millisecond, so that a start may be written by hand.
_START_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One clip to leave out."""

    clip: str
    """Its path, as `Clip.path` gives it, or relative to the exclusion file's folder."""
    start_seconds: float | None = None
    """Where the clip starts in its recording; None: every clip of that recording."""
    fault: str = ""
    """What is wrong, in a word or two."""
    detail: str = ""
    """What was measured."""


_COLUMNS = tuple(field.name for field in fields(Exclusion))


def write_exclusions(path: Path, rows: Iterable[Exclusion]) -> None:
    """Write an exclusion file, atomically.

    Raises:
        OutputError: it cannot be written there.
    """
    text = csv_text([_COLUMNS, *(astuple(row) for row in rows)])
    # A file name may hold bytes that are no text; they come back as they were.
    write_bytes(path, text.encode("utf-8", "surrogateescape"))


def read_exclusions(path: Path) -> tuple[Exclusion, ...]:
    """Read an exclusion file; only its column `clip` must be there.

    Raises:
        DataError: it is missing, no CSV, without that column, or has a line that names no clip or no time.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip().lower() for name in next(reader, [])]
            if "clip" not in header:
                there = ", ".join(header)[:80] or "nothing"
                raise DataError(
                    f"{path}: has no column clip; the first line of an exclusion file is {','.join(_COLUMNS)}, "
                    f"here it is {there!r}"
                )
            lines = [(reader.line_num, dict(zip(header, cells, strict=False))) for cells in reader if any(cells)]
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such exclusion file; check dataset.exclude") from error
    except (OSError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise DataError(f"{path}: cannot be read as an exclusion file ({reason}); check dataset.exclude") from error
    return tuple(_read_exclusion(path, line, cells) for line, cells in lines)


def _read_exclusion(path: Path, line: int, cells: dict[str, str]) -> Exclusion:
    clip, start = cells.get("clip", "").strip(), cells.get("start_seconds", "").strip()
    if not clip:
        raise DataError(f"{path}: line {line} names no clip")
    try:
        seconds = float(start) if start else None
    except ValueError:
        seconds = math.nan
    if seconds is not None and not 0 <= seconds < math.inf:
        raise DataError(f"{path}: line {line}: start_seconds is '{start}', must be seconds from 0 upwards, or empty")
    return Exclusion(clip, seconds, cells.get("fault", ""), cells.get("detail", ""))


def match_exclusions(path: Path, clips: Sequence[tuple[str, float | None]]) -> tuple[set[int], str]:
    """Find which of some clips an exclusion file names, and word a note about it.

    A file that is there but is none of these clips, as when a data set is used in part, is passed over. Where no clip
    is named at all, such files must at least lie below the folder of the clips; elsewhere they are of another data set.

    Args:
        path: the exclusion file.
        clips: path and start in seconds of each clip.

    Returns:
        The places of those clips in `clips`, and how many they are, in words.

    Raises:
        DataError: the file cannot be used, names clips that are gone, or is that of another data set.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for place, (clip, _) in enumerate(clips):
        places[os.path.abspath(clip)].append(place)  # noqa: PTH100 - links stay as they are
    whole = {os.path.splitext(name)[0]: name for name in places}  # noqa: PTH122 - one for each clip
    found: set[int] = set()
    gone: list[str] = []
    unused: list[str] = []
    for row in read_exclusions(path):
        written = dict.fromkeys((row.clip, row.clip.replace("\\", "/")))
        names = [os.path.abspath(folder / clip) for clip in written for folder in (path.parent, Path())]  # noqa: PTH100
        name = next((name for name in (*names, *map(whole.get, names)) if name in places), None)
        hits = [place for place in places[name] if _same_start(row, clips[place][1])] if name else []
        found.update(hits)
        there = None if name else next(filter(os.path.isfile, names), None)
        if there:
            unused.append(there)
        elif not hits:
            gone.append(row.clip if row.start_seconds is None else f"{row.clip} from {row.start_seconds:g} s")
    if gone:
        shown = listed(gone, _SHOWN)
        are = counted(len(gone), "clip that is", "clips that are")
        raise DataError(f"{path}: names {are} gone: {shown}; take those lines out, or run `sayso audit` again")
    if unused and not found and places:
        _check_below(path, unused, list(places))
    beside = f", which names {counted(len(unused), 'file')} more that are not used here" if unused else ""
    return found, f"{counted(len(found), 'clip')} left out by {path}{beside}"


def _check_below(path: Path, unused: Sequence[str], clips: Sequence[str]) -> None:
    folder = os.path.commonpath([os.path.dirname(clip) for clip in clips])  # noqa: PTH120 - one for each clip
    if not any(other.startswith(os.path.join(folder, "")) for other in unused):  # noqa: PTH118
        raise DataError(
            f"{path}: names none of the data set's clips, but others, such as {unused[0]}; the data set's are such as "
            f"{clips[0]}; run `sayso audit` on this data set, or leave out dataset.exclude"
        )


def _same_start(row: Exclusion, start_seconds: float | None) -> bool:
    if row.start_seconds is None:
        return True
    return round(row.start_seconds, _START_DIGITS) == round(start_seconds or 0.0, _START_DIGITS)
