"""Detections in sound files of any length: read block by block, so that memory does not grow with them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from sayso.audio import SoundBlocks
from sayso.runtime.recognizer import Recognizer
from sayso.runtime.stream import Detection, Stream
from sayso.runtime.stream_settings import StreamSettings

__all__ = ["FileListener", "Progressed"]


@dataclass(frozen=True)
class Progressed:
    """What a further block of a file brought."""

    seconds: float
    """How much of the file was listened to so far."""
    detections: tuple[Detection, ...]
    """The words that were found in this block."""


class FileListener:
    """Listens to files, one after the other, each a stream of its own.

    Args:
        recognizer: the model.
        settings: how it is listened to; None: as the model file says.

    Attributes:
        form: `stateful` or `windows`, and `note`, why: as of `Stream`.
        settings: what it is listened to by.
        window_seconds: length of what is judged at once; a shorter file can hold no detection.
        delay_seconds: how much later than its `end` a detection in the last file is known, by resampling.
    """

    def __init__(self, recognizer: Recognizer, settings: StreamSettings | None = None) -> None:
        self._recognizer, self._given = recognizer, settings
        # At each rate one, as opening the streaming form takes far longer than a short file.
        self._streams = {float(recognizer.audio.sample_rate): Stream(recognizer, settings=settings)}
        stream = next(iter(self._streams.values()))
        self.form, self.note, self.settings = stream.form, stream.note, stream.settings
        self.window_seconds = stream.window_seconds
        self.delay_seconds = 0.0

    def listen(self, blocks: SoundBlocks) -> Iterator[Progressed]:
        """Yield what each block brings, at least once.

        Raises:
            AudioError: the file cannot be used, or not from here on.
        """
        stream = self._stream(blocks.sample_rate)
        stream.reset()
        self.delay_seconds, seconds = 0.0, 0.0
        for block in blocks:
            found = stream.feed(block)
            seconds += len(block) / blocks.sample_rate
            self.delay_seconds = max(self.delay_seconds, stream.delay_seconds)
            yield Progressed(seconds, _within(max(seconds, blocks.seconds), found))
        yield Progressed(seconds, _within(seconds, stream.flush()))

    def _stream(self, rate: float) -> Stream:
        if rate not in self._streams:
            self._streams[rate] = Stream(self._recognizer, sample_rate=rate, settings=self._given)
        return self._streams[rate]


def _within(seconds: float, found: Iterable[Detection]) -> tuple[Detection, ...]:
    """The same, none of which ends behind the file: the last samples of a window may be none that the model hears."""
    return tuple(each if each.end <= seconds else replace(each, end=seconds) for each in found)
