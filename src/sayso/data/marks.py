"""The table of marks, `marks.csv`: clips that a person heard and wants left out, or under another word.

::

    clip,start_seconds,mark,label,part
    /clips/yes/anna_3.wav,,exclude,,test
    /clips/yes/ben_1.wav,,relabel,no,test

Both `dataset.exclude` and `dataset.relabel` may name it. A run's report writes it in the browser, the studio here.
"""

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Literal

from sayso.data.clip_tables import TableKind, read_clip_rows, write_clip_rows

__all__ = ["MARK_COLUMNS", "Mark", "read_marks", "write_marks"]


@dataclass(frozen=True, slots=True)
class Mark:
    """What is to become of one clip."""

    clip: str
    """Its path, whole or relative to the table's folder."""
    start_seconds: float | None
    """Where it starts in its recording; None: it is the whole of one."""
    mark: Literal["exclude", "relabel"]
    label: str = ""
    """The word that it says; empty where it is left out."""
    part: str = "test"
    """The part that it was in where it was marked."""


MARK_COLUMNS = tuple(field.name for field in fields(Mark))


def write_marks(path: Path, marks: Iterable[Mark]) -> None:
    """Write the table, atomically.

    Raises:
        OutputError: it cannot be written there.
    """
    write_clip_rows(path, MARK_COLUMNS, (astuple(mark) for mark in marks))


def read_marks(path: Path) -> tuple[Mark, ...]:
    """Read the table, those to leave out first; none where there is no such file.

    Raises:
        DataError: it is no table of marks.
    """
    if not path.exists():
        return ()
    return (*_read(path, "exclude"), *_read(path, "relabel"))


def _read(path: Path, mark: Literal["exclude", "relabel"]) -> Iterable[Mark]:
    kind = TableKind("table of marks", mark, ("clip", "mark"), MARK_COLUMNS, "mark the clips")
    for row in read_clip_rows(path, kind):
        label, part = row.cells.get("label", "").strip(), row.cells.get("part", "").strip()
        yield Mark(row.clip, row.start_seconds, mark, label, part)
