"""A model and clips in, probabilities and scores out; always float32, never augmented."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.data.corpus import Corpus, Rows
from sayso.metrics.scores import score

__all__ = [
    "score_rows",
]


def score_rows(corpus: Corpus, rows: Rows, probabilities: NDArray[np.float64], labels: Sequence[str]) -> dict[str, Any]:
    """Scores of these rows, as `metrics.json` holds them; `labels` are the model's."""
    index = {label: i for i, label in enumerate(labels)}
    targets = np.array([index[corpus.clips[row].label] for row in rows], dtype=np.int64)
    speakers = [corpus.clips[row].speaker for row in rows]
    return score(targets, probabilities, labels=labels, speakers=speakers)
