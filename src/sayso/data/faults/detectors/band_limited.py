"""Clips that lack the upper part of the sound that the rest of the set has."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np

from sayso.audio import AudioFormat
from sayso.data.corpus import Corpus
from sayso.data.faults.detector import Detector, Finding, Values, against_group, spread
from sayso.data.faults.recording import Recording
from sayso.system.progress import Progress

__all__ = ["BandLimited"]

TELEPHONE_HZ = 3400.0
SHARE_OF_BAND = 0.55
LESS_DB = 20.0
DEVIATIONS = 4.0
_LEAST_SHARE = 1e-9


class BandLimited(Detector):
    """Share of the energy in the upper part of the band, against other clips of the same word and speaker."""

    name: ClassVar[str] = "band-limited"
    place: ClassVar[int] = 70
    title: ClassVar[str] = "Band-limited sound"
    meaning: ClassVar[str] = (
        "The upper part of the sound is missing, as after a telephone or a lower sample rate, where other clips have "
        "it. The word can still be true, so such clips are named but not excluded."
    )
    threshold: ClassVar[str] = (
        f"share of the energy above {TELEPHONE_HZ:,.0f} Hz (above {100 * SHARE_OF_BAND:g} % of the band at low rates) "
        f"{LESS_DB:g} dB and {DEVIATIONS:g} deviations below that of other clips of the word and the speaker"
    )
    excludes: ClassVar[bool] = False

    def measure(self, recording: Recording, audio: AudioFormat) -> Sequence[float]:
        """Share of the energy in the upper part, in dB; 0 dB where there is no sound to judge."""
        if recording.energy_below[-1] < 0.5:
            return (0.0,)
        lowest_hz = min(TELEPHONE_HZ, SHARE_OF_BAND * audio.sample_rate / 2)
        above = 1.0 - float(recording.energy_below[recording.bin_of(lowest_hz)])
        return (10 * float(np.log10(max(above, _LEAST_SHARE))),)

    def find(self, values: Values, corpus: Corpus, progress: Progress, *, threads: int) -> Iterator[Finding]:
        """Name clips with far less high sound than the others."""
        del progress, threads
        left = against_group(values, corpus.clips, by_word=True)[:, 0]
        least = max(LESS_DB, DEVIATIONS * spread(left))
        for row in np.flatnonzero(left < -least):
            yield Finding(int(row), -float(left[row]), f"{-left[row]:.0f} dB less high sound than other clips")
