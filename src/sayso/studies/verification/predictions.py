"""What `predictions.csv` holds, read back."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sayso.data.clips import Clip
from sayso.data.corpus import Corpus, Rows
from sayso.errors import RunError
from sayso.runs.predictions import PREDICTION_COLUMNS
from sayso.system.wording import counted, path_tail

__all__ = ["Predictions", "other_clips", "read_predictions"]


@dataclass(frozen=True, eq=False)
class Predictions:
    """The answers of a run."""

    clips: tuple[tuple[str, str, str, str], ...]
    """Path, start in seconds as text, speaker and label of each clip."""
    predicted: tuple[str, ...]
    labels: tuple[str, ...]
    probabilities: NDArray[np.float64]
    """(clips, labels)"""


def read_predictions(path: Path) -> Predictions:
    """Read them.

    Raises:
        RunError: the file is not there, or not what a run leaves: at least one clip, two words, finite probabilities.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = list(csv.reader(file))
        first = len(PREDICTION_COLUMNS)
        labels = tuple(name.removeprefix("p(").removesuffix(")") for name in header[first:])
        shares = np.array([[float(cell) for cell in row[first:]] for row in rows], np.float64)
        if tuple(header[:first]) != PREDICTION_COLUMNS or shares.shape != (len(rows), len(labels)) or not shares.size:
            raise ValueError("not what a run leaves")
        if not np.isfinite(shares).all():
            raise ValueError("not all numbers")
    except FileNotFoundError as error:
        raise RunError(f"{path}: is not there") from error
    except (OSError, ValueError, IndexError, csv.Error) as error:
        raise RunError(f"{path}: is damaged") from error
    clips = tuple((row[0], row[1], row[2], row[3]) for row in rows)
    return Predictions(clips, tuple(row[4] for row in rows), labels, shares)


def other_clips(read: Predictions, corpus: Corpus, test: Rows) -> str:
    """Where the answers are not those of the test part, in order; empty where they are."""
    wanted = [_row(corpus.clips[row]) for row in test]
    there = [(path_tail(path), *rest) for path, *rest in read.clips]
    if len(wanted) != len(there):
        return f"{counted(len(there), 'clip')} in predictions.csv, {len(wanted)} in the test part"
    for line, (one, other) in enumerate(zip(there, wanted, strict=True), start=2):
        if tuple(one) != other:
            return f"predictions.csv, line {line}: {' '.join(one)}, but the test part has {' '.join(other)} there"
    return ""


def _row(clip: Clip) -> tuple[str, str, str, str]:
    start = "" if clip.start_seconds is None else str(clip.start_seconds)
    return (path_tail(_written(clip.path)), start, _written(clip.speaker or ""), _written(clip.label))


def _written(text: str) -> str:
    """As `write_text` spells it: odd bytes of a file name as an escape."""
    return text.encode(errors="backslashreplace").decode()
