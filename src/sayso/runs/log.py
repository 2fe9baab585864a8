"""`log.csv`: how every epoch went, written and read."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from sayso.errors import RunError
from sayso.system.files import write_text

__all__ = ["LogRow", "read_log", "write_log"]


@dataclass(frozen=True)
class LogRow:
    """One line of `log.csv`: how one epoch went on one set."""

    epoch: int
    set: str
    """`train` or `validation`."""
    loss: float
    accuracy: float
    """Share in [0, 1]; of augmented clips in training."""
    learning_rate: float
    """At the epoch's end."""
    seconds: float
    """How long the set took."""


def write_log(path: Path, rows: Sequence[LogRow]) -> None:
    """Write `log.csv`, atomically."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(LogRow.__dataclass_fields__), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {name: f"{value:.6g}" if isinstance(value, float) else value for name, value in asdict(row).items()}
        )
    write_text(path, text.getvalue())


def read_log(path: Path) -> list[LogRow]:
    """Read `log.csv`; empty when there is none yet.

    Raises:
        RunError: it is damaged.
    """
    if not path.is_file():
        return []
    numbers = ("loss", "accuracy", "learning_rate", "seconds")
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return [LogRow(int(row["epoch"]), row["set"], *(float(row[name]) for name in numbers)) for row in rows]
    except (KeyError, ValueError, TypeError, csv.Error) as error:
        raise RunError(f"{path}: damaged; train again, or remove the run") from error
