"""Manifests: a table with one clip a row becomes clips, or one line that says which rows cannot."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sayso.config.schema import did_you_mean
from sayso.data.clips import Clip
from sayso.data.datasets.folder.columns import Columns, find_columns
from sayso.data.datasets.folder.found import NOISE_FOLDER, NONE_FOLDER, ONLY_TRAINS, PART_NAMES, Found, spelled
from sayso.data.datasets.folder.stretches import Stretches
from sayso.data.datasets.folder.table import ONE_A_LINE, Row, read_rows
from sayso.errors import DataError
from sayso.system.files import expand_home
from sayso.system.wording import listed, path_tail

__all__ = ["clip_path", "read_manifest"]

_NEEDED = ("path", "label")
_SHOWN_FAULTS = 5
# What programs write where they know nothing. A word may be "none" or "null", a speaker hardly.
_NO_LABELS = frozenset(("nan", "<na>"))
_NO_SPEAKERS = _NO_LABELS | {"none", "null"}


def read_manifest(path: Path) -> Found:
    """Read the clips that a manifest names.

    Raises:
        DataError: it cannot be read, a column can mean one thing or another, or rows do not fit; lines are named.
    """
    rows = read_rows(path)
    columns = _columns(path, rows)
    stretches = Stretches(columns.moments)
    found = Found(str(path.parent), manifest=True)
    bad: list[str] = []
    for row in rows:
        faults = [row.fault] if row.fault else []
        clip = None if faults else _clip(row.values, columns, stretches, found.root, faults)
        bad += [f"line {row.line}: {fault}" for fault in faults]
        if clip is not None and clip.label == NOISE_FOLDER:
            found.noise.append(clip.path)
        elif clip is not None and clip.label == NONE_FOLDER:
            found.none.append(clip.path)
        elif clip is not None:
            found.clips.append(clip)
    if bad:
        raise DataError(f"{path}: {listed(bad, _SHOWN_FAULTS, between='; ', count_rest=True)}")
    if not found.clips:
        raise DataError(f"{path}: names no clips; {ONE_A_LINE}")
    found.notes += _notes(path, columns, stretches)
    return found


def clip_path(written: str, root: str) -> str:
    r"""Give the path of a clip that a table names: as it is written, or with / for \ where only that can be meant.

    The path is not spelled anew: the file system decides how it spells its names.
    """
    path = os.path.normpath(os.path.join(root, expand_home(written)))  # noqa: PTH118
    if "\\" in written and os.sep == "/" and not os.path.lexists(path):
        return clip_path(written.replace("\\", "/"), root)
    return path


def _columns(path: Path, rows: list[Row]) -> Columns:
    """Find out what the columns that hold anything say; path and label must be among them."""
    named = dict.fromkeys(name for row in rows for name in row.values)
    filled = {name for row in rows for name, value in row.values.items() if value not in (None, "")}
    columns = find_columns([name for name in named if name in filled or name in _NEEDED])
    if columns.faults:
        raise DataError(f"{path}: {'; '.join(columns.faults)}")
    if named and (lacking := [name for name in _NEEDED if name not in columns.texts]):
        no = " and no column ".join(lacking)
        raise DataError(f"{path}: has no column {no}; there is {', '.join(named)}: name the columns path and label")
    return columns


def _notes(path: Path, columns: Columns, stretches: Stretches) -> Iterator[str]:
    renamed = [f"{column} for the {meaning}" for meaning, column in columns.texts.items() if column != meaning]
    if renamed:
        yield f"{path.name}: takes {', '.join(renamed)}"
    if columns.unused:
        yield f"columns of {path.name} that are not used: {', '.join(sorted(columns.unused))}"
    yield from stretches.notes(path_tail)


def _clip(
    values: Mapping[str, Any], columns: Columns, stretches: Stretches, root: str, faults: list[str]
) -> Clip | None:
    """Make a clip of one row, or put into `faults` what is wrong with it."""
    cells = {meaning: _text(values.get(column), column, faults) for meaning, column in columns.texts.items()}
    label, speaker, split = cells["label"], cells.get("speaker", ""), cells.get("split", "")
    faults += [f"{columns.texts[name]} is missing" for name in _NEEDED if values.get(columns.texts[name]) in (None, "")]
    faults += _misnamed(cells, columns)
    only_trains = split.lower() == ONLY_TRAINS
    if split and not only_trains and split.lower() not in PART_NAMES:
        known = ("train", "validation", "test", ONLY_TRAINS)
        faults.append(f"unknown split '{split}'; {did_you_mean(split.lower(), known)}")
    if faults:
        return None
    path = clip_path(str(values[columns.texts["path"]]).strip(), root)
    start, end = stretches.read(path, values, faults)
    part = "train" if only_trains else PART_NAMES.get(split.lower())
    return None if faults else Clip(path, label, speaker or None, part, start, end, keeps_part=only_trains)


def _text(value: Any, column: str, faults: list[str]) -> str:
    """Give what a cell says; only texts and whole numbers can name something."""
    if value is None:
        return ""
    if isinstance(value, str | int) and not isinstance(value, bool):
        return spelled(str(value))
    kind = "an object" if isinstance(value, dict) else "a list" if isinstance(value, list) else json.dumps(value)
    faults.append(f"{column} is {kind}, must be a text or a whole number")
    return ""


def _misnamed(cells: Mapping[str, str], columns: Columns) -> Iterator[str]:
    """Yield what is wrong with names that are there."""
    for meaning, cell in cells.items():
        column = columns.texts[meaning]
        if not _writable(cell):
            yield f"{column} holds characters that no name can have"
        elif meaning == "label" and cell.lower() in _NO_LABELS:
            yield f"{column} is {cell}, which stands for nothing; write the word, or take the row out"
        elif meaning == "speaker" and cell.lower() in _NO_SPEAKERS:
            yield f"{column} is {cell}, which stands for nobody; leave the cell empty where the speaker is not known"


def _writable(text: str) -> bool:
    try:
        return "\0" not in text and bool(text.encode() or True)
    except UnicodeEncodeError:
        return False
