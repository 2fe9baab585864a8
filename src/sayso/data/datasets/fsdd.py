"""Free Spoken Digit Dataset: the digits 0-9 by six speakers, 3,000 clips at 8 kHz.

https://github.com/Jakobovski/free-spoken-digit-dataset, CC BY-SA 4.0.
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

__all__ = ["FsddConfig"]

SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
CLIPS_PER_SPEAKER = 500
# Index 0-4 of every digit and speaker is the official test part, the other 45 are for training.
OFFICIAL_TEST_INDICES = 5
_NAME = re.compile(r"(?P<digit>[0-9])_(?P<speaker>[^_]+)_(?P<index>[0-9]+)\.(?:wav|flac)")


def _find_recordings(root: Path) -> Path | None:
    """Find `recordings` in `root` or one level below, where GitHub's archives have it."""
    return next((path for path in (root / "recordings", *sorted(root.glob("*/recordings"))) if path.is_dir()), None)


# GitHub makes these archives when asked, so their hash is not promised; gzip's own checksum guards the transfer.
DOWNLOAD = Download(
    name="fsdd",
    urls=(
        "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.tar.gz",
        "https://codeload.github.com/Jakobovski/free-spoken-digit-dataset/tar.gz/refs/tags/v1.0.10",
    ),
    archive="free-spoken-digit-dataset-1.0.10.tar.gz",
    find=_find_recordings,
    sought="`recordings` folder",
)


@DATASETS.register("fsdd")
@dataclass(frozen=True, kw_only=True)
class FsddConfig(DatasetConfig):
    """Free Spoken Digit Dataset: digits 0-9, six speakers x 50; official test part: index 0-4."""

    licence: ClassVar[str] = "Free Spoken Digit Dataset (Z. Jakobovski and others), CC BY-SA 4.0"

    speakers: tuple[str, ...] = ()
    """Only these of george, jackson, lucas, nicolas, theo, yweweler; empty: all six."""

    def faults(self) -> Iterator[Fault]:
        """Yield a fault for each speaker that this source does not have."""
        for index, name in enumerate(self.speakers):
            if name not in SPEAKERS:
                yield Fault(f"speakers[{index}]", f"no speaker '{name}'; {did_you_mean(name, SPEAKERS)}")

    def location(self) -> Path | None:
        """Give the folder of recordings: below $SAYSO_DATA/fsdd, else what was downloaded."""
        return DOWNLOAD.location()

    def listing(self, progress: Progress) -> Listing:
        """List the clips, downloading them first when they are not here.

        Raises:
            DownloadError: they are not here and cannot be fetched.
            DataError: no clip of the chosen speakers is there.
        """
        folder = DOWNLOAD.fetch(progress)
        chosen = self.speakers or SPEAKERS
        clips = tuple(clip for clip in _clips(str(folder)) if clip.speaker in chosen)
        if not clips:
            raise DataError(f"{folder}: no recordings of {', '.join(chosen)}; files are named 7_theo_12.wav")
        return Listing(clips, notes=note_partial_copy(len(clips), len(set(chosen)) * CLIPS_PER_SPEAKER))


def _clips(folder: str) -> Iterator[Clip]:
    matches = [match for name in os.listdir(folder) if (match := _NAME.fullmatch(name))]  # noqa: PTH208 - names only
    for match in sorted(matches, key=lambda match: (match["digit"], match["speaker"], int(match["index"]))):
        part = "test" if int(match["index"]) < OFFICIAL_TEST_INDICES else "train"
        yield Clip(f"{folder}{os.sep}{match.string}", match["digit"], match["speaker"], part)
