"""A folder with one sub-folder a word, walked."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence

from sayso.data.clips import Clip
from sayso.data.datasets.folder.found import ARRANGE, NOISE_FOLDER, PART_NAMES, Found, is_sound, spelled
from sayso.data.datasets.folder.lists import LISTS, divide_by_lists
from sayso.errors import DataError
from sayso.system.wording import counted

__all__ = ["walk"]


def _entries(folder: str) -> tuple[list[str], list[str]]:
    """List the names of the sub-folders and of the files in a folder, hidden ones left out, in order."""
    try:
        with os.scandir(folder) as entries:
            both = sorted((entry.name, entry.is_dir()) for entry in entries if not entry.name.startswith("."))
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror}); check its permissions") from error
    return [name for name, is_folder in both if is_folder], [name for name, is_folder in both if not is_folder]


def walk(root: str) -> Found:
    """List the clips of a folder.

    Raises:
        DataError: it holds none, or not in one folder a word.
    """
    found = Found(root)
    words, files = _entries(root)
    noise = [word for word in words if word == NOISE_FOLDER]
    words = [word for word in words if word != NOISE_FOLDER]
    _check_arrangement(root, words, files)
    strange: Counter[str] = Counter()
    for word in words:
        found.clips += _word_clips(root, word, strange)
    for folder in noise:
        _, names = _entries(f"{root}{os.sep}{folder}")
        found.noise += [f"{root}{os.sep}{folder}{os.sep}{name}" for name in names if is_sound(name)]
    if not found.clips:
        raise DataError(f"{root}: no sound files in its folders; {ARRANGE}")
    filled = {clip.path[len(root) + 1 :].partition(os.sep)[0] for clip in found.clips}
    if empty := [word for word in words if word not in filled]:
        found.notes.append(f"no sound files in: {', '.join(empty)}; these are not words then")
    if loose := sum(is_sound(name) for name in files):
        found.notes.append(f"{counted(loose, 'sound file lies', 'sound files lie')} beside the word folders: left out")
    if strange:
        kinds = ", ".join(f"{count} {kind}" for kind, count in strange.most_common(5))
        found.notes.append(f"left out, not known as sound or too deep: {kinds}")
    found.clips, notes = divide_by_lists(root, found.clips)
    found.notes += notes
    return found


def _check_arrangement(root: str, words: Sequence[str], files: Sequence[str]) -> None:
    if not words and any(is_sound(name) for name in files):
        raise DataError(f"{root}: its sound files lie directly in it, so their words are unknown; {ARRANGE}")
    if not words:
        raise DataError(f"{root}: an empty folder; {ARRANGE}")
    if all(word.lower() in PART_NAMES for word in words):
        raise DataError(
            f"{root}: its folders {', '.join(words)} look like parts, not words; {ARRANGE}, and name the parts in "
            f"{' and '.join(LISTS)} or in a manifest's split column"
        )


def _word_clips(root: str, word: str, strange: Counter[str]) -> Iterator[Clip]:
    label = spelled(word)
    base = f"{root}{os.sep}{word}"
    folders, files = _entries(base)
    groups: list[tuple[str, str | None, list[str]]] = [(base, None, files)]
    for speaker in folders:
        deeper, names = _entries(f"{base}{os.sep}{speaker}")
        if deeper:
            strange["folders"] += len(deeper)
        groups.append((f"{base}{os.sep}{speaker}", spelled(speaker), names))
    for folder, speaker, names in groups:
        for name in names:
            if is_sound(name):
                yield Clip(f"{folder}{os.sep}{name}", label, speaker)
            else:
                strange[f".{name.rpartition('.')[2]}" if "." in name else name] += 1
