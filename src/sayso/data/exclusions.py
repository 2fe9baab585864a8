"""The exclusion file: clips that training leaves out, with what is wrong with them, as CSV.

::

    clip,start_seconds,fault,detail
    yes/anna_3.wav,,silence,loudest sample 0.0004 of full scale

How a line names its clip is said in `sayso.data.clip_tables`; the last two say why. A run's `marks.csv` is one too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from sayso.data.clip_tables import Place, TableKind, find_clips, read_clip_rows, write_clip_rows
from sayso.system.wording import counted

__all__ = ["Exclusion", "match_exclusions", "read_exclusions", "write_exclusions"]


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
_KIND = TableKind("exclusion file", "exclude", ("clip",), _COLUMNS, "run `sayso audit`")


def write_exclusions(path: Path, rows: Iterable[Exclusion]) -> None:
    """Write an exclusion file, atomically.

    Raises:
        OutputError: it cannot be written there.
    """
    write_clip_rows(path, _COLUMNS, (astuple(row) for row in rows))


def read_exclusions(path: Path) -> tuple[Exclusion, ...]:
    """Read an exclusion file; only its column `clip` must be there.

    Raises:
        DataError: it is missing, no CSV, without that column, or has a line that names no clip or no time.
    """
    return tuple(
        Exclusion(row.clip, row.start_seconds, row.cells.get("fault", ""), row.cells.get("detail", ""))
        for row in read_clip_rows(path, _KIND)
    )


def match_exclusions(path: Path, clips: Sequence[Place]) -> tuple[set[int], str]:
    """Find which of some clips an exclusion file names, and word a note about it.

    Args:
        path: the exclusion file.
        clips: path and start in seconds of each clip.

    Returns:
        The places of those clips in `clips`, and how many they are, in words.

    Raises:
        DataError: the file cannot be used, names clips that are gone, or is that of another data set.
    """
    rows = read_clip_rows(path, _KIND)
    found = find_clips(path, rows, clips, _KIND)
    out = {place for places in found.places for place in places}
    note = f"{counted(len(out), 'clip')} left out by {path}{found.beside}"
    pairs = zip(rows, found.places, strict=True)
    if tested := len({place for row, places in pairs if row.was_tested for place in places}):
        note += f"; {tested} of them marked where a run tested them, so this is another test than that run's"
    return out, note
