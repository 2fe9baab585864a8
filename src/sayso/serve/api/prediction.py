"""One sound file in, one answer out."""

from typing import Any

from sayso.audio import clip_from_samples, tell_clip, to_float
from sayso.errors import AudioError
from sayso.http.uploads import read_bytes
from sayso.runtime import Recognizer

__all__ = ["LONGEST_SECONDS", "predict"]

LONGEST_SECONDS = 60.0
"""Of a sound file that is sent."""


def predict(recognizer: Recognizer, content: bytes) -> dict[str, Any]:
    """Name the word in a sound file, as plain values.

    Args:
        recognizer: the model.
        content: of the file.

    Raises:
        AudioError: it is no sound, or lasts too long.
        ModelError: the model is damaged.
    """
    sound = read_bytes("the sound", content, end_seconds=LONGEST_SECONDS + 1)
    seconds = len(sound.samples) / sound.sample_rate
    if seconds > LONGEST_SECONDS:
        raise AudioError(
            f"the sound is longer than {LONGEST_SECONDS:g} s, the most that is taken; open a stream for it"
        )
    clip = clip_from_samples(sound.samples, sound.sample_rate, recognizer.audio)
    row = recognizer.probabilities(to_float(clip[None]))[0]
    answer = recognizer.name(row)[0]
    return {
        "label": answer.label,
        "probability": answer.probability,
        "probabilities": dict(zip(recognizer.labels, row.tolist(), strict=True)),
        "seconds": seconds,
        "remarks": list(tell_clip(sound, recognizer.audio)),
    }
