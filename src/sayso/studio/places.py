"""Where clips lie in a folder of recordings, and what the folders above each say of it."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sayso.data.datasets.folder.branch import LeftOut, read_branch
from sayso.data.datasets.folder.found import NOISE_FOLDER, NONE_FOLDER, TRAINING_FOLDER, is_sound, spelled
from sayso.system.files import is_folder_entry, is_text

__all__ = ["Place", "count_nameless", "find_corrections", "find_everything", "find_recordings"]


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


def find_everything(folder: Path) -> Iterator[Place]:
    """Find all that trains where the folder itself is trained on: clips at any depth, and background noise."""
    left_out = LeftOut(str(folder))
    branch = read_branch(str(folder), left_out)
    words = [*branch.branches, *(word for only in left_out.training for word in only.branches)]
    clips = [(path, spelled(word.name), between) for word in words for path, between in word.recordings()]
    clips += [(path, NONE_FOLDER, ()) for path in left_out.none] + [(path, NOISE_FOLDER, ()) for path in left_out.noise]
    for path, word, between in clips:
        below = os.path.relpath(path, folder).replace(os.sep, "/")
        if is_text(Path(below)):
            yield Place(below, word, spelled(between[0]) if between else None)


def count_nameless(folder: Path) -> int:
    """How many files and folders of words and people have names that are no text (UTF-8), and are passed over."""
    words = [folder / name for name in _names(folder, folders=True)]
    words += [folder / TRAINING_FOLDER / name for name in _names(folder / TRAINING_FOLDER, folders=True)]
    people = [word / name for word in words for name in _names(word, folders=True)]
    return sum(not is_text(Path(each)) for place in (folder, *words, *people) for each in _all_names(place))


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
        names = [each.name for each in entries if is_folder_entry(each) == folders and not each.name.startswith(".")]
        return sorted(name for name in names if is_text(Path(name)))
    return ()


def _all_names(folder: Path) -> list[str]:
    with suppress(OSError), os.scandir(folder) as entries:
        return [each.name for each in entries]
    return []
