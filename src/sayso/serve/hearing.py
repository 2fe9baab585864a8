"""The sound of one client: raw samples of any usual form in, the words of several models out."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sayso.audio import check_rate
from sayso.errors import AudioError
from sayso.runtime import Detection
from sayso.runtime.live import Cleaner, Tell
from sayso.runtime.pcm import MOST_CHANNELS, PCM_FORMATS
from sayso.serve.models import ServedModel

__all__ = ["Heard", "Hearing", "SoundForm"]

_BY_WIDTH = {1: "u8", 2: "s16le", 3: "s24le", 4: "s32le"}
_PIECE_SECONDS = 1.0


@dataclass(frozen=True)
class SoundForm:
    """What raw samples are.

    Raises:
        AudioError: there is no such sound.
    """

    rate: int
    """In hertz."""
    width: int
    """Bytes of a sample, 1 to 4: whole numbers, little-endian, those of one byte without sign."""
    channels: int
    """Of each moment, one after the other."""

    def __post_init__(self) -> None:
        check_rate(self.rate)
        if self.width not in _BY_WIDTH:
            raise AudioError(f"width is {self.width}, must be 1 to 4 bytes")
        if not 1 <= self.channels <= MOST_CHANNELS:
            raise AudioError(f"channels is {self.channels}, must be 1 to {MOST_CHANNELS}")

    @property
    def frame(self) -> int:
        """Bytes of one moment."""
        return self.width * self.channels


@dataclass(frozen=True)
class Heard:
    """A word that a client is told of."""

    word: str
    score: float
    """In [0, 1]."""
    milliseconds: int
    """Where it ended, by the client's own clock."""


class Hearing:
    """A stretch of one client's sound.

    Args:
        models: those that are served; one without a wanted word does not listen.
        words: those wanted; other words of the same models are heard too, but not told.
        form: of the sound.
        begin: the client's clock at its beginning, in milliseconds.
        tell: takes what a person should know of the sound.

    Attributes:
        form: of the sound.
        count: words that were told so far.
    """

    def __init__(
        self, models: Sequence[ServedModel], words: Collection[str], *, form: SoundForm, begin: int, tell: Tell
    ) -> None:
        self.form = form
        asked = [(model, set(words) & set(model.words)) for model in models]
        self._streams = [(model.listen(form.rate), wanted) for model, wanted in asked if wanted]
        self._cleaner = Cleaner(form.rate, tell)
        self._decode = PCM_FORMATS[_BY_WIDTH[form.width]][1]
        self._heard = 0
        self._offset = begin  # of the client's clock to the stream's
        self.count = 0

    @property
    def seconds(self) -> float:
        """How much sound there was so far."""
        return self._heard / self.form.rate

    def cut(self, data: bytes) -> Iterator[bytes]:
        """Yield raw samples in pieces that are short enough to be heard one by one.

        Raises:
            AudioError: they are no whole moments.
        """
        if len(data) % self.form.frame:
            frame = f"{self.form.channels} x {self.form.width} bytes"
            raise AudioError(f"{len(data):,} bytes of sound are no whole number of samples of {frame}")
        step = max(1, round(_PIECE_SECONDS * self.form.rate)) * self.form.frame
        for first in range(0, len(data), step):
            yield data[first : first + step]

    def set_clock(self, milliseconds: int) -> None:
        """Take what the client's clock says where the next sound begins."""
        self._offset = milliseconds - round(1000 * self.seconds)

    def hear(self, piece: bytes) -> list[Heard]:
        """Take a piece, and tell the words that end in it, in their order.

        Raises:
            ModelError: a model is damaged.
        """
        samples = self._cleaner.clean(self._decode(piece).reshape(-1, self.form.channels))
        self._heard += len(samples)
        return self._told(stream.feed(samples) for stream, _ in self._streams)

    def finish(self) -> list[Heard]:
        """Tell the words in what was held back; the sound has ended."""
        return self._told(stream.flush() for stream, _ in self._streams)

    def _told(self, found: Iterator[list[Detection]]) -> list[Heard]:
        told = [
            Heard(each.word, each.score, self._offset + round(1000 * each.end))
            for (_, words), detections in zip(self._streams, found, strict=True)
            for each in detections
            if each.word in words
        ]
        self.count += len(told)
        return sorted(told, key=lambda each: each.milliseconds)
