"""The rows of a manifest, read strictly: whatever does not fit is told with its line, and nothing is made to fit."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sayso.errors import DataError
from sayso.system.files import why_unread
from sayso.system.wording import counted

__all__ = ["ONE_A_LINE", "Row", "column_name", "read_rows"]

ONE_A_LINE = "write one clip a line, with its path and its label (in CSV below a first line that names the columns)"
# A cell in quotes, or without any.
_CELL = {mark: re.compile(rf'\s*"((?:[^"]|"")*)"\s*|([^"{mark}]*)') for mark in ",;"}
_QUOTES = 'put quotes around a cell that holds a comma or a quote, and write a quote inside it twice ("")'
_OBJECT = 'is no JSON object, such as {"path": "a.wav", "label": "yes"}'


@dataclass(frozen=True)
class Row:
    """One line of a manifest: what it says by column, or what is wrong with it."""

    line: int
    """As an editor counts, from 1."""
    values: Mapping[str, Any]
    """By the column's name as `column_name` writes it; texts from CSV, whatever JSON holds from JSONL."""
    fault: str = ""


def column_name(name: str) -> str:
    """Write the name of a column in one way: lower case, with underscores.

    >>> column_name(" Start Time (ms)")
    'start_time_ms'
    """
    kept = "".join(sign for sign in name.strip().lower() if sign not in "()[]")
    return "_".join(kept.replace("-", " ").split())


def read_rows(path: Path) -> list[Row]:
    """Read every row of a manifest, those that do not fit with their fault.

    Raises:
        DataError: it has another ending, is empty, no text, or its first line cannot be used.
    """
    readers: dict[str, Callable[[Path, list[str]], Iterator[Row]]] = {
        ".csv": _csv_rows,
        ".tsv": _csv_rows,
        ".jsonl": _json_rows,
        ".ndjson": _json_rows,
        ".json": _json_rows,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path}: is neither a folder nor a manifest; a manifest ends in {', '.join(readers)}")
    try:
        # Lines end as editors count them; other signs that Python takes for ends of lines may stand in a name.
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (UnicodeDecodeError, OSError) as error:
        raise DataError(f"{path}: {why_unread(error, f'cannot be read as a manifest in UTF-8 ({error})')}") from error
    if not any(line.strip() for line in lines):
        raise DataError(f"{path}: an empty manifest; {ONE_A_LINE}")
    return list(reader(path, lines))


def _csv_rows(path: Path, lines: list[str]) -> Iterator[Row]:
    mark = _delimiter(path, lines[0])
    header = _header(path, lines[0], mark)
    for line, text in enumerate(lines[1:], start=2):
        if not text.strip(f"{mark} \t\r"):
            continue
        try:
            yield Row(line, _named_cells(_cells(text, mark), header))
        except ValueError as error:
            yield Row(line, {}, str(error))


def _delimiter(path: Path, header: str) -> str:
    if path.suffix.lower() == ".tsv" or ("\t" in header and "," not in header):
        return "\t"
    return ";" if ";" in header and "," not in header else ","


def _header(path: Path, text: str, mark: str) -> list[str]:
    try:
        names = [column_name(cell) for cell in _cells(text, mark)]
    except ValueError as error:
        raise DataError(f"{path}: line 1: {error}") from error
    if twice := [name for name, count in Counter(names).items() if name and count > 1]:
        raise DataError(f"{path}: line 1 names the column {twice[0]} more than once; take one out, or rename it")
    while len(names) > 1 and not names[-1]:
        del names[-1]
    return names


def _named_cells(cells: list[str], header: list[str]) -> dict[str, str]:
    """Put the cells of a line under their columns; raises ValueError where they are not as many."""
    while len(cells) > len(header) and not cells[-1].strip():
        del cells[-1]
    if len(cells) != len(header):
        names = ", ".join(header)
        has = f"has {counted(len(cells), 'cell')}, and the first line names {counted(len(header), 'column')} ({names})"
        raise ValueError(f"{has}; {_QUOTES}" if len(cells) > len(header) else has)
    for name, cell in zip(header, cells, strict=True):
        if not name and cell.strip():
            raise ValueError(f"'{cell.strip()}' stands in a column that the first line does not name")
    return {name: cell for name, cell in zip(header, cells, strict=True) if name}


def _cells(text: str, mark: str) -> list[str]:
    """Divide a line into cells; raises ValueError where a quote is not in its place."""
    text = text.removesuffix("\r")
    if mark == "\t":  # cannot stand in a cell, so that quotes are needed nowhere, and often are part of a sentence
        return [_unquoted(cell) for cell in text.split(mark)]
    cells: list[str] = []
    end = -1
    while end < len(text):
        cell = _CELL[mark].match(text, end + 1)
        if cell is None or text[cell.end() : cell.end() + 1] not in ("", mark):
            raise ValueError(f"column {len(cells) + 1} has a quote that is not in its place, or not closed; {_QUOTES}")
        cells.append(cell[2] if cell[1] is None else cell[1].replace('""', '"'))
        end = cell.end()
    return cells


def _unquoted(cell: str) -> str:
    inner = cell[1:-1]
    whole = len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in inner.replace('""', "")
    return inner.replace('""', '"') if whole else cell


def _json_rows(path: Path, lines: list[str]) -> Iterator[Row]:
    del path
    for line, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        try:
            found = json.loads(text, object_pairs_hook=_once_each)
        except (json.JSONDecodeError, RecursionError):
            yield Row(line, {}, _OBJECT)
        except ValueError as error:
            yield Row(line, {}, str(error))
        else:
            yield Row(line, found) if isinstance(found, dict) else Row(line, {}, _OBJECT)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [column_name(name) for name, _ in pairs]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise ValueError(f"has the key {twice[0]} more than once; take one out, or rename it")
    return dict(zip(names, (value for _, value in pairs), strict=True))
