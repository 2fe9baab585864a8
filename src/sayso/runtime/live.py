"""Sound as it arrives, from a microphone or a pipe: where it comes from, and how its blocks become one channel."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.audio import Samples, to_float
from sayso.audio.scale import MOST_PEAK, Energies, find_peak, take_channel, with_numbers_alone
from sayso.system.wording import counted

__all__ = ["Block", "Cleaner", "Source", "Tell"]

Tell = Callable[[str], None]
"""Takes one line that a person should read while listening goes on."""
Block = NDArray[Any]
"""Samples of all channels, (samples, channels): int16, or float32 that should lie in [-1, 1]."""
_SILENT_SECONDS = 30.0


class Source:
    """Base of where live sound comes from.

    Attributes:
        name: as a person knows it.
        sample_rate: in hertz.
    """

    name: str
    sample_rate: float

    def blocks(self) -> Iterator[Block | None]:
        """Yield the sound, block by block, as it arrives; None where some is missing, and a new stream begins.

        Ends where the sound does, which a microphone's never does.

        Raises:
            SaysoError: there is no sound to be had.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Let go of what it holds, and tell what was lost on the way; nothing comes from it then."""


class Cleaner:
    """Makes one channel of usable samples out of whatever arrives, and tells each kind of fault once.

    Args:
        sample_rate: of the sound, in hertz.
        tell: takes what was done to it.
    """

    def __init__(self, sample_rate: float, tell: Tell) -> None:
        self._sample_rate, self._tell = sample_rate, tell
        self._told: set[str] = set()
        self._energies = Energies()
        self._silent = 0

    def clean(self, block: Block) -> Samples:
        """Give the mean of the channels, (samples,), or the loudest alone where the mean of all so far loses the sound.

        Args:
            block: int16, or floats. Values that are no numbers become 0; where floats lie far outside [-1, 1], all
                of the block does.
        """
        usable = self._without_nonsense(block) if block.dtype.kind == "f" else block
        samples: Samples = usable[:, 0] if usable.shape[1] == 1 else self._mixed(to_float(usable))
        self._count_silence(samples)
        return samples

    def _without_nonsense(self, block: Block) -> NDArray[np.float32]:
        floats, lost = with_numbers_alone(block.astype(np.float32, copy=False))
        if lost:
            self._tell_once("samples that are not numbers (NaN or infinite) came in; they are replaced by silence")
        if floats.size and (peak := find_peak(floats.ravel())) > MOST_PEAK:
            scale = "floats must lie in [-1, 1]; such sound is replaced by silence. Is it of another format?"
            self._tell_once(f"samples reach {peak:,.5g}, {scale}", kind="peak")
            floats = np.zeros_like(floats)
        return floats

    def _mixed(self, floats: NDArray[np.float32]) -> NDArray[np.float32]:
        if not len(floats):
            return floats[:, 0]
        self._energies.add(floats)
        channel = self._energies.choose_channel()
        if channel is not None:
            channels = counted(floats.shape[1], "channel")
            what = f"the mean of {channels} loses the sound, so channel {channel + 1} is taken alone"
            self._tell_once(what, kind="channel")
        return take_channel(floats, channel)

    def _count_silence(self, samples: Samples) -> None:
        self._silent = 0 if samples.any() else self._silent + len(samples)
        if not self._silent:
            self._told.discard("silence")
        elif self._silent >= _SILENT_SECONDS * self._sample_rate:
            what = (
                f"nothing but zeros for {_SILENT_SECONDS:g} s; is the microphone muted, or forbidden to this program?"
            )
            self._tell_once(what, kind="silence")

    def _tell_once(self, text: str, *, kind: str = "") -> None:
        if (kind or text) not in self._told:
            self._told.add(kind or text)
            self._tell(text)
