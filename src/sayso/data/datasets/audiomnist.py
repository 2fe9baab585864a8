"""AudioMNIST: the digits 0-9 by 60 speakers, 50 times each, 30,000 clips at 48 kHz.

https://github.com/soerenab/AudioMNIST and https://arxiv.org/abs/1807.03418, MIT licence.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from sayso.config.schema import did_you_mean
from sayso.data.clips import Clip, Listing
from sayso.data.datasets import DATASETS, DatasetConfig
from sayso.data.downloaded import Download, note_partial_copy
from sayso.errors import DataError, Fault
from sayso.system.progress import Progress

__all__ = ["AudioMnistConfig"]

SPEAKERS = tuple(f"{number:02}" for number in range(1, 61))
CLIPS_PER_SPEAKER = 500
_NAME = re.compile(r"(?P<digit>[0-9])_(?P<speaker>[0-9]{2})_(?P<index>[0-9]+)\.(?:wav|flac)")


def _find_recordings(root: Path) -> Path | None:
    """Find the folder of speakers: `root` itself, its `data`, or the `data` one level below, as in GitHub's archive."""
    places = (root, root / "data", *sorted(root.glob("*/data")))
    return next((path for path in places if any((path / name).is_dir() for name in SPEAKERS)), None)


# GitHub makes these archives when asked, so their hash is not promised; gzip's own checksum guards the transfer.
DOWNLOAD = Download(
    name="audiomnist",
    urls=(
        "https://github.com/soerenab/AudioMNIST/archive/refs/heads/master.tar.gz",
        "https://codeload.github.com/soerenab/AudioMNIST/tar.gz/refs/heads/master",
    ),
    archive="AudioMNIST-master.tar.gz",
    find=_find_recordings,
    sought="`data` folder with one folder a speaker",
)


@DATASETS.register("audiomnist")
@dataclass(frozen=True, kw_only=True)
class AudioMnistConfig(DatasetConfig):
    """AudioMNIST: digits 0-9, 60 speakers x 50; it has no official test part, so auto tests on held-out speakers."""

    licence: ClassVar[str] = "AudioMNIST (S. Becker and others, arXiv 1807.03418), MIT"

    speakers: tuple[str, ...] = ()
    """Only these of '01' to '60', in quotes; empty: all sixty."""

    def faults(self) -> Iterator[Fault]:
        """Yield a fault for each speaker that this source does not have."""
        for index, name in enumerate(self.speakers):
            if name not in SPEAKERS:
                yield Fault(f"speakers[{index}]", f"no speaker '{name}', they are '01' to '60'; {_nearest(name)}")

    def location(self) -> Path | None:
        """Give the folder of speakers: below $SAYSO_DATA/audiomnist, else what was downloaded."""
        return DOWNLOAD.location()

    def listing(self, progress: Progress) -> Listing:
        """List the clips, downloading them first when they are not here: some 1.5 GB.

        Raises:
            DownloadError: they are not here and cannot be fetched.
            DataError: no clip of the chosen speakers is there.
        """
        folder = DOWNLOAD.fetch(progress)
        chosen = self.speakers or SPEAKERS
        clips = tuple(clip for speaker in sorted(set(chosen)) for clip in _clips(folder / speaker))
        if not clips:
            raise DataError(f"{folder}: no recordings of {', '.join(chosen)}; files are named 01/7_01_12.wav")
        return Listing(clips, notes=note_partial_copy(len(clips), len(set(chosen)) * CLIPS_PER_SPEAKER))


def _clips(folder: Path) -> Iterator[Clip]:
    if not folder.is_dir():
        return
    matches = [match for name in os.listdir(folder) if (match := _NAME.fullmatch(name))]  # noqa: PTH208 - names only
    for match in sorted(matches, key=lambda match: (match["digit"], int(match["index"]))):
        # The folder says who speaks; a file that says otherwise was put there by mistake.
        if match["speaker"] == folder.name:
            yield Clip(f"{folder}{os.sep}{match.string}", match["digit"], match["speaker"])


def _nearest(name: str) -> str:
    padded = name.strip().zfill(2)
    return f"did you mean '{padded}'?" if padded in SPEAKERS else did_you_mean(name, SPEAKERS)
