"""Clips far longer or shorter than the others."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np

from sayso.audio import AudioFormat
from sayso.data.corpus import Corpus
from sayso.data.faults.detector import Detector, Finding, Values, against_group, spread
from sayso.data.faults.recording import Recording
from sayso.system.progress import Progress

__all__ = ["Length"]

TIMES = 2.0
DEVIATIONS = 4.0


class Length(Detector):
    """Length of the file and of the speech in it, against clips of the same word and speaker."""

    name: ClassVar[str] = "length"
    place: ClassVar[int] = 90
    title: ClassVar[str] = "Unusual length"
    meaning: ClassVar[str] = (
        "The file, or the speech in it, is far longer or shorter than other clips of the word and the speaker: "
        "several words, a part of one, or a click. Slow and fast speakers are also met, so such clips are named but "
        "not excluded."
    )
    threshold: ClassVar[str] = (
        f"{TIMES:g} times as long or as short as the others, and {DEVIATIONS:g} deviations from them"
    )
    excludes: ClassVar[bool] = False

    def measure(self, recording: Recording, audio: AudioFormat) -> Sequence[float]:
        """Length of the file and of the speech, as logarithms of seconds to base 2."""
        del audio
        return recording.lengths_log2.tolist()

    def find(self, values: Values, corpus: Corpus, progress: Progress, *, threads: int) -> Iterator[Finding]:
        """Name clips whose length is far from the others'."""
        del progress, threads
        left = against_group(values, corpus.clips, by_word=True)
        least = np.array([max(float(np.log2(TIMES)), DEVIATIONS * spread(column)) for column in left.T])
        excess = np.abs(left) / least
        for row in np.flatnonzero(excess.max(axis=1) > 1):
            column = int(excess[row].argmax())
            seconds, times = 2 ** values[row, column], 2 ** abs(left[row, column])
            what, how = ("file", "speech")[column], "long" if left[row, column] > 0 else "short"
            detail = f"{seconds:.2f} s of {what}, {times:.1f} times as {how} as others"
            yield Finding(int(row), float(excess[row, column]), detail)
