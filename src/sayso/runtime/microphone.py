"""Sound from a microphone, by PortAudio: waits in a queue of limited length, and comes back when it was unplugged."""

import queue
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from sayso.audio import check_rate
from sayso.errors import DeviceError, MissingExtraError
from sayso.runtime.live import Block, Source, Tell
from sayso.system.wording import counted, listed

__all__ = ["Microphone", "find_lack"]

_BLOCK_SECONDS, _QUEUE_SECONDS = 0.02, 10.0
_LOST_SECONDS = 2.0
"""A microphone that gives nothing for so long is taken for unplugged; some drivers say nothing of it."""
_RETRY_SECONDS = 2.0
_POLL_SECONDS = 0.2
_SHOWN = 8


class Microphone(Source):
    """A microphone that is open.

    Args:
        device: its number, or a part of its name; None: the system's default.
        sample_rate: in hertz; None: the device's own.
        channels: how many are heard; None: one, or as few as the device allows.
        tell: takes what a person should know while it is heard.
        otherwise: what a person can do without one, for the message that says so; empty: nothing.

    Raises:
        MissingExtraError: sounddevice is not installed.
        AudioError: no sound has that rate.
        DeviceError: PortAudio or the microphone is missing, or it has not the rate or the channels asked for.
    """

    def __init__(
        self,
        device: str | None = None,
        *,
        sample_rate: float | None = None,
        channels: int | None = None,
        tell: Tell,
        otherwise: str = "",
    ) -> None:
        own_rate = None if sample_rate is None else check_rate(sample_rate, "--rate")
        self._otherwise = f", or {otherwise}" if otherwise else ""
        self._portaudio = _load(self._otherwise)
        self._tell, self._asked = tell, channels
        place, facts = _find(self._portaudio, device, self._otherwise)
        self.name = str(facts["name"])
        # Its number is another one when something has been plugged in or out.
        self._device = None if device is None else self.name
        self.sample_rate = float(own_rate or facts["default_samplerate"])
        self._queue = _new_queue()
        self._lost = 0
        self._told_of_loss = False
        self._stream: Any = self._open(place, facts)

    def blocks(self) -> Iterator[Block | None]:
        """Yield what is heard, for ever; None where the microphone was gone for a while, and is back."""
        quiet_since = time.monotonic()
        while True:
            try:
                block = self._queue.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                if time.monotonic() - quiet_since >= _LOST_SECONDS:
                    self._wait_for_return()
                    yield None
                    quiet_since = time.monotonic()
                continue
            quiet_since = time.monotonic()
            if self._lost and not self._told_of_loss:
                self._told_of_loss = True
                self._tell(f"some sound from {self.name} is lost, as this machine is too busy to take it in time")
            yield block

    def close(self) -> None:
        """Let go of the device, and tell how much sound was lost."""
        self._let_go()
        if self._lost:
            self._tell(f"from {self.name} sound was lost {counted(self._lost, 'time')}")
            self._lost = 0

    def _open(self, place: int, facts: dict[str, Any]) -> Any:
        channels = self._find_channels(place, facts)
        try:
            stream = self._portaudio.InputStream(
                device=place,
                samplerate=self.sample_rate,
                blocksize=round(_BLOCK_SECONDS * self.sample_rate),
                channels=channels,
                dtype="float32",
                callback=self._take,
            )
            stream.start()
        except self._portaudio.PortAudioError as error:
            raise DeviceError(
                f"{self.name} cannot be opened ({_reason(error)}); is another program using it?"
            ) from error
        return stream

    def _find_channels(self, place: int, facts: dict[str, Any]) -> int:
        """Give the fewest channels that the device can be heard with, or those that were asked for."""
        most = int(facts["max_input_channels"])
        if self._asked is not None and not 1 <= self._asked <= most:
            raise DeviceError(f"{self.name} has {counted(most, 'channel')}, --channels is {self._asked}")
        choices = [self._asked] if self._asked else [count for count in dict.fromkeys((1, 2, most)) if count <= most]
        why = ""
        for channels in choices:
            try:
                self._portaudio.check_input_settings(
                    device=place, channels=channels, dtype="float32", samplerate=self.sample_rate
                )
            except self._portaudio.PortAudioError as error:
                why = why or _reason(error)
            else:
                return channels
        own = float(facts["default_samplerate"])
        mend = f"leave --rate out to take its own, {own:g} Hz"
        raise DeviceError(f"{self.name} cannot be heard at {self.sample_rate:g} Hz ({why}); {mend}")

    def _take(self, samples: Any, frames: int, when: object, status: Any) -> None:
        """Take a block; called in PortAudio's own thread, which must not wait."""
        del frames, when
        if status.input_overflow:
            self._lost += 1
        try:
            self._queue.put_nowait(np.array(samples, np.float32))
        except queue.Full:
            self._lost += 1

    def _wait_for_return(self) -> None:
        """Try to open the device again until it is there."""
        self._let_go()
        self._tell(f"{self.name} gives no sound any more; unplugged? It is tried again every {_RETRY_SECONDS:g} s")
        while True:
            try:
                # PortAudio looks for devices only when it begins.
                self._portaudio._terminate()
                self._portaudio._initialize()
                place, facts = _find(self._portaudio, self._device, self._otherwise)
                self._stream = self._open(place, facts)
            except (DeviceError, self._portaudio.PortAudioError):
                time.sleep(_RETRY_SECONDS)
            else:
                is_same = facts["name"] == self.name
                self._tell(f"{self.name} is back" if is_same else f"{facts['name']} is heard instead")
                self.name = str(facts["name"])
                return

    def _let_go(self) -> None:
        if self._stream is None:
            return
        with suppress(self._portaudio.PortAudioError):  # gone already
            self._stream.close()
        self._stream = None
        self._queue = _new_queue()


