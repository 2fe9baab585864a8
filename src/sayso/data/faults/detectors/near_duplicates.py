"""The same recording twice, as it is or changed on the way."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from sayso.audio import without_offset
from sayso.data.corpus import Corpus
from sayso.data.faults.detector import Detector, Finding, Values
from sayso.data.near_copies import look_up_near_copies
from sayso.system.progress import Progress

__all__ = ["NearDuplicates"]

_LEAST_PEAK = 64
"""Of int16; below it there is no sound that could be alike, only the very same samples."""


class NearDuplicates(Detector):
    """Near copies among the packed samples."""

    name: ClassVar[str] = "near-duplicates"
    place: ClassVar[int] = 40
    title: ClassVar[str] = "Near-duplicates"
    meaning: ClassVar[str] = (
        "The same recording is there before, as it is or resampled, shifted, louder or re-encoded. In "
        "training and test at once it makes a score too good. The later one is excluded, and both where their words "
        "differ, since one of them is wrong."
    )
    threshold: ClassVar[str] = (
        "two waveforms that agree as no two takes of a word do, by the check that also guards trainings"
    )
    names_silent: ClassVar[bool] = True
    quick: ClassVar[bool] = True

    def find(self, values: Values, corpus: Corpus, progress: Progress, *, threads: int) -> Iterator[Finding]:
        """Name the later clip of each pair, and both where their words differ."""
        del values, threads
        clips = corpus.clips
        named: set[int] = set()
        for pair in look_up_near_copies(corpus, progress=progress):
            peak = float(np.abs(without_offset(corpus.samples[pair.first])).max())
            if peak < _LEAST_PEAK and pair.likeness < 1:
                continue
            first, second = clips[pair.first].label, clips[pair.second].label
            sure = f"likeness {pair.likeness:.3f}"
            both = first != second
            if pair.second not in named:
                words = f"also there as '{first}'" if both else "there before"
                yield Finding(pair.second, pair.likeness + both, f"{words} ({sure})", pair.first)
            if both and pair.first not in named:
                yield Finding(pair.first, pair.likeness + 1, f"also there as '{second}' ({sure})", pair.second)
                named.add(pair.first)
            named.add(pair.second)
