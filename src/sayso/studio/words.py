"""`studio.json`: the words that were typed, in their order, and the folders that words and people have."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sayso.errors import DataError
from sayso.system.files import read_json, write_json

__all__ = ["WORDS_FILE", "Word", "Words", "read_words", "write_words"]

WORDS_FILE = "studio.json"
"""Lies in the folder."""


@dataclass(frozen=True)
class Word:
    """A word to be recognised."""

    word: str
    """As it was typed."""
    spoken: str
    """What is said for it; empty: the word itself."""
    folder: str
    """Of its clips."""


@dataclass(frozen=True)
class Words:
    """Words and people of a folder."""

    words: tuple[Word, ...] = ()
    speakers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Name to folder."""

    def folder_of(self, word: str) -> str | None:
        """Give the folder of a word; None: it is none of them."""
        return next((each.folder for each in self.words if each.word == word), None)

    def with_word(self, word: Word) -> "Words":
        """Add a word, unless one is called so or has its folder."""
        if any(each.word == word.word or each.folder == word.folder for each in self.words):
            return self
        return replace(self, words=(*self.words, word))

    def with_speaker(self, name: str, folder: str) -> "Words":
        """Add a person, unless one is called so or has that folder."""
        if name in self.speakers or folder in self.speakers.values():
            return self
        return replace(self, speakers={**self.speakers, name: folder})


def read_words(folder: Path) -> Words:
    """Read the words of a folder; none where it has no such file.

    Raises:
        DataError: the file is damaged.
    """
    path = folder / WORDS_FILE
    try:
        values = read_json(path)
        words = tuple(
            Word(_text(each["word"]), _text(each["spoken"]), _folder(each["folder"])) for each in values["words"]
        )
        speakers = {_text(each["speaker"]): _folder(each["folder"]) for each in values["speakers"]}
    except FileNotFoundError:
        return Words()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: is damaged; remove it, and type the words again: no clip is lost by that") from error
    return Words(words, speakers)


def write_words(folder: Path, words: Words) -> None:
    """Write the words of a folder, atomically.

    Raises:
        OutputError: they cannot be written.
    """
    rows = [{"word": word.word, "spoken": word.spoken, "folder": word.folder} for word in words.words]
    speakers = [{"speaker": name, "folder": own} for name, own in words.speakers.items()]
    write_json(folder / WORDS_FILE, {"words": rows, "speakers": speakers})


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _folder(value: Any) -> str:
    name = _text(value)
    if not name or name.startswith(".") or any(sign in name for sign in "/\\\0"):
        raise ValueError
    return name
