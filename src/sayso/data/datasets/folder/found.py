"""What a folder or a manifest offers, and the names that both give to sounds, parts and words."""

from dataclasses import dataclass, field
from unicodedata import normalize

from sayso.data.clips import Clip, PartName

__all__ = ["ARRANGE", "EXTENSIONS", "NOISE_FOLDER", "PART_NAMES", "Found", "is_sound", "spelled", "without_ending"]

NOISE_FOLDER = "_background_noise_"
"""The folder, or label, of recordings that are no word."""

# What libsndfile reads without being told more, by the endings in use.
EXTENSIONS = frozenset(
    (
        *("wav", "wave", "flac", "ogg", "oga", "opus", "mp3", "aif", "aiff", "aifc", "au", "snd", "w64", "rf64"),
        *("voc", "sph", "caf", "nist", "avr", "htk", "ircam", "paf", "pvf", "svx"),  # codespell:ignore caf
    )
)
"""Endings of sound files, in lower case."""

PART_NAMES: dict[str, PartName] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
"""What parts are called in the wild."""

ARRANGE = "put sound files into one folder a word, such as my-clips/yes/1.wav"


@dataclass
class Found:
    """What a folder or manifest offers, in order."""

    root: str
    """The folder that paths are relative to, where they are."""
    manifest: bool = False
    """Whether rows named the clips, and with them the speakers."""
    clips: list[Clip] = field(default_factory=list[Clip])
    noise: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])


def spelled(name: str) -> str:
    """Spell a name in one way: an é is the same whether a file system writes it as one sign or as two."""
    return normalize("NFC", name).strip()


def is_sound(name: str) -> bool:
    """Whether a file of this name is taken for sound."""
    return "." in name and name.rpartition(".")[2].lower() in EXTENSIONS


def without_ending(path: str) -> str:
    """Take the ending off a sound file's path; other paths stay as they are.

    >>> without_ending("yes/1.wav"), without_ending("yes/take.2")
    ('yes/1', 'yes/take.2')
    """
    return path.rpartition(".")[0] if is_sound(path) else path
