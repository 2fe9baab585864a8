"""Exported models over hours of made streams: their probabilities are kept, the sound is not."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sayso.audio import quantise
from sayso.data.made_streams import Place
from sayso.runtime.replay import Replay, Track
from sayso.studies.tuning.listeners import Listener
from sayso.studies.tuning.material import Material, draw_groups, replays
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
    in_room: tuple[bool, ...]
    """Of each word in the truth whether it was said in a simulated room."""
    snr_db: tuple[float, ...]
    """Of each word over what else was heard."""
    listener: int = 0
    """Which of those who listened it was."""


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

    def tracks_of_others(self, listener: int) -> tuple[Track, ...]:
        """What all others of those who listened said; what it said itself where nobody else did."""
        return tuple(one.track for one in self.streams if one.listener != listener) or self.tracks

    @property
    def replayed_hours(self) -> float:
        """Length of all streams together."""
        return sum(one.track.seconds for one in self.streams) / 3600


def listen(
    listeners: Sequence[Listener],
    replay: Replay,
    material: Material,
    *,
    hours: float,
    rng: np.random.Generator,
    task: Task,
    by: Listener | None = None,
) -> HeardPart:
    """Make streams and have them answered, one after the other.

    Args:
        listeners: who answer, each a like share of the hours, in which the words are said that it is asked about.
        replay: how answers are smoothed.
        material: what the streams are made of.
        hours: length of all streams together.
        rng: draws them.
        task: counts seconds, of all that is asked.
        by: who answers the same streams in place of all these; None: they do.
    """
    heard: list[Heard] = []
    used: set[int] = set()
    groups = draw_groups(material, rng, share_of_stream=1 / len(listeners))
    share, done = hours * 3600 / len(listeners), 0.0
    for place, listener in enumerate(listeners):
        own, stream = listener.hears(material), (by or listener).stream
        for made in replays(own, hours=hours / len(listeners), rng=rng, groups=groups):
            stream.reset()
            answers = stream.answer(quantise(made.stream.samples))
            track = replay.track(answers, seconds=made.stream.seconds, truth=made.stream.truth)
            said = (made.rows, made.stream.places, made.in_room, made.stream.snr_db)
            heard.append(Heard(track, *said, listener=place))
            used.update(made.pieces)
            # The last stream of a share is longer than what is left of it.
            reached = min(done + made.stream.seconds, (place + 1) * share)
            task.advance(round(reached) - round(done))
            done = reached
    samples = sum(len(material.pieces[place].samples) for place in used)
    return HeardPart(tuple(heard), samples / material.corpus.audio.sample_rate / 3600)
