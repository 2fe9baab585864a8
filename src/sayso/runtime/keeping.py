"""Clips of what fired and what nearly fired, in a folder that `sayso audit` and `sayso train` read."""

import csv
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sayso.audio import encode_sound
from sayso.errors import DataError, OutputError
from sayso.runtime.live import Tell
from sayso.system.files import append_line, check_writable, csv_text, folder_name, why_unread
from sayso.system.wording import counted

__all__ = ["KEPT_TABLE", "Keeper", "KeptClip", "KeptLine", "Outcome", "read_kept"]

KEPT_TABLE = "kept.csv"
"""In the folder: a line for each clip. It is a manifest, too."""
Outcome = Literal["fired", "near"]
_COLUMNS = ("path", "label", "score", "threshold", "outcome", "stream_seconds", "time")


@dataclass(frozen=True, eq=False)
class KeptClip:
    """The sound of a word that fired, or nearly did."""

    word: str
    outcome: Outcome
    score: float
    threshold: float
    """The score that is asked of the word."""
    samples: NDArray[np.int16]
    """(samples,)."""
    sample_rate: float
    """In hertz."""
    stream_seconds: float
    """Where it begins in all that was heard."""


@dataclass(frozen=True, slots=True)
class KeptLine:
    """What the table says of a clip."""

    path: str
    """Below the folder."""
    score: float
    threshold: float
    """The score that was asked of the word."""
    outcome: str


def read_kept(folder: Path) -> tuple[KeptLine, ...]:
    """Read the table of a folder; none where it has none, or a table of something else.

    Raises:
        DataError: it is damaged.
    """
    table = folder / KEPT_TABLE
    if not table.is_file():
        return ()
    try:
        with table.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            if tuple(rows.fieldnames or ()) != _COLUMNS:
                return ()
            return tuple(
                KeptLine(row["path"], float(row["score"]), float(row["threshold"]), row["outcome"]) for row in rows
            )
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise DataError(f"{table}: {why_unread(error, 'is damaged; take it away, or mend it')}") from error


class Keeper:
    """Writes clips into a folder, one sub-folder a word, and a table beside them; what is there is never written over.

    Args:
        folder: made where it is not there.
        tell: takes what goes wrong while listening, such as a full disk; it is told once, and keeping is tried again.

    Raises:
        OutputError: the folder cannot be written to, or holds another table of that name.
    """

    def __init__(self, folder: Path, tell: Tell) -> None:
        check_writable(folder)
        self.folder, self._table, self._tell = folder, folder / KEPT_TABLE, tell
        header = csv_text([_COLUMNS])
        if self._table.exists() and self._table.stat().st_size:
            with self._table.open(encoding="utf-8", errors="replace") as file:
                if file.readline() != header:
                    raise OutputError(f"{self._table}: is a table of something else; keep clips in another folder")
        self._header = header
        self._lost = 0
        self.kept: dict[Outcome, int] = {"fired": 0, "near": 0}

    def keep(self, clip: KeptClip) -> None:
        """Write a clip and its line in the table."""
        now = datetime.now().astimezone()
        stem = f"{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03d}-{clip.outcome}-{clip.score:.2f}"
        facts = (f"{clip.score:.4f}", f"{clip.threshold:g}", clip.outcome, f"{clip.stream_seconds:.3f}")
        try:
            path = self._write(folder_name(clip.word), stem, encode_sound(clip.samples, round(clip.sample_rate), "WAV"))
            name = path.relative_to(self.folder).as_posix()
            try:
                line = csv_text([(name, clip.word, *facts, now.isoformat(timespec="seconds"))])
                append_line(self._table, line, header=self._header)
            except OSError:
                path.unlink(missing_ok=True)
                raise
        except OSError as error:
            if not self._lost:
                why = os.strerror(error.errno or 0)
                self._tell(f"cannot keep clips in {self.folder}: {why}; listening goes on, and keeping is tried again")
            self._lost += 1
            return
        self.kept[clip.outcome] += 1
        if self._lost:
            self._tell(f"clips are kept in {self.folder} again; {counted(self._lost, 'clip was', 'clips were')} not")
            self._lost = 0

    def _write(self, word: str, stem: str, content: bytes) -> Path:
        folder = self.folder / word
        folder.mkdir(parents=True, exist_ok=True)
        for number in count(1):
            path = folder / f"{stem}{f'-{number}' if number > 1 else ''}.wav"
            with suppress(FileExistsError), path.open("xb") as file:
                try:
                    file.write(content)
                    file.flush()
                except OSError:
                    path.unlink(missing_ok=True)
                    raise
                return path
        raise AssertionError("numbers have no end")
