"""Clips that play too fast or too slow, as with a wrong sample rate in the header.

What that does is known: on a scale of octaves the whole spectrum moves by one, and lengths double or halve. So the set
itself teaches the difference: its clips as they are, against the same clips moved by an octave either way.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np

from sayso.audio import AudioFormat
from sayso.data.clips import Clip
from sayso.data.corpus import Corpus
from sayso.data.faults.detector import Detector, Finding, Values, against_group
from sayso.data.faults.discriminant import LEAST_CLIPS, log_odds
from sayso.data.faults.recording import Recording
from sayso.system.progress import Progress

__all__ = ["WrongRate"]

LOG_ODDS = 1.0
_LOWEST_HZ = 25.0
_PER_OCTAVE = 4
_LOWEST_SHARE = 1e-7
_LENGTHS = 2
_LENGTH_DOUBT = 0.2
"""In octaves: files of one length, as in Speech Commands, would make any other length a wrong rate."""


class WrongRate(Detector):
    """Log-odds of linear discriminants between the clips and the same an octave higher or lower."""

    name: ClassVar[str] = "wrong-rate"
    place: ClassVar[int] = 30
    title: ClassVar[str] = "Wrong rate"
    meaning: ClassVar[str] = (
        "Pitch, timbre and length are as if the clip were played at twice or half its speed: its header, or a program "
        "on the way, took the wrong sample rate."
    )
    threshold: ClassVar[str] = (
        f"log-odds above {LOG_ODDS:g} that it is an octave too high or too low, by a discriminant that learnt from the "
        f"set's own clips; needs {LEAST_CLIPS} clips"
    )

    def measure(self, recording: Recording, audio: AudioFormat) -> Sequence[float]:
        """Share of the energy in each quarter octave from 25 Hz in dB, then log2 of file and speech length."""
        octaves = np.log2(audio.sample_rate / 2 / _LOWEST_HZ)
        edges = _LOWEST_HZ * 2.0 ** (np.arange(int(octaves * _PER_OCTAVE) + 1) / _PER_OCTAVE)
        below = recording.energy_below[[recording.bin_of(hertz) for hertz in edges]]
        shares_db = 10 * np.log10(np.diff(below) + _LOWEST_SHARE)
        return [*shares_db.tolist(), *recording.lengths_log2.tolist()]

    def why_not(self, clips: Sequence[Clip]) -> str | None:
        """Few clips do not teach how the set sounds."""
        return None if len(clips) >= LEAST_CLIPS else f"needs {LEAST_CLIPS} clips, here are {len(clips)}"

    def find(self, values: Values, corpus: Corpus, progress: Progress, *, threads: int) -> Iterator[Finding]:
        """Name clips that sound like the set's clips an octave away."""
        del progress, threads
        left = against_group(values, corpus.clips, by_word=True)
        offset = values - left
        doubt = np.zeros(values.shape[1])
        doubt[-_LENGTHS:] = _LENGTH_DOUBT
        odds = np.stack([log_odds(left, _moved(values, octave) - offset, doubt=doubt) for octave in (1, -1)], axis=1)
        for row in np.flatnonzero(odds.max(axis=1) > LOG_ODDS):
            how = ("fast", "slow")[int(odds[row].argmax())]
            worst = float(odds[row].max())
            yield Finding(int(row), worst, f"sounds twice as {how} as the others (log-odds {worst:.0f})")


def _moved(values: Values, octave: int) -> Values:
    """The same clips played at twice (1) or half (-1) their speed; above the band there is nothing."""
    bands = values[:, :-_LENGTHS]
    moved = np.full_like(values, 10 * np.log10(_LOWEST_SHARE))
    if octave > 0:
        moved[:, _PER_OCTAVE:-_LENGTHS] = bands[:, :-_PER_OCTAVE]
    else:
        moved[:, : -_PER_OCTAVE - _LENGTHS] = bands[:, _PER_OCTAVE:]
    moved[:, -_LENGTHS:] = values[:, -_LENGTHS:] - octave
    return moved
