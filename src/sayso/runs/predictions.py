"""`predictions.csv`: every test clip with its probabilities; the one writer and the one reader of it."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sayso.data.corpus import Corpus, Rows
from sayso.errors import RunError
from sayso.system.files import csv_text, why_unread, write_text
from sayso.system.wording import counted

__all__ = ["PredictedClip", "Predictions", "read_predictions", "write_predictions"]


class PredictedClip(NamedTuple):
    """What is told of a clip beside the answer, each as text; the columns before the answer."""

    clip: str
    """Its path."""
    start_seconds: str
    """Where it starts in its recording; empty where it is the whole of one."""
    speaker: str
    """Empty where not known."""
    label: str


_PREDICTED = "predicted"
_SHOWN = 50
_COLUMNS = (*PredictedClip._fields, _PREDICTED)


@dataclass(frozen=True, eq=False)
class Predictions:
    """The answers of a model on some clips."""

    clips: tuple[PredictedClip, ...]
    predicted: tuple[str, ...]
    """The most probable word of each clip, (clips,)."""
    labels: tuple[str, ...]
    """The model's words."""
    probabilities: NDArray[np.float64]
    """(clips, labels)"""

    @classmethod
    def of_rows(
        cls, corpus: Corpus, rows: Rows, probabilities: NDArray[np.float64], labels: Sequence[str]
    ) -> "Predictions":
        """Put together what a model answered on rows of a corpus; probabilities (rows, labels)."""
        clips = (corpus.clips[row] for row in rows)
        told = tuple(
            PredictedClip(clip.path, _text(clip.start_seconds), clip.speaker or "", clip.label) for clip in clips
        )
        best = tuple(labels[int(place)] for place in probabilities.argmax(axis=1))
        return cls(told, best, tuple(labels), probabilities)

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each clip's answer was its word, (clips,)."""
        pairs = zip(self.clips, self.predicted, strict=True)
        return np.array([clip.label == word for clip, word in pairs], dtype=np.bool_)

    def rows(self) -> list[dict[str, str | float | bool]]:
        """Give a row for each clip: what is told of it, the answer, its probability, and whether it was right.

        They make a table of any library, such as `pandas.DataFrame(run.predictions().rows())`.
        """
        answers = zip(self.clips, self.predicted, self.probabilities.max(axis=1), self.right, strict=True)
        return [
            {**clip._asdict(), _PREDICTED: word, "probability": float(share), "right": bool(right)}
            for clip, word, share, right in answers
        ]

    def _repr_html_(self) -> str:
        """Show wrong answers first, the surest at the top, and no more than fit a page."""
        ranked = sorted(self.rows(), key=lambda row: (row["right"], -float(row["probability"])))
        cells = [[row["clip"], row["label"], row[_PREDICTED], f"{row['probability']:.1%}"] for row in ranked[:_SHOWN]]
        head = "".join(f"<th>{name}</th>" for name in ("clip", "said", "heard as", "probability"))
        body = "".join(f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in line)}</tr>" for line in cells)
        wrong = len(self.right) - int(self.right.sum())
        told = f"{counted(len(ranked), 'clip')}, {wrong:,} wrong, these first; {len(cells):,} are shown"
        return f"<table><caption>{told}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write the file, atomically: each clip, the word predicted, and every word's probability.

    Raises:
        OutputError: it cannot be written there.
    """
    header = [*_COLUMNS, *(f"p({label})" for label in predictions.labels)]
    answers = zip(predictions.clips, predictions.predicted, predictions.probabilities, strict=True)
    # Nine digits give every float32 back exactly.
    lines = [[*clip, word, *(f"{share:.9g}" for share in shares)] for clip, word, shares in answers]
    write_text(path, csv_text([header, *lines]))


def read_predictions(path: Path) -> Predictions:
    """Read the file.

    Raises:
        RunError: it is not there, or not what a run leaves: at least one clip, two words, finite probabilities.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = list(csv.reader(file))
        first = len(_COLUMNS)
        labels = tuple(name.removeprefix("p(").removesuffix(")") for name in header[first:])
        shares = np.array([[float(cell) for cell in row[first:]] for row in rows], np.float64)
        if tuple(header[:first]) != _COLUMNS or shares.shape != (len(rows), len(labels)) or not shares.size:
            raise ValueError("not what a run leaves")
        if not np.isfinite(shares).all():
            raise ValueError("not all numbers")
    except FileNotFoundError as error:
        raise RunError(f"{path}: is not there") from error
    except (OSError, ValueError, IndexError, csv.Error) as error:
        raise RunError(f"{path}: {why_unread(error, 'is damaged')}") from error
    clips = tuple(PredictedClip(*row[: first - 1]) for row in rows)
    return Predictions(clips, tuple(row[first - 1] for row in rows), labels, shares)


def _text(start_seconds: float | None) -> str:
    return "" if start_seconds is None else str(start_seconds)
