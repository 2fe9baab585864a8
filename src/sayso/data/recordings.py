"""The recordings of a data set, to look at and to listen to."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sayso.config.schema import read
from sayso.data.clips import Clip
from sayso.data.datasets import DatasetConfig, values_of_source
from sayso.system.progress import Progress
from sayso.system.wording import counted

__all__ = ["Recordings", "dataset", "summarise"]


@dataclass(frozen=True)
class Recordings:
    """A data set: its settings, where it is, and its clips."""

    settings: DatasetConfig
    """As the section `dataset` of a recipe has them."""

    @property
    def here(self) -> bool:
        """Whether the recordings are on this machine."""
        return self.settings.location() is not None

    @cached_property
    def clips(self) -> tuple[Clip, ...]:
        """Every clip, with its path, word, speaker and part; fetched or made first where they are not here.

        Raises:
            DataError: nothing usable is there.
        """
        return self.settings.kept_listing(Progress()).clips

    def __str__(self) -> str:
        return f"{self.settings.kind}: {summarise(self.clips)}"


def dataset(source: str | Path, **settings: object) -> Recordings:
    """Open a data set.

    Args:
        source: its kind, such as `fsdd`, or a folder of clips by word, or a manifest.
        settings: of the data set, as the section `dataset` of a recipe has them.

    Raises:
        SettingsError: there is no such data set, or a setting does not fit.
    """
    return Recordings(read(DatasetConfig, values_of_source(str(source)) | settings))


def summarise(clips: Sequence[Clip]) -> str:
    """Count clips, words and speakers.

    >>> summarise([Clip("a.wav", "yes", "ann"), Clip("b.wav", "no", "ann")])
    '2 clips of 2 words, 1 speaker'
    """
    words = len({clip.label for clip in clips})
    speakers = len({clip.speaker for clip in clips} - {None})
    who = counted(speakers, "speaker") if speakers else "speakers not known"
    return f"{counted(len(clips), 'clip')} of {counted(words, 'word')}, {who}"
