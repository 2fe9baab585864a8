"""The clips that a page lists, kept beside it, so that marks made in that page are told from all others."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sayso.errors import DataError
from sayso.system.files import read_json, write_text

__all__ = ["ListedClips", "read_listed_clips", "write_listed_clips"]

_FILE = "clips.json"
_DAMAGED = "{file}: is not what Sayso writes beside a page; make the page again"


@dataclass(frozen=True)
class ListedClips:
    """What is known of a page's clips."""

    parts: Mapping[tuple[str, float | None], str]
    """By path and where it starts in its recording (None: it is the whole of one) the part that each clip is in."""
    labels: Sequence[str]
    """The words that a clip may be given."""
    source: str = ""
    """Where the clips were listed, a folder or manifest; empty: that is not known."""
    total: int = 0
    """How many clips were looked at, of which the page may list some."""


def write_listed_clips(folder: Path, listed: ListedClips) -> None:
    """Write them into the page's folder, atomically.

    Raises:
        OutputError: it cannot be written there.
    """
    rows = [[path, start, part] for (path, start), part in listed.parts.items()]
    values = {"source": listed.source, "total": listed.total, "labels": [*listed.labels], "clips": rows}
    # A file name that is no text in the system's encoding is written as escapes, and read back.
    write_text(folder / _FILE, json.dumps(values, allow_nan=False) + "\n")


def read_listed_clips(folder: Path) -> ListedClips:
    """Read them.

    Raises:
        DataError: they are not there, or damaged.
    """
    file = folder / _FILE
    try:
        return _read(read_json(file))
    except FileNotFoundError as error:
        raise DataError(f"{file}: is not there; make the page again") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(_DAMAGED.format(file=file)) from error


def _read(values: Any) -> ListedClips:
    parts = {(str(path), None if start is None else float(start)): str(part) for path, start, part in values["clips"]}
    labels = [str(label) for label in values["labels"]]
    return ListedClips(parts, labels, str(values["source"]), int(values["total"]))
