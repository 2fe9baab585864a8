"""Where clips lie in a folder of recordings, and what the folders above each say of it."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sayso.data.datasets.folder.found import NOISE_FOLDER, NONE_FOLDER, TRAINING_FOLDER, is_sound, spelled

__all__ = ["Place", "find_corrections", "find_recordings"]


@dataclass(frozen=True)
class Place:
    """A sound file, and what the folders above it say."""

    path: str
    """Below the folder of the recordings, with `/` between."""
    word: str
    """As its folder is called."""
    speaker: str | None
    """As the folder below is called; None: there is none."""

    @property
    def folder(self) -> str:
        """Of its word, below the folder of the recordings."""
        first, second, *_ = self.path.split("/")
        return second if first == TRAINING_FOLDER else first

    @property
    def speaker_folder(self) -> str | None:
        """The one that names the speaker."""
        return self.path.split("/")[-2] if self.speaker else None


def find_recordings(folder: Path) -> Iterator[Place]:
    """Find the clips that are divided into training, validation and test, by path."""
    for word in _names(folder, folders=True):
        if word not in (NOISE_FOLDER, NONE_FOLDER, TRAINING_FOLDER):
            yield from _of_word(folder, word)


def find_corrections(folder: Path) -> Iterator[Place]:
    """Find the clips that only train, those of words first."""
    for word in _names(folder / TRAINING_FOLDER, folders=True):
        yield from _of_word(folder, f"{TRAINING_FOLDER}/{word}")
    yield from _of_word(folder, NONE_FOLDER)


def _of_word(root: Path, below: str) -> Iterator[Place]:
    """Clips in a word's folder, and one folder below."""
    word, folder = spelled(below.rpartition("/")[2]), root / below
    for name in _sounds(folder):
        yield Place(f"{below}/{name}", word, None)
    for speaker in _names(folder, folders=True):
        for name in _sounds(folder / speaker):
            yield Place(f"{below}/{speaker}/{name}", word, spelled(speaker))


def _sounds(folder: Path) -> list[str]:
    return [name for name in _names(folder, folders=False) if is_sound(name)]


def _names(folder: Path, *, folders: bool) -> Iterable[str]:
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError), os.scandir(folder) as entries:
        return sorted(each.name for each in entries if each.is_dir() == folders and not each.name.startswith("."))
    return ()
