"""Clips before anything is decoded: what each is called, and what a source lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sayso.system.wording import path_ends

__all__ = ["Clip", "Listing", "PartName", "name_clips"]

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
    source_label: str | None = None
    """The source's own word, where a relabel file says another."""
    is_made: bool = False
    """Whether a synthetic voice says it, so that nobody can record it better."""


@dataclass(frozen=True)
class Listing:
    """What a dataset offers before anything is decoded: clips, noise recordings, and notes a person should read."""

    clips: tuple[Clip, ...]
    noise: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unknown: tuple[Clip, ...] = ()
    """Clips of words that are kept out of training, validation and labels; what rejection is measured on."""


def name_clips(clips: Sequence[Clip], shown: Sequence[Clip] | None = None) -> tuple[str, ...]:
    """Name clips where they are shown: by the shortest end of the path, of two parts or more, that no other has.

    Of stretches of one recording the start is told too.

    Args:
        clips: all that there are.
        shown: those of them to name; None: all.

    >>> talk = [Clip("/data/talk.wav", "yes", start_seconds=start) for start in (2.5, 4.0)]
    >>> name_clips([Clip("/data/yes/1.wav", "yes"), *talk])
    ('yes/1.wav', 'data/talk.wav from 2.5 s', 'data/talk.wav from 4 s')
    """
    ends = path_ends(clip.path for clip in clips)
    return tuple(
        ends[clip.path] if clip.start_seconds is None else f"{ends[clip.path]} from {clip.start_seconds:g} s"
        for clip in (clips if shown is None else shown)
    )
