"""Listening to live sound: blocks in as they come, detections out, clips kept on the way."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sayso.audio import Samples, quantise, to_float
from sayso.runtime.keeping import Keeper, KeptClip, Outcome
from sayso.runtime.live import Block, Cleaner, Source, Tell
from sayso.runtime.near_misses import Moment, NearMisses
from sayso.runtime.stream import Detection, Stream

__all__ = ["SILENCE_DB", "Listener", "listen"]

SILENCE_DB = -100.0
"""What the level is never told to be below, in dB below full scale."""
# So much is taken at once: what is kept of the past, to cut clips from, stays short, and the meter moves.
_PIECE_SECONDS = 0.25
_SLACK_SECONDS = 0.5


class Listener:
    """Hears live sound with a model.

    Args:
        stream: the model; its rate is that of the sound.
        tell: takes what a person should know of the sound.
        keeper: writes clips of what fires and what nearly does; None: nobody.

    Attributes:
        stream: what it listens with.
        heard_seconds: how much sound it was given; detections count from its beginning.
        level_db: of the newest sound, in dB below full scale.
    """

    def __init__(self, stream: Stream, *, tell: Tell, keeper: Keeper | None = None) -> None:
        self.stream, self._keeper = stream, keeper
        self._cleaner = Cleaner(stream.sample_rate, tell)
        self.heard_seconds, self.level_db = 0.0, SILENCE_DB
        self._piece = max(1, round(_PIECE_SECONDS * stream.sample_rate))
        past = stream.window_seconds + stream.settings.smoothing * stream.settings.hop_seconds + _SLACK_SECONDS
        self._most = round(past * stream.sample_rate) + self._piece
        self._heard = 0
        self._begin()

    def hear(self, block: Block) -> Iterator[Detection]:
        """Take the next sound, (samples, channels), and yield the words that end in it."""
        samples = self._cleaner.clean(block)
        for first in range(0, len(samples), self._piece):
            yield from self._hear(samples[first : first + self._piece])

    def restart(self) -> Iterator[Detection]:
        """Yield the words in what was held back, and begin a new stream: sound is missing here."""
        yield from self.finish()
        self._begin()

    def finish(self) -> Iterator[Detection]:
        """Yield the words in what was held back; the sound has ended."""
        for detection in self.stream.flush():
            yield self._fired(detection)
        self.stop()

    def stop(self) -> None:
        """Keep what nearly fired until now; nothing more is judged."""
        for miss in self._near_misses.finish():
            self._keep("near", miss)

    def _begin(self) -> None:
        self._offset = self._heard / self.stream.sample_rate
        self._past = np.zeros(0, np.int16)
        self._past_end = 0
        self._near_misses = NearMisses(self.stream.labels, self.stream.settings)

    def _hear(self, samples: Samples) -> Iterator[Detection]:
        self._heard += len(samples)
        self.heard_seconds = self._heard / self.stream.sample_rate
        power = float(np.mean(np.square(to_float(samples), dtype=np.float64)))
        self.level_db = max(SILENCE_DB, 10 * math.log10(power)) if power else SILENCE_DB
        if self._keeper:
            self._past = np.concatenate((self._past, quantise(samples)))[-self._most :]
            self._past_end += len(samples)
        for judgement in self.stream.judge(samples):
            if self._keeper:
                for miss in self._near_misses.watch(judgement, self._cut):
                    self._keep("near", miss)
            if judgement.detection:
                yield self._fired(judgement.detection)

    def _fired(self, detection: Detection) -> Detection:
        if self._keeper:
            samples = self._cut(detection.start, detection.end)
            self._keep("fired", Moment(detection.word, detection.score, detection.start, detection.end, samples))
        start, end = (self._offset + second for second in (detection.start, detection.end))
        return replace(detection, start=start, end=end) if self._offset else detection

    def _keep(self, outcome: Outcome, moment: Moment) -> None:
        if self._keeper and len(moment.samples):
            clip = KeptClip(
                moment.word,
                outcome,
                moment.score,
                self.stream.settings.threshold_of(moment.word),
                moment.samples,
                self.stream.sample_rate,
                self._offset + moment.start,
            )
            self._keeper.keep(clip)

    def _cut(self, start: float, end: float) -> NDArray[np.int16]:
        """Give the sound between two seconds of the stream, (samples,)."""
        begin = self._past_end - len(self._past)
        first, last = (round(second * self.stream.sample_rate) - begin for second in (start, end))
        return self._past[max(0, first) : max(0, last)].copy()


def listen(
    source: Source, listener: Listener, *, on_detection: Callable[[Detection], None], on_block: Callable[[], None]
) -> bool:
    """Listen until the sound ends, or Ctrl-C.

    Args:
        source: where the sound comes from.
        listener: what hears it.
        on_detection: called with each detection.
        on_block: called after each block.

    Returns:
        Whether the sound ended by itself.

    Raises:
        SaysoError: there is no sound to be had.
    """
    try:
        for block in source.blocks():
            for detection in listener.restart() if block is None else listener.hear(block):
                on_detection(detection)
            on_block()
        for detection in listener.finish():
            on_detection(detection)
    except KeyboardInterrupt:
        listener.stop()
        return False
    return True
