"""Clips whose samples swing about another value than zero."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np

from sayso.audio import AudioFormat
from sayso.data.corpus import Corpus
from sayso.data.faults.detector import Detector, Finding, Values
from sayso.data.faults.recording import Recording
from sayso.system.progress import Progress
from sayso.system.wording import percent

__all__ = ["Offset"]

LEAST = 0.02


class Offset(Detector):
    """The mean of the samples, in full scale."""

    name: ClassVar[str] = "offset"
    place: ClassVar[int] = 65
    title: ClassVar[str] = "Offset"
    meaning: ClassVar[str] = (
        "The samples swing about another value than zero: a recorder's direct current, or unsigned numbers taken for "
        "signed ones. It is not heard, and left out of what all other faults are judged by, but a model is given it."
    )
    threshold: ClassVar[str] = f"mean of the samples {100 * LEAST:g} % of full scale or more from zero"
    names_silent: ClassVar[bool] = True
    excludes: ClassVar[bool] = False

    def measure(self, recording: Recording, audio: AudioFormat) -> Sequence[float]:
        """Mean of the samples, -1 to 1."""
        del audio
        return (recording.offset,)

    def find(self, values: Values, corpus: Corpus, progress: Progress, *, threads: int) -> Iterator[Finding]:
        """Name clips that are far from zero."""
        del corpus, progress, threads
        offset = values[:, 0]
        for row in np.flatnonzero(np.abs(offset) >= LEAST):
            side = "above" if offset[row] > 0 else "below"
            yield Finding(int(row), abs(float(offset[row])), f"{percent(abs(offset[row]))} of full scale {side} zero")
