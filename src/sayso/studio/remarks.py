"""What is wrong with a clip just recorded: the audit's cheap faults, in words for the person at the microphone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.audio import AudioFormat, fit_clip, to_float
from sayso.data.clips import Clip
from sayso.data.corpus import Corpus
from sayso.data.faults.detectors.clipping import Clipping
from sayso.data.faults.detectors.cut_off import CutOff
from sayso.data.faults.detectors.silence import Silence
from sayso.data.faults.recording import Recording
from sayso.data.near_copies import find_copies_across
from sayso.system.progress import Progress

__all__ = ["COMPARED_AUDIO", "compared", "find_remarks"]

TOO_QUIET_DB = -40.0
"""Of the loudest part, in dB of full scale; 3 % of the clips of Speech Commands lie below."""
COMPARED_AUDIO = AudioFormat(sample_rate=16_000, clip_seconds=2.0, fit="loudest")
"""As what two clips are compared."""


def find_remarks(
    samples: NDArray[Any], sample_rate: int, others: Sequence[NDArray[np.int16]], *, is_word: bool = True
) -> list[str]:
    """Say what a person should know of a clip before the next; empty: nothing is wrong.

    Args:
        samples: (samples,), floats in [-1, 1] or int16, at least one.
        sample_rate: in hertz.
        others: clips of the same person, each as `compared` gives it.
        is_word: it holds a word, whose ends must be in it; sound that says none may begin and end anywhere.

    Returns:
        Sentences, the gravest first.
    """
    recording = Recording(to_float(samples), sample_rate)
    if _has(Silence(), recording):
        return ["Nothing is to be heard in it."]
    remarks = [*_edges(recording)] if is_word else []
    if recording.speech_db < TOO_QUIET_DB:
        remarks.append("It is very quiet: come closer to the microphone, or turn it up.")
    if _has(Clipping(), recording):
        remarks.append("It is too loud: peaks are cut flat. Step back, or turn the microphone down.")
    if others and _is_near_copy(compared(samples, sample_rate), others):
        remarks.append("It is the same recording as one before.")
    return remarks


def compared(samples: NDArray[Any], sample_rate: int) -> NDArray[np.int16]:
    """Give a clip as it is compared with others, (32000,)."""
    return fit_clip(samples, sample_rate, COMPARED_AUDIO).clip


def _edges(recording: Recording) -> list[str]:
    found = _find(CutOff(), recording)
    if not found:
        return []
    where = "at its beginning" if "begins" in found[0] else "at its end"
    return [f"The word seems to be cut off {where}."]


def _has(detector: Silence | Clipping, recording: Recording) -> bool:
    return bool(_find(detector, recording))


def _find(detector: Silence | Clipping | CutOff, recording: Recording) -> list[str]:
    """What a detector of the audit says of a clip alone, a detail for each fault."""
    values = np.array([detector.measure(recording, COMPARED_AUDIO)], np.float64)
    corpus = Corpus((Clip("", ""),), np.zeros((1, 1), np.int16), COMPARED_AUDIO)
    return [finding.detail for finding in detector.find(values, corpus, Progress(), threads=1)]


def _is_near_copy(clip: NDArray[np.int16], others: Sequence[NDArray[np.int16]]) -> bool:
    rate = COMPARED_AUDIO.sample_rate
    return bool(find_copies_across(np.stack(list(others)), clip[None], sample_rate=rate))
