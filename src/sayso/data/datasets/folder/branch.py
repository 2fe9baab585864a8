"""A folder and all below it, read once: sound files in their folders, noise, and what is left out."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from sayso.data.datasets.folder.found import NOISE_FOLDER, NONE_FOLDER, TRAINING_FOLDER, is_sound
from sayso.errors import DataError
from sayso.system.files import is_folder_entry
from sayso.system.wording import listed

__all__ = ["Branch", "LeftOut", "read_branch"]

# Word, part, speaker and session are four; links that lead back to where they lie end here too.
_DEEPEST = 8
_SHOWN_HIDDEN, _SHOWN_KINDS = 3, 5


@dataclass
class LeftOut:
    """What lies in a folder and is no clip."""

    root: str
    noise: list[str] = field(default_factory=list[str])
    """Recordings in folders of noise, wherever those lie."""
    none: list[str] = field(default_factory=list[str])
    """Recordings in folders of clips that say none of the words."""
    training: list["Branch"] = field(default_factory=list["Branch"])
    """Folders of clips that only train."""
    hidden: list[str] = field(default_factory=list[str])
    """Sound files, and folders with such, whose names begin with a dot."""
    strange: Counter[str] = field(default_factory=Counter[str])
    """How many files of other endings, and folders below all that is read."""

    def add_hidden(self, path: str, *, is_folder: bool) -> None:
        """Keep in mind what is hidden, where it is sound or holds any."""
        name = path.rpartition(os.sep)[2]
        names = (name for _, _, names in os.walk(path) for name in names) if is_folder else [name]
        if any(is_sound(name) for name in names):
            self.hidden.append(path)

    def notes(self) -> Iterator[str]:
        """Yield what a person should know of it."""
        if self.strange:
            kinds = [f"{count} {kind}" for kind, count in self.strange.most_common(_SHOWN_KINDS)]
            yield f"left out, not known as sound or too deep: {', '.join(kinds)}"
        if self.hidden:
            names = [os.path.relpath(path, self.root) for path in self.hidden]
            yield f"hidden, left out: {listed(sorted(names), _SHOWN_HIDDEN, count_rest=True)}"


@dataclass(eq=False)
class Branch:
    """A folder: the names of its sound files, and its sub-folders, in order."""

    path: str
    sounds: list[str] = field(default_factory=list[str])
    branches: list["Branch"] = field(default_factory=list["Branch"])
    """Without hidden ones, folders of noise, and those too deep."""
    others: list[str] = field(default_factory=list[str])
    """Names of its other files."""
    holds_sound: bool = False
    """Whether a sound file lies in it, or anywhere below."""

    @property
    def name(self) -> str:
        """What it is called."""
        return self.path.rpartition(os.sep)[2]

    @property
    def filled(self) -> list["Branch"]:
        """Its sub-folders that hold sound."""
        return [branch for branch in self.branches if branch.holds_sound]

    def recordings(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield every sound file in it and below: its path, and the folders between."""
        for name in self.sounds:
            yield f"{self.path}{os.sep}{name}", ()
        for branch in self.branches:
            for path, between in branch.recordings():
                yield path, (branch.name, *between)


def read_branch(path: str, left_out: LeftOut, *, depth: int = 0) -> Branch:
    """Read a folder and all below it.

    Raises:
        DataError: one of them cannot be read.
    """
    branch = Branch(path)
    for name, is_folder in _entries(path):
        where = f"{path}{os.sep}{name}"
        if name.startswith("."):
            left_out.add_hidden(where, is_folder=is_folder)
        elif is_folder:
            _read_below(branch, where, left_out, depth)
        elif is_sound(name):
            branch.sounds.append(name)
        else:
            branch.others.append(name)
    if depth:
        left_out.strange.update(f".{name.rpartition('.')[2]}" if "." in name else name for name in branch.others)
    branch.holds_sound = bool(branch.sounds or branch.filled)
    return branch


def _read_below(branch: Branch, path: str, left_out: LeftOut, depth: int) -> None:
    if depth == _DEEPEST:
        left_out.strange["folders"] += 1
        return
    inner = read_branch(path, left_out, depth=depth + 1)
    if inner.name == NOISE_FOLDER:
        left_out.noise += [recording for recording, _ in inner.recordings()]
    elif inner.name == NONE_FOLDER:
        left_out.none += [recording for recording, _ in inner.recordings()]
    elif inner.name == TRAINING_FOLDER:
        left_out.training.append(inner)
    else:
        branch.branches.append(inner)


def _entries(folder: str) -> list[tuple[str, bool]]:
    try:
        with os.scandir(folder) as entries:
            return sorted((entry.name, is_folder_entry(entry)) for entry in entries)
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror}); check its permissions") from error
