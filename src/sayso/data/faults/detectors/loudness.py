"""Clips far louder or quieter than the others."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np

from sayso.audio import AudioFormat
from sayso.data.corpus import Corpus
from sayso.data.faults.detector import Detector, Finding, Values, against_group, spread
from sayso.data.faults.recording import Recording
from sayso.system.progress import Progress

__all__ = ["Loudness"]

APART_DB = 18.0
DEVIATIONS = 3.2


class Loudness(Detector):
    """Level of the word against that of the speaker's other clips, or of all where a speaker has few."""

    name: ClassVar[str] = "loudness"
    place: ClassVar[int] = 80
    title: ClassVar[str] = "Unusual loudness"
    meaning: ClassVar[str] = (
        "Far louder or quieter than other clips of the speaker, or of the set where a speaker has few. A model should "
        "meet such clips, so they are named but not excluded."
    )
    threshold: ClassVar[str] = (
        f"level of the loudest part {APART_DB:g} dB and {DEVIATIONS:g} deviations from the others'"
    )
    excludes: ClassVar[bool] = False

    def measure(self, recording: Recording, audio: AudioFormat) -> Sequence[float]:
        """Level of the word in dBFS."""
        del audio
        return (recording.speech_db,)

    def find(self, values: Values, corpus: Corpus, progress: Progress, *, threads: int) -> Iterator[Finding]:
        """Name clips whose level is far from the others'."""
        del progress, threads
        left = against_group(values, corpus.clips, by_word=False)[:, 0]
        least = max(APART_DB, DEVIATIONS * spread(left))
        for row in np.flatnonzero(np.abs(left) > least):
            how = "louder" if left[row] > 0 else "quieter"
            yield Finding(int(row), abs(float(left[row])), f"{abs(left[row]):.0f} dB {how} than the others")
