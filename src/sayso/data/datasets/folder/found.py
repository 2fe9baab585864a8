"""What a folder or a manifest offers, and the names that both give to sounds, parts and words."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from unicodedata import normalize

from sayso.audio import can_read_media
from sayso.data.clips import Clip, PartName
from sayso.errors import install_command
from sayso.system.wording import counted

__all__ = [
    "ARRANGE",
    "EXTENSIONS",
    "MEDIA_EXTENSIONS",
    "NOISE_FOLDER",
    "NONE_FOLDER",
    "ONLY_TRAINS",
    "OTHER_FOLDERS",
    "PART_NAMES",
    "TRAINING_FOLDER",
    "Found",
    "is_sound",
    "note_media",
    "spelled",
    "without_ending",
]

NOISE_FOLDER = "_background_noise_"
"""The folder, or label, of recordings that are no word."""
TRAINING_FOLDER = "_training_only_"
"""The folder of clips, by word, that train and are never validated or tested on."""
ONLY_TRAINS = "training only"
"""What a manifest's split column says of such clips."""
NONE_FOLDER = "_none_of_these_"
"""The folder, or label, of clips that say none of the words: they are no data of their own, and train as negatives."""
OTHER_FOLDERS = frozenset((NOISE_FOLDER, TRAINING_FOLDER, NONE_FOLDER))
"""Folders beside those of words, whose names no word can have."""

# What phones' recorders, browsers and cameras write.
MEDIA_EXTENSIONS = frozenset(
    (
        *("m4a", "m4b", "mp4", "m4v", "mov", "qta", "3gp", "3gpp", "3g2", "aac", "adts", "amr", "awb"),
        *("webm", "weba", "mka", "mkv", "wma"),
    )
)
"""Endings of files whose sound the extra `media` reads, in lower case."""
# What libsndfile reads without being told more, by the endings in use.
EXTENSIONS = MEDIA_EXTENSIONS | frozenset(
    (
        *("wav", "wave", "flac", "ogg", "oga", "opus", "mp3", "aif", "aiff", "aifc", "au", "snd", "w64", "rf64"),
        *("voc", "sph", "caf", "nist", "avr", "htk", "ircam", "paf", "pvf", "svx"),
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
    none: list[str] = field(default_factory=list[str])
    """Clips that say none of the words."""
    notes: list[str] = field(default_factory=list[str])


def spelled(name: str) -> str:
    r"""Spell a name in one way: an é is the same whether a file system writes it as one sign or as two.

    Bytes that are no UTF-8 become escapes, as files that are written have them.

    >>> print(spelled(" ann\udce9"))
    ann\udce9
    """
    return normalize("NFC", name).strip().encode(errors="backslashreplace").decode()


def is_sound(name: str) -> bool:
    """Whether a file of this name is taken for sound."""
    return _ending(name) in EXTENSIONS


def without_ending(path: str) -> str:
    """Take the ending off a sound file's path; other paths stay as they are.

    >>> without_ending("yes/1.wav"), without_ending("yes/take.2")
    ('yes/1', 'yes/take.2')
    """
    return path.rpartition(".")[0] if is_sound(path) else path


def note_media(paths: Iterable[str]) -> Iterator[str]:
    """Yield a note about files that the extra `media` would read, where that is not installed."""
    if can_read_media():
        return
    every = list(dict.fromkeys(paths))
    media = [path for path in every if _ending(path) in MEDIA_EXTENSIONS]
    if media:
        kinds = ", ".join(f"{count} .{kind}" for kind, count in Counter(map(_ending, media)).most_common())
        are = f"{len(media):,} of {counted(len(every), 'sound file')} ({kinds}) {'is' if len(media) == 1 else 'are'}"
        yield f"{are} read by an extra that is not installed: {install_command('media')}"


def _ending(path: str) -> str:
    _, dot, ending = path.rpartition(".")
    return ending.lower() if dot else ""
