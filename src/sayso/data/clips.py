"""Clips before anything is decoded: what each is called, and what a source lists."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Clip", "Listing", "PartName"]

PartName = Literal["train", "validation", "test"]


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording of one word: where it lies, what it says, who says it, and which part the source gives it to."""

    path: str
    label: str
    speaker: str | None = None
    part: PartName | None = None
    start_seconds: float | None = None
    end_seconds: float | None = None
    keeps_part: bool = False
    """Whether `part` holds however the other clips are divided, as for stretches of one recording."""
    source: int = 0
    """Which of several data sets that are mixed it comes from, the recordings being the first."""


@dataclass(frozen=True)
class Listing:
    """What a dataset offers before anything is decoded: clips, noise recordings, and notes a person should read."""

    clips: tuple[Clip, ...]
    noise: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unknown: tuple[Clip, ...] = ()
    """Clips of words that are kept out of training, validation and labels; what rejection is measured on."""
