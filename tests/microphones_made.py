"""A stand-in for sounddevice, whose microphones say what a test has them say."""

import sys
import types
from typing import Any

import numpy as np
import pytest

__all__ = ["FakePortAudio", "microphone"]


def microphone(name: str, *, rate: float = 48_000, channels: int = 1) -> dict[str, Any]:
    """What PortAudio tells of an input device, but for its number."""
    return {"name": name, "max_input_channels": channels, "default_samplerate": rate, "hostapi": 0}


class FakePortAudio(types.ModuleType):
    """The module, with as much of it as is used.

    Args:
        devices: that are plugged in, from number 0 on.

    Attributes:
        devices: may be changed; like PortAudio it is looked into anew by `_initialize` alone.
        says: of each stream that is opened, the blocks that it gives at once, (samples, channels).
        opened: the settings of each stream that was opened.
        refused: settings that no device can have, as (key, value).
        overflows: whether each block comes with the mark that some before it were lost.
    """

    class PortAudioError(Exception):
        """As sounddevice has it: text, code."""

    def __init__(self, *devices: dict[str, Any]) -> None:
        super().__init__("sounddevice")
        self.devices = list(devices)
        self.says: list[list[Any]] = []
        self.opened: list[dict[str, Any]] = []
        self.refused: set[tuple[str, Any]] = set()
        self.overflows = False
        self.default = types.SimpleNamespace(device=[0, -1])
        self.busy = False
        self._initialize()

    def install(self, patch: pytest.MonkeyPatch) -> "FakePortAudio":
        """Have it imported in place of sounddevice."""
        patch.setitem(sys.modules, "sounddevice", self)
        return self

    def _terminate(self) -> None:
        self._seen = []

    def _initialize(self) -> None:
        self._seen = [device | {"index": place} for place, device in enumerate(self.devices)]

    def query_devices(self) -> list[dict[str, Any]]:
        """List what was there when it began."""
        return self._seen

    def check_input_settings(self, **settings: Any) -> None:
        """Refuse what is refused."""
        for key, value in settings.items():
            if (key, value) in self.refused:
                raise self.PortAudioError(f"Invalid {key}", -9997)

    def InputStream(self, **settings: Any) -> "_Stream":
        """Open a stream."""
        if self.busy or settings["device"] >= len(self.devices):
            raise self.PortAudioError("Device unavailable", -9985)
        self.opened.append(settings)
        return _Stream(settings["callback"], self.says.pop(0) if self.says else [], self.overflows)


class _Stream:
    def __init__(self, callback: Any, blocks: list[Any], overflows: bool) -> None:
        self._callback, self._blocks, self._overflows = callback, blocks, overflows

    def start(self) -> None:
        """Give all blocks at once."""
        for block in self._blocks:
            samples = np.asarray(block, np.float32)
            self._callback(samples, len(samples), None, types.SimpleNamespace(input_overflow=self._overflows))

    def close(self) -> None:
        """Nothing to let go of."""
