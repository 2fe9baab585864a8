"""What a detector is: numbers read off every recording, and a judgement once all of them are known."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from sayso.audio import AudioFormat
from sayso.data.clips import Clip
from sayso.data.corpus import Corpus
from sayso.data.faults.recording import Recording
from sayso.system.progress import Progress

__all__ = ["LEAST_OF_GROUP", "Detector", "Finding", "Values", "against_group", "spread"]

Values = NDArray[np.float64]
LEAST_OF_GROUP = 20
"""A speaker or word of fewer clips is no measure of its own."""
_MAD_TO_DEVIATION = 1.4826


@dataclass(frozen=True)
class Finding:
    """One fault of one clip."""

    row: int
    """Which clip of the corpus."""
    severity: float
    """Larger is worse; compared only with findings of the same fault."""
    detail: str
    """What was measured, for a person."""
    other: int | None = None
    """The clip that it repeats."""


class Detector:
    """Base of every detector; one has no state, so that threads may share it."""

    name: ClassVar[str]
    """What `--only` and the exclusion file call the fault."""
    place: ClassVar[int]
    """Findings are shown in rising order of it, and a clip is excluded for the first of its faults."""
    title: ClassVar[str]
    meaning: ClassVar[str]
    """What the fault is and what it does to a training, in a sentence or two."""
    threshold: ClassVar[str]
    """From where on a clip is named, in words and numbers."""
    names_silent: ClassVar[bool] = False
    """Whether clips in which nothing is to be heard can have the fault; of the others they would be named by chance."""
    means_silent: ClassVar[bool] = False
    """Whether in a clip that has the fault nothing is to be heard."""
    trains: ClassVar[bool] = False
    """Whether it trains models: it is asked for by `--mislabels` or by its name, and works when all others are done."""
    quick: ClassVar[bool] = False
    """Whether packed samples are enough to judge it, without a false alarm: it is looked for before every training."""
    excludes: ClassVar[bool] = True
    """Whether the exclusion file names its clips: they would teach something untrue."""

    def measure(self, recording: Recording, audio: AudioFormat) -> Sequence[float]:
        """Numbers of one recording, as many for each; none where the packed samples are enough."""
        del recording, audio
        return ()

    def why_not(self, clips: Sequence[Clip]) -> str | None:
        """Why this fault cannot be looked for among these clips, such as "needs 100 clips"; None: it can."""
        del clips
        return None

    def find(self, values: Values, corpus: Corpus, progress: Progress, *, threads: int) -> Iterable[Finding]:
        """Judge all clips; asked only where `why_not` says nothing.

        Args:
            values: what `measure` gave, (clips, numbers).
            corpus: the clips that could be read, as they will reach a model.
            progress: where to report.
            threads: of a training.
        """
        raise NotImplementedError


def against_group(values: Values, clips: Sequence[Clip], *, by_word: bool) -> Values:
    """Values less the median of the clip's word (if `by_word`) and of its speaker, each where it has 20 clips.

    What is left is less the median of all. Shapes: (clips, numbers) to the same.
    """
    left = values - np.median(values, axis=0)
    keys = [[clip.label for clip in clips]] if by_word else []
    for names in (*keys, [clip.speaker for clip in clips]):
        rows: dict[str, list[int]] = {}
        for row, name in enumerate(names):
            if name is not None:
                rows.setdefault(name, []).append(row)
        for group in rows.values():
            if len(group) >= LEAST_OF_GROUP:
                left[group] -= np.median(left[group], axis=0)
    return left


def spread(values: Values) -> float:
    """Standard deviation as the median distance from the median tells it, which outliers do not move; (clips,)."""
    return float(np.median(np.abs(values - np.median(values)))) * _MAD_TO_DEVIATION
