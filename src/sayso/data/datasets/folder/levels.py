"""What the levels of a folder mean: words, parts of the data set, speakers; judged together, or asked for.

A folder called `test` is the test part where it holds the words that lie beside it, or in `train`, and a word where it
holds sound files or the speakers that other words have.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sayso.data.clips import PartName
from sayso.data.datasets.folder.branch import Branch
from sayso.data.datasets.folder.found import ARRANGE, spelled
from sayso.errors import DataError
from sayso.system.wording import listed

__all__ = ["WordFolder", "find_words"]

Kind = Literal["train", "validation", "test", "evaluation"]
_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
    **dict.fromkeys(("eval", "evaluation"), "evaluation"),
}
_KIND = re.compile(rf"({'|'.join(_KINDS)})(?:set|data|split|part|clips|audio|files|samples)?")
# These are people too.
_FIRST_NAMES = frozenset(("dev", "val"))
_VERSIONS = frozenset(
    (
        *("original", "originals", "orig", "raw", "clean", "loud", "quiet", "soft", "noisy", "noise", "augmented"),
        *("augmentation", "augmentations", "aug", "processed", "normalized", "normalised", "denoised", "trimmed"),
        *("copy", "copies", "resampled", "converted", "wav", "wavs", "mp3", "flac", "audio", "clips", "samples"),
        *("recordings", "sounds", "files", "data"),
    )
)
_SHOWN = 5
_NAME_PARTS = (
    "name the parts train, validation and test and let nothing lie beside them, list their clips in testing_list.txt "
    "and validation_list.txt, or name the clips in a manifest with a split column"
)


@dataclass(frozen=True)
class WordFolder:
    """A folder whose clips say one word."""

    word: str
    branch: Branch
    part: PartName | None = None
    """The part its clips belong to, where folders say so."""
    alone: bool = False
    """Whether only the sound files directly in it are meant, as its sub-folders are other parts."""


def find_words(root: Branch, *, asks: bool, folders_speak: bool) -> list[WordFolder]:
    """Find the folders of words, and the parts that they belong to.

    Args:
        root: what a person gave.
        asks: refuse sub-folders of words that may or may not be speakers; False: something else names the speakers.
        folders_speak: sub-folders of words are speakers, whatever they are called.

    Raises:
        DataError: the levels can mean one thing or another, or no words are there.
    """
    words = _below_parts(root)
    if folders_speak:
        return words
    inner = {kid.name for word in words for kid in word.branch.filled}
    kinds = _kinds(inner)
    divided = any(word.part for word in words)
    if not divided and len(kinds) == len(inner) and _are_parts_of_words(kinds, words):
        return _divided_words(words, _parts(root, kinds))
    if asks:
        _check_speakers(root, inner, words)
    return words


def _kinds(names: Iterable[str]) -> dict[str, Kind]:
    """Say of names that look like parts which part each looks like."""
    found = {name: _KIND.fullmatch(_plain(name)) for name in names}
    return {name: _KINDS[match[1]] for name, match in found.items() if match}


def _plain(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())


def _parts(root: Branch, kinds: Mapping[str, Kind]) -> dict[str, PartName]:
    """Give each folder its part; `evaluation` is what beside training is not there under its own name."""
    missing: list[PartName] = [part for part in ("validation", "test") if part not in kinds.values()]
    plain = len(set(kinds.values())) == len(kinds)
    if not plain or ("evaluation" in kinds.values() and not ("train" in kinds.values() and len(missing) == 1)):
        raise DataError(
            f"{root.path}: which parts its folders {', '.join(sorted(kinds))} are is not plain; {_NAME_PARTS}"
        )
    return {name: missing[0] if kind == "evaluation" else kind for name, kind in kinds.items()}


def _below_parts(root: Branch) -> list[WordFolder]:
    """Judge the first level: words, parts with the words in them, or words beside the test part."""
    kinds = _kinds(branch.name for branch in root.filled)
    named = [branch for branch in root.filled if branch.name in kinds]
    others = [branch for branch in root.filled if branch.name not in kinds]
    parts = [branch for branch in named if _holds_words(branch, root.filled)]
    if not parts:
        if named:
            _check_are_words(root, named, others)
        return [WordFolder(spelled(branch.name), branch) for branch in root.filled]
    of = _parts(root, {branch.name: kinds[branch.name] for branch in parts})
    beside = [branch for branch in root.filled if branch not in parts]
    words = {spelled(branch.name) for branch in beside}
    if beside and ("train" in of.values() or not all(_mostly(_words_in(branch), words) for branch in parts)):
        raise DataError(
            f"{root.path}: {_names(parts)} look like parts, and {_names(beside)} beside them like words or something "
            f"else; {_NAME_PARTS}"
        )
    return [
        *(WordFolder(spelled(branch.name), branch, "train") for branch in beside),
        *(WordFolder(spelled(kid.name), kid, of[branch.name]) for branch in parts for kid in branch.filled),
    ]


def _words_in(branch: Branch) -> set[str]:
    return {spelled(kid.name) for kid in branch.filled}


def _mostly(names: set[str], known: set[str]) -> bool:
    return bool(names) and 2 * len(names & known) >= len(names)


def _holds_words(branch: Branch, siblings: Sequence[Branch]) -> bool:
    """Whether a folder that is called like a part holds words: those beside it, or in others called so."""
    others = [other for other in siblings if other is not branch]
    known = {spelled(other.name) for other in others}
    for other in others:
        if _kinds([other.name]):
            known |= _words_in(other)
    return not branch.sounds and _mostly(_words_in(branch), known)


def _check_are_words(root: Branch, named: Sequence[Branch], others: Sequence[Branch]) -> None:
    """Refuse folders called like parts that may be no words: there are no others, or nothing shows that they are."""
    if not others:
        inside = f"give {named[0].path} itself if it is the whole, or " if len(named) == 1 else ""
        raise DataError(
            f"{root.path}: its folders {', '.join(branch.name for branch in named)} look like parts, not words; "
            f"{inside}{ARRANGE}, or in parts that hold the same words, such as my-clips/train/yes/1.wav"
        )
    speakers = {kid.name for other in others for kid in other.filled}
    if unclear := [branch for branch in named if not branch.sounds and not _words_in(branch) & speakers]:
        raise DataError(
            f"{root.path}: {_names(unclear)} may be a part or a word, as its folders {_names(unclear[0].filled)} are "
            f"neither words nor speakers beside it; {_NAME_PARTS}"
        )


def _are_parts_of_words(kinds: Mapping[str, Kind], words: Sequence[WordFolder]) -> bool:
    """Whether folders in words, all called like parts, are parts: several, or one beside clips that train."""
    if all(_plain(name) in _FIRST_NAMES for name in kinds):
        return False
    loose = any(word.branch.sounds for word in words)
    if len(kinds) > 1:
        return not loose or "train" not in kinds.values()
    return loose and not {"train", "evaluation"} & set(kinds.values())


def _divided_words(words: Sequence[WordFolder], parts: Mapping[str, PartName]) -> list[WordFolder]:
    loose = [WordFolder(word.word, word.branch, "train", alone=True) for word in words if word.branch.sounds]
    return [*loose, *(WordFolder(word.word, kid, parts[kid.name]) for word in words for kid in word.branch.filled)]


def _check_speakers(root: Branch, names: set[str], words: Sequence[WordFolder]) -> None:
    """Refuse folders in words that look like parts or versions of recordings rather than like speakers."""
    deeper = {kid.name for word in words for speaker in word.branch.filled for kid in speaker.filled}
    parts = sorted(name for name in _kinds(names) if _plain(name) not in _FIRST_NAMES)
    parts = parts or (sorted(_kinds(deeper)) if len(_kinds(deeper)) > 1 else [])
    versions = sorted(name for name in names if _plain(name) in _VERSIONS)
    if parts or versions:
        what = "parts" if parts else "versions of the same recordings, or plain folders"
        raise DataError(
            f"{root.path}: folders inside words, such as {listed(parts or versions, _SHOWN)}, look like {what}, not "
            "like speakers; set dataset.speaker=folder if they are speakers, dataset.speaker=none if they mean nothing"
            + (f"; or {_NAME_PARTS}" if parts else "")
        )


def _names(branches: Sequence[Branch]) -> str:
    return listed([branch.name for branch in branches], _SHOWN)
