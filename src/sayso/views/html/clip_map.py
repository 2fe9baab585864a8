"""What a page knows of its map of clips: where each lies, its sound, and which of them lie among another word's."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.views.figures.clip_map import ClipMap
from sayso.views.html.media import small_sound_uri

__all__ = ["MappedClips", "describe_map", "names_on_map"]

_MOST_SECONDS = 2.0


@dataclass(frozen=True, eq=False)
class MappedClips:
    """A map, and how a page finds its clips."""

    map: ClipMap
    names: Sequence[str]
    """What each clip that was asked is called, unlike any other."""
    sound: Callable[[int], tuple[NDArray[np.int16], int]]
    """Samples and rate in hertz of one of them, by its place."""
    note: str = ""
    """What else a person should know of it."""


def names_on_map(mapped: MappedClips | None) -> set[str]:
    """What the clips are called that are drawn."""
    return {mapped.names[int(place)] for place in mapped.map.places} if mapped else set()


def describe_map(
    mapped: MappedClips, places: Mapping[str, int], labels: Sequence[str], heard: Collection[str]
) -> dict[str, Any]:
    """Give what the page's script is to know of a map, as plain values.

    Args:
        mapped: the map.
        places: the place of each clip in the page's table, by name.
        labels: the page's words.
        heard: names of clips whose sound the page has anyway.
    """
    clip_map, names = mapped.map, mapped.names
    word = {label: place for place, label in enumerate(labels)}
    drawn = [int(place) for place in clip_map.places]
    return {
        "points": [
            [places[names[place]], *point]
            for place, point in zip(drawn, clip_map.points.round(3).tolist(), strict=True)
        ],
        "doubted": [
            [places[names[each.place]], word[each.word], round(each.share * clip_map.neighbours)]
            for each in clip_map.doubted
        ],
        "neighbours": clip_map.neighbours,
        "sounds": {places[names[place]]: _sound(*mapped.sound(place)) for place in drawn if names[place] not in heard},
    }


def _sound(samples: NDArray[np.int16], sample_rate: int) -> str:
    return small_sound_uri(samples[: int(_MOST_SECONDS * sample_rate)], sample_rate)