def _new_queue() -> "queue.Queue[Block]":
    return queue.Queue(round(_QUEUE_SECONDS / _BLOCK_SECONDS))


def find_lack() -> str:
    """Say what is missing here to hear microphones, but for a microphone; empty where nothing is."""
    try:
        _load("")
    except (DeviceError, MissingExtraError) as error:
        return str(error)
    return ""


def _load(otherwise: str) -> Any:
    """Import sounddevice, which loads PortAudio."""
    try:
        import sounddevice
    except ModuleNotFoundError as error:
        raise MissingExtraError("microphones", extra="mic") from error
    except OSError as error:
        raise DeviceError(
            f"microphones are heard by PortAudio, which is missing ({error}); install it (Debian, Ubuntu: apt install "
            f"libportaudio2){otherwise}"
        ) from error
    return sounddevice


def _find(portaudio: Any, device: str | None, otherwise: str) -> tuple[int, dict[str, Any]]:
    """Give the number of a microphone, and what PortAudio says of it."""
    microphones = {
        int(each["index"]): dict(each) for each in portaudio.query_devices() if each["max_input_channels"] > 0
    }
    if not microphones:
        raise DeviceError(f"there is no microphone; plug one in{otherwise}")
    there = "; ".join(f"{place} {facts['name']}" for place, facts in microphones.items())
    if device is None:
        default = int(portaudio.default.device[0])
        # Where the system names no default, the first is as good as any.
        place = default if default in microphones else min(microphones)
        return place, microphones[place]
    if device.isdecimal() and int(device) in microphones:
        return int(device), microphones[int(device)]
    exact = [place for place, facts in microphones.items() if facts["name"] == device]
    near = [place for place, facts in microphones.items() if device.casefold() in str(facts["name"]).casefold()]
    found = exact[:1] or near
    if len(found) != 1:
        several = listed([str(place) for place in found], _SHOWN)
        what = f"'{device}' is the name of several: {several}" if found else f"no microphone is called '{device}'"
        raise DeviceError(f"{what}; there are: {there}")
    return found[0], microphones[found[0]]


def _reason(error: Exception) -> str:
    return " ".join(str(error.args[0] if error.args else error).split())
