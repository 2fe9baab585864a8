"""Speakers that nobody recorded: a voice model of espeak-ng, a language or accent, a base pitch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sayso.data.voices.espeak import VARIANTS

__all__ = ["Speaker", "count_speakers", "draw_speakers"]


@dataclass(frozen=True)
class Speaker:
    """One synthetic voice."""

    language: str
    variant: str
    pitch: int

    @property
    def name(self) -> str:
        """What it is called among the speakers of a corpus."""
        return f"{self.language}_{self.variant}_p{self.pitch}"


def count_speakers(pitch: Sequence[float]) -> int:
    """How many speakers there are at most with base pitches in this range, [lowest, highest]."""
    return len(VARIANTS) * len(_pitches(pitch))


def draw_speakers(
    count: int, *, languages: Sequence[str], pitch: Sequence[float], rng: np.random.Generator
) -> list[Speaker]:
    """Draw speakers, no two of one name; voice models repeat only after all of them were used.

    Args:
        count: how many, at most `count_speakers`.
        languages: languages or accents, taken in turn.
        pitch: lowest and highest base pitch, on espeak-ng's scale.
        rng: draws the order of the models, and the pitches.
    """
    variants = rng.permutation(VARIANTS).tolist()
    pitches = _pitches(pitch)
    speakers: dict[str, Speaker] = {}
    for index in range(count):
        # After each round of models the languages move on by one, so that all pairs are used before one repeats.
        language = languages[(index + index // len(variants)) % len(languages)]
        place = int(rng.integers(len(pitches)))
        speaker = Speaker(language, variants[index % len(variants)], pitches[place])
        while speaker.name in speakers:
            place = (place + 1) % len(pitches)
            speaker = Speaker(speaker.language, speaker.variant, pitches[place])
        speakers[speaker.name] = speaker
    return list(speakers.values())


def _pitches(limits: Sequence[float]) -> range:
    return range(round(limits[0]), round(limits[1]) + 1)
