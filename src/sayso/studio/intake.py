"""Sound on its way into the folder: what the page records, and files that are dropped on it; nothing is believed."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.audio import decode
from sayso.errors import AudioError
from sayso.http.uploads import read_bytes
from sayso.studio.recordings import Recordings
from sayso.studio.remarks import compared, find_remarks
from sayso.studio.takes import Take

__all__ = ["LONGEST_SECONDS", "MOST_BYTES", "Intake", "plain_settings"]

LONGEST_SECONDS = 30.0
"""Of a clip."""
MOST_BYTES = 64 << 20
"""Of a dropped file, and of what the page records."""
_SHORTEST_SECONDS = 0.1
_LOWEST_RATE, _HIGHEST_RATE = 8_000, 192_000
# Each is 64 kB, and takes a millisecond to be compared with.
_MOST_COMPARED = 50
_MOST_KNOWN = 1_000
_BEYOND = 1.5
_GREATEST = 1e15  # of a number that is told; infinity and what is no number lie beyond


@dataclass(frozen=True)
class _Sound:
    samples: NDArray[Any]
    sample_rate: int


class Intake:
    """Takes clips into a folder of recordings, with remarks about each.

    Args:
        recordings: the folder.
    """

    def __init__(self, recordings: Recordings) -> None:
        self._recordings = recordings
        self._compared: OrderedDict[str, NDArray[np.int16]] = OrderedDict()
        self._lock = Lock()

    def record(
        self, word: str, speaker: str, samples: NDArray[np.float32], sample_rate: int, *, settings: Mapping[str, Any]
    ) -> Take:
        """Keep what a microphone heard.

        Args:
            word: one of the words.
            speaker: who said it.
            samples: (samples,), floats in [-1, 1].
            sample_rate: in hertz.
            settings: of the microphone, as it tells them.

        Raises:
            AudioError: it is no sound, too short or too long.
            SettingsError: the word is none of the words, or the name cannot be used.
            OutputError: it cannot be written.
        """
        sound = _heard(samples, sample_rate)
        return self._keep(word, speaker, sound, {"settings": dict(settings)} if settings else {})

    def correct(
        self,
        word: str | None,
        speaker: str,
        samples: NDArray[np.float32],
        sample_rate: int,
        *,
        settings: Mapping[str, Any],
        heard: Mapping[str, Any],
    ) -> Take:
        """Keep what a model got wrong, for the training alone.

        Args:
            word: what was said, one of the words; None: none of them.
            speaker: as `record`.
            samples: as `record`.
            sample_rate: as `record`.
            settings: as `record`.
            heard: what the model made of it, in plain values.

        Raises:
            AudioError: as `record`.
            SettingsError: as `record`.
            OutputError: as `record`.
        """
        sound = _heard(samples, sample_rate)
        facts = {"settings": dict(settings), "heard": dict(heard), "remarks": self._remarks(speaker, sound, word)}
        told = {key: value for key, value in facts.items() if value}
        take = self._recordings.add_correction(word, speaker, sound.samples, sound.sample_rate, facts=told)
        self._remember(take.path, compared(sound.samples, sound.sample_rate))
        return take

    def take_file(self, word: str, speaker: str, name: str, content: bytes) -> Take:
        """Keep a sound file of any kind that `sayso.audio` reads, as FLAC of one channel at its own rate.

        Args:
            word: one of the words.
            speaker: who says it.
            name: what the file is called.
            content: what is in it.

        Raises:
            AudioError: it is no sound, lies about its length, or is too short or too long.
            SettingsError: as `record`.
            OutputError: as `record`.
        """
        shown = Path(name.replace("\\", "/")).name[:80] or "file"
        return self._keep(word, speaker, _read(shown, content), {"file": shown})

    def _keep(self, word: str, speaker: str, sound: _Sound, facts: dict[str, Any]) -> Take:
        remarks = self._remarks(speaker, sound, word)
        take = self._recordings.add(
            word, speaker, sound.samples, sound.sample_rate, facts=facts | ({"remarks": remarks} if remarks else {})
        )
        self._remember(take.path, compared(sound.samples, sound.sample_rate))
        return take

    def _remarks(self, speaker: str, sound: _Sound, word: str | None) -> list[str]:
        others = self._others(speaker)
        return find_remarks(sound.samples, sound.sample_rate, others, is_word=word is not None)

    def _others(self, speaker: str) -> list[NDArray[np.int16]]:
        """The last clips of a person."""
        takes = [*self._recordings.takes(), *self._recordings.corrections()]
        paths = [take.path for take in takes if take.speaker == speaker]
        newest = sorted(paths, key=lambda path: path.rpartition("/")[2])[-_MOST_COMPARED:]
        return [clip for path in newest if (clip := self._known(path)) is not None]

    def _known(self, path: str) -> NDArray[np.int16] | None:
        with self._lock:
            if path in self._compared:
                return self._compared[path]
        try:
            samples, rate = decode(self._recordings.folder / path, end_seconds=LONGEST_SECONDS)
        except AudioError:  # the audit names it
            return None
        return self._remember(path, compared(samples, rate))

    def _remember(self, path: str, clip: NDArray[np.int16]) -> NDArray[np.int16]:
        with self._lock:
            self._compared[path] = clip
            while len(self._compared) > _MOST_KNOWN:
                self._compared.popitem(last=False)
        return clip


def _heard(samples: NDArray[np.float32], sample_rate: int) -> _Sound:
    """Check what is said to be of a microphone."""
    if not _LOWEST_RATE <= sample_rate <= _HIGHEST_RATE:
        raise AudioError(
            f"a microphone of {sample_rate:,} samples a second is not understood; "
            f"{_LOWEST_RATE:,} to {_HIGHEST_RATE:,} are"
        )
    _check_length(len(samples) / sample_rate)
    if not np.isfinite(samples).all() or float(np.abs(samples).max()) > _BEYOND:
        raise AudioError("what the microphone gave is no sound; record it again")
    return _Sound(samples, sample_rate)


def _read(name: str, content: bytes) -> _Sound:
    """Decode a file, of which no more is read than a clip may last."""
    sound = read_bytes(name, content, end_seconds=LONGEST_SECONDS + 1)
    _check_length(len(sound.samples) / sound.sample_rate, name)
    return _Sound(sound.samples, int(sound.sample_rate))


def _check_length(seconds: float, name: str = "this clip") -> None:
    if seconds > LONGEST_SECONDS:
        raise AudioError(f"{name} is longer than {LONGEST_SECONDS:g} s, the most a clip may last; cut it to its word")
    if seconds < _SHORTEST_SECONDS:
        raise AudioError(f"{name} lasts {seconds:.2f} s, which holds no word; {_SHORTEST_SECONDS:g} s are the least")


def plain_settings(values: Any) -> dict[str, Any]:
    """Give of what a browser says of its microphone the plain values, few and short.

    >>> plain_settings({"echoCancellation": False, "deviceId": "a" * 64, "latency": 0.01, "other": [1]})
    {'echoCancellation': False, 'latency': 0.01}
    """
    if not isinstance(values, dict):
        return {}
    kept: dict[str, Any] = {}
    for key, value in list(values.items())[:40]:
        number = isinstance(value, bool | int | float) and abs(value) <= _GREATEST
        if str(key) not in ("deviceId", "groupId") and (number or (isinstance(value, str) and len(value) <= 200)):
            kept[str(key)[:40]] = value
    return kept
