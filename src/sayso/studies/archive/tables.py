"""The table of an archive's answers as CSV, JSON lines or Parquet, by the ending of its name."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import IO, Any

from sayso.errors import OutputError
from sayso.studies.archive.answers import Column
from sayso.system.files import atomic_path, csv_text
from sayso.system.installed import needing_package

__all__ = ["check_table", "write_table"]

_ENDINGS = (".parquet", ".csv", ".jsonl")
_ROWS_AT_ONCE = 10_000

Row = Sequence[Any]


def check_table(path: Path) -> None:
    """See, before long work, that a table of this name can be written.

    Raises:
        OutputError: its ending is none of a table.
        MissingExtraError: it is Parquet, and the package for that is missing.
    """
    if path.suffix.lower() not in _ENDINGS:
        raise OutputError(f"{path}: a table ends in .parquet, .csv or .jsonl")
    if path.suffix.lower() == ".parquet":
        with needing_package("pyarrow", "Parquet files (.csv and .jsonl do without)", extra="parquet"):
            import_module("pyarrow")


def write_table(path: Path, columns: Sequence[Column], rows: Iterable[Row], facts: Mapping[str, Any]) -> None:
    """Write rows as they come, a cell for each column, so that no more than some thousands are held.

    Args:
        path: replaced when all of it is written.
        columns: name and kind of each.
        rows: of texts, numbers and None; what UTF-8 cannot hold, such as odd bytes of a file name, becomes an escape.
        facts: what made it; only Parquet has a place for that, the key `sayso` of its metadata.

    Raises:
        OutputError: the place cannot be written.
    """
    writers = {".csv": _write_csv, ".jsonl": _write_lines}
    with atomic_path(path) as temporary:
        if writer := writers.get(path.suffix.lower()):
            with temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
                writer(file, [column.name for column in columns], rows)
        else:
            _write_parquet(temporary, columns, rows, facts)


def _write_csv(file: IO[str], names: Sequence[str], rows: Iterable[Row]) -> None:
    file.write(csv_text([names]))
    for some in _in_blocks(rows):
        file.write(csv_text(some))


def _write_lines(file: IO[str], names: Sequence[str], rows: Iterable[Row]) -> None:
    for row in rows:
        file.write(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) + "\n")


def _write_parquet(path: Path, columns: Sequence[Column], rows: Iterable[Row], facts: Mapping[str, Any]) -> None:
    import pyarrow
    from pyarrow import parquet

    kinds: dict[type, Any] = {str: pyarrow.string(), float: pyarrow.float64()}
    fields = [pyarrow.field(column.name, kinds[column.kind]) for column in columns]
    schema = pyarrow.schema(fields, metadata={"sayso": json.dumps(facts)})
    with parquet.ParquetWriter(path, schema) as writer:
        for some in _in_blocks(rows):
            cells = [list(map(_spell, column)) for column in zip(*some, strict=True)]
            arrays = [pyarrow.array(column, field.type) for column, field in zip(cells, schema, strict=True)]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))


def _in_blocks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    waiting = iter(rows)
    while some := list(islice(waiting, _ROWS_AT_ONCE)):
        yield some


def _spell(cell: Any) -> Any:
    return cell.encode(errors="backslashreplace").decode() if isinstance(cell, str) else cell
