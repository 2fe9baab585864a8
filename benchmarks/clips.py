"""Real clips for contests: digits at their own rate, and one-second words at 16 kHz."""

import numpy as np

from benchmarks.contest import NotHereError
from sayso.audio import AudioFormat, clip_from_file, decode, fit_length
from sayso.data.datasets.fsdd import FsddConfig
from sayso.data.datasets.speech_commands import SpeechCommandsConfig
from sayso.system.progress import Progress

__all__ = ["digits", "words"]

DIGIT_SAMPLES = 8_192


def digits(count: int | None) -> np.ndarray:
    """Recordings of FSDD, spread over all of it: float32 (count, 8192), peak-normalised and centred; None: every one.

    Raises:
        NotHereError: FSDD is not on this machine.
    """
    if FsddConfig().location() is None:
        raise NotHereError("needs FSDD; set SAYSO_DATA to the folder that holds fsdd")
    paths = _spread([clip.path for clip in FsddConfig().listing(Progress()).clips], count)
    clips = np.stack([fit_length(decode(path)[0], DIGIT_SAMPLES, "centre") for path in paths])
    return clips / np.maximum(np.abs(clips).max(axis=1, keepdims=True), 1e-6)


def words(count: int) -> np.ndarray:
    """Clips of Speech Commands, spread over all of it: float32 (count, 16000) in [-1, 1).

    Raises:
        NotHereError: Speech Commands is not on this machine.
    """
    if SpeechCommandsConfig().location() is None:
        raise NotHereError("needs Speech Commands v0.01; set SAYSO_DATA to the folder that holds speech_commands_v0.01")
    paths = _spread([clip.path for clip in SpeechCommandsConfig().listing(Progress()).clips], count)
    return np.stack([clip_from_file(path, AudioFormat()) for path in paths]).astype(np.float32) / 32_768


def _spread(paths: list[str], count: int | None) -> list[str]:
    return paths if count is None else paths[:: max(1, len(paths) // count)][:count]
