"""Clips without a word in them: digital silence, or nothing but a faint background."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np

from sayso.audio import AudioFormat
from sayso.data.corpus import Corpus
from sayso.data.faults.detector import Detector, Finding, Values, against_group
from sayso.data.faults.recording import Recording
from sayso.system.progress import Progress

__all__ = ["Silence"]

SILENT_DB = -55.0
FLAT_DB = 8.0
QUIETER_DB = 18.0


class Silence(Detector):
    """Level of the loudest frames, and how far they stand above the quietest."""

    name: ClassVar[str] = "silence"
    place: ClassVar[int] = 10
    title: ClassVar[str] = "Silence"
    meaning: ClassVar[str] = "Nothing, or nearly nothing, is to be heard. A model learns that silence is this word."
    threshold: ClassVar[str] = (
        f"loudest 5 % of the clip below {SILENT_DB:g} dBFS; or its level changes by less than {FLAT_DB:g} dB and is "
        f"{QUIETER_DB:g} dB below that of the speaker's other clips"
    )
    names_silent: ClassVar[bool] = True
    quick: ClassVar[bool] = True
    means_silent: ClassVar[bool] = True

    def measure(self, recording: Recording, audio: AudioFormat) -> Sequence[float]:
        """Level of the loudest frames in dBFS, and its height above the quietest in dB."""
        del audio
        return recording.speech_db, recording.speech_db - recording.floor_db

    def find(self, values: Values, corpus: Corpus, progress: Progress, *, threads: int) -> Iterator[Finding]:
        """Name clips that are silent, or flat and faint."""
        del progress, threads
        level, contrast = values.T
        left = against_group(values[:, :1], corpus.clips, by_word=False)[:, 0]
        flat = (contrast < FLAT_DB) & (left < -QUIETER_DB)
        for row in np.flatnonzero((level < SILENT_DB) | flat):
            yield Finding(int(row), -float(level[row]), f"loudest part at {level[row]:.0f} dBFS")
