"""Clips whose peaks were cut flat."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from sayso.audio import AudioFormat
from sayso.data.corpus import Corpus
from sayso.data.faults.detector import Detector, Finding, Values
from sayso.data.faults.recording import Recording
from sayso.system.progress import Progress
from sayso.system.wording import percent

__all__ = ["Clipping"]

SHARE = 0.005
_NEAR = 0.995
_LOUDEST_SILENCE = 0.002


class Clipping(Detector):
    """Share of samples that lie three or more in a row at the highest or lowest value of the clip."""

    name: ClassVar[str] = "clipping"
    place: ClassVar[int] = 60
    title: ClassVar[str] = "Clipping"
    meaning: ClassVar[str] = (
        "The recording was too loud for its range, so that peaks are cut flat and the sound is distorted. The word can "
        "still be true, so such clips are named but not excluded."
    )
    threshold: ClassVar[str] = (
        f"{100 * SHARE:g} % of the samples lie three or more in a row at the clip's highest or lowest value"
    )
    excludes: ClassVar[bool] = False

    def measure(self, recording: Recording, audio: AudioFormat) -> Sequence[float]:
        """Share of samples on a plateau, 0 to 1."""
        del audio
        x = recording.wave
        highest, lowest = float(x.max()), float(x.min())
        flat = 0
        for near, height in ((x >= _NEAR * highest, highest), (x <= _NEAR * lowest, -lowest)):
            # Faint clips have few steps, so that any crest of theirs is flat.
            if height > _LOUDEST_SILENCE:
                flat += int(np.count_nonzero(_in_rows_of_three(near)))
        return (flat / len(x),)

    def find(self, values: Values, corpus: Corpus, progress: Progress, *, threads: int) -> Iterator[Finding]:
        """Name clips with plateaus."""
        del corpus, progress, threads
        share = values[:, 0]
        for row in np.flatnonzero(share >= SHARE):
            yield Finding(int(row), float(share[row]), f"{percent(share[row])} of its samples cut flat")


def _in_rows_of_three(marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Those that stand three or more in a row."""
    middle = marked[:-2] & marked[1:-1] & marked[2:]
    found = np.zeros_like(marked)
    for shift in range(3):
        found[shift : shift + len(middle)] |= middle
    return found
