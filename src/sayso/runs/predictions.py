"""`predictions.csv`: every test clip with its probabilities."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sayso.data.corpus import Corpus, Rows
from sayso.system.files import csv_text, write_text

__all__ = ["PREDICTION_COLUMNS", "write_predictions"]

PREDICTION_COLUMNS = ("clip", "start_seconds", "speaker", "label", "predicted")
"""Of `predictions.csv`, before every word's probability."""


def write_predictions(
    path: Path, corpus: Corpus, rows: Rows, probabilities: NDArray[np.float64], labels: Sequence[str]
) -> None:
    """Write `predictions.csv`: clip, start, speaker, label, predicted, and every word's probability."""
    header = [*PREDICTION_COLUMNS, *(f"p({label})" for label in labels)]
    lines: list[list[object]] = []
    for row, shares in zip(rows, probabilities, strict=True):
        clip = corpus.clips[row]
        known = [clip.path, clip.start_seconds, clip.speaker, clip.label, labels[int(shares.argmax())]]
        # Nine digits give every float32 back exactly.
        lines.append([*known, *(f"{share:.9g}" for share in shares)])
    write_text(path, csv_text([header, *lines]))
