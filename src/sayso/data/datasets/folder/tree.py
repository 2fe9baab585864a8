"""A folder of clips: one sub-folder a word, with speakers below, and parts above or below where there are any.

Clips in `_training_only_`, by word, stand behind them and only train; what lies in `_none_of_these_` says no word.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from sayso.data.clips import Clip
from sayso.data.datasets.folder.branch import Branch, LeftOut, read_branch
from sayso.data.datasets.folder.found import ARRANGE, NOISE_FOLDER, NONE_FOLDER, TRAINING_FOLDER, Found, spelled
from sayso.data.datasets.folder.levels import WordFolder, find_words
from sayso.data.datasets.folder.lists import divide_by_lists
from sayso.errors import DataError
from sayso.system.wording import counted

__all__ = ["walk"]

_LIKE_NOISE = ("background_noise", "background-noise", "background noise", "backgroundnoise")
_TABLES = (".csv", ".tsv", ".jsonl")
_PARTS = {"train": "to train", "validation": "to validate", "test": "to test"}
_SPEAKS = {
    "auto": "; the first of these folders is the speaker",
    "folder": "; the last of these folders is the speaker",
}


def walk(root: str, *, speaker: str) -> Found:
    """List the clips of a folder.

    Args:
        root: absolute path.
        speaker: where speakers come from, as `FolderConfig.speaker`; of several folders below a word the first is the
            speaker, and with `folder` the last.

    Raises:
        DataError: it holds no clips, or what its levels mean is not plain.
    """
    left_out = LeftOut(root)
    branch = read_branch(root, left_out)
    if branch.name == NONE_FOLDER:
        words = [WordFolder(NONE_FOLDER, branch)]
    else:
        _check_arrangement(branch)
        words = find_words(branch, asks=speaker == "auto", folders_speak=speaker == "folder")
    found = Found(root, noise=left_out.noise, none=left_out.none)
    deep: list[str] = []
    for word in words:
        for path, between in _recordings(word):
            found.clips.append(Clip(path, word.word, _speaker(between, speaker), word.part))
            if len(between) > 1:
                deep.append(path)
    found.notes += _notes(branch, words, found.clips)
    if deep:
        lie = counted(len(deep), "clip lies", "clips lie")
        such = os.path.relpath(deep[0], root)
        found.notes.append(f"{lie} more than one folder below the word, such as {such}{_SPEAKS.get(speaker, '')}")
    found.notes += left_out.notes()
    found.clips, notes = divide_by_lists(root, found.clips)
    found.notes += notes
    for folder in left_out.training:
        found.clips += _only_training(folder, speaker)
    return found


def _speaker(between: Sequence[str], rule: str) -> str | None:
    """Give the speaker that the folders between word and clip name."""
    return spelled(between[-1 if rule == "folder" else 0]) if between else None


def _only_training(folder: Branch, rule: str) -> Iterator[Clip]:
    for word in folder.branches:
        for path, between in word.recordings():
            yield Clip(path, spelled(word.name), _speaker(between, rule), "train", keeps_part=True)


def _recordings(word: WordFolder) -> Iterator[tuple[str, tuple[str, ...]]]:
    if not word.alone:
        return word.branch.recordings()
    return ((f"{word.branch.path}{os.sep}{name}", ()) for name in word.branch.sounds)


def _check_arrangement(root: Branch) -> None:
    tables = [name for name in root.others if Path(name).suffix.lower() in _TABLES]
    mend = f"{ARRANGE}, or give its table {root.path}{os.sep}{tables[0]}" if tables else ARRANGE
    if not root.holds_sound and os.path.isdir(f"{root.path}{os.sep}{NONE_FOLDER}"):  # noqa: PTH112 - never raises
        raise DataError(f"{root.path}: no word beside {NONE_FOLDER}; {mend}")
    if not root.holds_sound and root.branches:
        raise DataError(f"{root.path}: no sound files in its folders; {mend}")
    if not root.holds_sound:
        raise DataError(f"{root.path}: an empty folder; {mend}")
    if not root.filled:
        raise DataError(f"{root.path}: its sound files lie directly in it, so their words are unknown; {mend}")


def _notes(root: Branch, words: Sequence[WordFolder], clips: Sequence[Clip]) -> Iterator[str]:
    if empty := [branch.name for branch in root.branches if not branch.holds_sound]:
        yield f"no sound files in: {', '.join(empty)}; these are not words then"
    if noise := [word.word for word in words if word.word.strip("_").casefold() in _LIKE_NOISE]:
        yield f"{noise[0]} is taken for a word; call its folder {NOISE_FOLDER} if it is noise to train with"
    if root.sounds:
        lie = counted(len(root.sounds), "sound file lies", "sound files lie")
        yield f"{lie} beside the word folders: left out"
    if root.name == TRAINING_FOLDER:
        yield f"{root.path}: given by itself, so its clips are divided like any others"
    if any(word.part for word in words):
        sizes = Counter(clip.part for clip in clips)
        parts = [f"{sizes[part]:,} {what}" for part, what in _PARTS.items() if sizes[part]]
        yield f"folders divide the clips: {', '.join(parts)}"
