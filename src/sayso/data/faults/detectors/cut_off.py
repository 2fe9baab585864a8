"""Words that the recording began too late or ended too early for.

How a clip begins and ends when all of it is there differs from set to set: one leaves half a second of room, another is
trimmed to the first sound. So the set itself teaches the difference: its clips as they are, against the same cut in the
middle of the speech. Sets too small for that are held to a plain limit.
"""

import zlib
from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from sayso.audio import AudioFormat
from sayso.data.corpus import Corpus
from sayso.data.faults.detector import Detector, Finding, Values
from sayso.data.faults.discriminant import LEAST_CLIPS, log_odds
from sayso.data.faults.recording import FRAME_SECONDS, Recording
from sayso.system.progress import Progress

__all__ = ["CutOff"]

LOG_ODDS = 2.2
EDGE_DB = -3.0
CONTRAST_DB = 15.0
_FRAMES = 5
_WINDOW_FRAMES = 3
_BANDS_HZ = (0.0, 400.0, 800.0, 1400.0, 2200.0, 3300.0, 8000.0)
_EDGE_FLOOR_DB = -60.0
_FIRST_CUT, _LAST_CUT = 0.15, 0.65
_LENGTHS = 2
_LENGTH_DOUBT = 0.3
"""In octaves: files of one length would make any shorter one a cut."""
_NUMBERS = _FRAMES + len(_BANDS_HZ) - 1 + _LENGTHS


class CutOff(Detector):
    """Level and spectrum of the first and last 50 ms of the file, and lengths."""

    name: ClassVar[str] = "cut-off"
    place: ClassVar[int] = 20
    title: ClassVar[str] = "Cut-off words"
    meaning: ClassVar[str] = (
        "The file begins or ends in the middle of the sound, so that the word's first or last part is missing."
    )
    threshold: ClassVar[str] = (
        f"log-odds above {LOG_ODDS:g} that it was cut, by a discriminant that learnt from the set's own clips, cut on "
        f"purpose; below {LEAST_CLIPS} clips: first or last 20 ms less than {-EDGE_DB:g} dB below the word's level"
    )

    def measure(self, recording: Recording, audio: AudioFormat) -> Sequence[float]:
        """Numbers of both edges as they are, then of both edges of a cut, then contrast in dB."""
        del audio
        first, end = recording.speech_frames
        # Anywhere, but the same for the same recording.
        share = _FIRST_CUT + (_LAST_CUT - _FIRST_CUT) * (zlib.crc32(recording.samples.data) / 2**32)
        # Something of the speech stays, even of a single frame.
        cut = min(round(share * (end - first)), end - first - 1)
        size = round(FRAME_SECONDS * recording.sample_rate)
        late = Recording(recording.samples[(first + cut) * size :], recording.sample_rate)
        early = Recording(recording.samples[: max(1, end - cut) * size], recording.sample_rate)
        edges = (
            _edge(recording, at_end=False),
            _edge(recording, at_end=True),
            _edge(late, at_end=False),
            _edge(early, at_end=True),
        )
        return [*np.concatenate(edges).tolist(), recording.speech_db - recording.floor_db]

    def find(self, values: Values, corpus: Corpus, progress: Progress, *, threads: int) -> Iterator[Finding]:
        """Name clips whose edges are like cuts."""
        del corpus, progress, threads
        head, tail, late, early = values[:, :-1].reshape(len(values), 4, _NUMBERS).transpose(1, 0, 2)
        if len(values) >= LEAST_CLIPS:
            doubt = np.append(np.zeros(_NUMBERS - _LENGTHS), [_LENGTH_DOUBT] * _LENGTHS)
            at = np.stack([log_odds(head, late, doubt=doubt), log_odds(tail, early, doubt=doubt)], axis=1)
            found, unit = at.max(axis=1) > LOG_ODDS, "log-odds"
        else:
            at = np.stack([head[:, :2].mean(axis=1), tail[:, :2].mean(axis=1)], axis=1)
            found, unit = (at.max(axis=1) > EDGE_DB) & (values[:, -1] >= CONTRAST_DB), "dB of the word's level"
        for row in np.flatnonzero(found):
            where, worst = ("begins", "ends")[int(at[row].argmax())], float(at[row].max())
            yield Finding(int(row), worst, f"{where} in the middle of the sound ({worst:+.1f} {unit})")


def _edge(recording: Recording, *, at_end: bool) -> NDArray[np.float64]:
    """Levels of the 5 frames at an edge, then of 6 bands in 30 ms, against the word's; then log2 of lengths."""
    size = round(FRAME_SECONDS * recording.sample_rate)
    # A copy that goes outwards in time, so that both edges are alike.
    wave = recording.wave[::-1] if at_end else recording.wave
    wave = np.pad(wave[: _FRAMES * size], (0, max(0, _FRAMES * size - len(wave))))
    power = np.square(wave.reshape(_FRAMES, size), dtype=np.float64).mean(axis=1)
    levels = 10 * np.log10(power + 1e-10) - recording.speech_db
    window = wave[: _WINDOW_FRAMES * size] * np.hanning(2 * _WINDOW_FRAMES * size)[_WINDOW_FRAMES * size :]
    spectrum = np.abs(np.fft.rfft(window, 4 * _WINDOW_FRAMES * size)) ** 2
    edges = np.searchsorted(np.fft.rfftfreq(4 * _WINDOW_FRAMES * size, 1 / recording.sample_rate), _BANDS_HZ)
    below = np.concatenate(([0.0], np.cumsum(spectrum)))[edges]
    bands = 10 * np.log10((np.diff(below) + 1e-6) / size) - recording.speech_db
    return np.concatenate((np.maximum([*levels, *bands], _EDGE_FLOOR_DB), recording.lengths_log2))
