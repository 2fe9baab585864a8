"""Sound as the bytes of a file."""

import io
from typing import Literal

import numpy as np
import soundfile
from numpy.typing import NDArray

__all__ = ["encode_sound"]


def encode_sound(samples: NDArray[np.int16], sample_rate: int, kind: Literal["FLAC", "WAV"]) -> bytes:
    """Give the file of a sound of one channel, of 16 bits, which loses nothing.

    Not written into the file itself: of a full disk soundfile tells its caller nothing.

    Args:
        samples: (samples,).
        sample_rate: in hertz.
        kind: FLAC is the smaller; WAV knows every rate.

    Raises:
        ValueError: FLAC does not know the rate.
    """
    content = io.BytesIO()
    try:
        soundfile.write(content, samples, sample_rate, format=kind, subtype="PCM_16")
    except soundfile.LibsndfileError as error:
        raise ValueError(f"{kind} does not know {sample_rate} Hz") from error
    return content.getvalue()
