"""The exported model over hours of made streams: its probabilities are kept, the sound is not."""

from dataclasses import dataclass

import numpy as np

from sayso.audio import quantise
from sayso.data.made_streams import Place
from sayso.runtime import Stream
from sayso.runtime.replay import Replay, Track
from sayso.studies.tuning.material import Material, replays
from sayso.system.progress import Task

__all__ = ["Heard", "HeardPart", "listen"]


@dataclass(frozen=True, eq=False)
class Heard:
    """What the model said to one stream, and what was in it."""

    track: Track
    rows: tuple[int, ...]
    """Of the corpus: the clip of each word in the track's truth."""
    places: tuple[Place, ...]
    """Where the background came from."""


@dataclass(frozen=True, eq=False)
class HeardPart:
    """What the model said to all streams of one part."""

    streams: tuple[Heard, ...]
    independent_hours: float
    """Length of the background in them, each second of it counted once."""

    @property
    def tracks(self) -> tuple[Track, ...]:
        """What it said, stream by stream."""
        return tuple(one.track for one in self.streams)

    @property
    def replayed_hours(self) -> float:
        """Length of all streams together."""
        return sum(one.track.seconds for one in self.streams) / 3600


def listen(
    stream: Stream, replay: Replay, material: Material, *, hours: float, rng: np.random.Generator, task: Task
) -> HeardPart:
    """Make streams and have the model answer each, one after the other.

    Args:
        stream: the exported model, as it is shipped.
        replay: how answers are smoothed.
        material: what the streams are made of.
        hours: length of all streams together.
        rng: draws them.
        task: counts seconds.
    """
    heard: list[Heard] = []
    used: set[int] = set()
    for made in replays(material, hours=hours, rng=rng):
        stream.reset()
        answers = stream.answer(quantise(made.stream.samples))
        track = replay.track(answers, seconds=made.stream.seconds, truth=made.stream.truth)
        heard.append(Heard(track, made.rows, made.stream.places))
        used.update(made.pieces)
        task.advance(round(made.stream.seconds))
    samples = sum(len(material.pieces[place].samples) for place in used)
    return HeardPart(tuple(heard), samples / material.corpus.audio.sample_rate / 3600)
