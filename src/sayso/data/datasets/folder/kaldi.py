"""Kaldi's data folders: `wav.scp` and `text`, and where they are there `utt2spk` and `segments`."""

import os
from collections.abc import Iterator
from pathlib import Path

from sayso.data.clips import Clip
from sayso.data.datasets.folder.found import Found, spelled
from sayso.data.datasets.folder.manifest import clip_path
from sayso.errors import DataError
from sayso.system.files import why_unread

__all__ = ["is_kaldi_folder", "read_kaldi_folder"]

_SOUNDS, _TEXTS, _SPEAKERS, _SEGMENTS = "wav.scp", "text", "utt2spk", "segments"


def is_kaldi_folder(folder: Path) -> bool:
    """Whether a folder holds the tables that Kaldi keeps of its recordings."""
    return all(os.path.isfile(folder / name) for name in (_SOUNDS, _TEXTS))  # noqa: PTH113 - never raises


def read_kaldi_folder(folder: Path) -> Found:
    """Read the clips that Kaldi's tables name; what is said in one is its word.

    Raises:
        DataError: a table cannot be read, tells of a recording that no other has, or gives a command for a file.
    """
    sounds = _table(folder / _SOUNDS)
    speakers = _table(folder / _SPEAKERS) if (folder / _SPEAKERS).is_file() else {}
    segments = _table(folder / _SEGMENTS) if (folder / _SEGMENTS).is_file() else None
    found = Found(str(folder), manifest=True, notes=[f"clips are those of Kaldi's {_SOUNDS} and {_TEXTS}"])
    for name, (line, said) in _table(folder / _TEXTS).items():
        where = f"{folder / _TEXTS}: line {line}: {name}"
        recording, start, end = _stretch(folder, name, segments, where) if segments is not None else (name, None, None)
        _, sound = sounds.get(recording, (0, ""))
        if not sound:
            raise DataError(
                f"{where}: {_SOUNDS} has no file for {recording}; take the line out, or name its file there"
            )
        if sound.endswith("|"):
            raise DataError(
                f"{where}: {_SOUNDS} gives a command for it, not a file; write the file, and name that there"
            )
        if not said:
            raise DataError(f"{where}: says nothing; write its word behind its name, or take the line out")
        speaker = speakers[name][1] if name in speakers else None
        path = clip_path(sound, str(folder))
        found.clips.append(Clip(path, spelled(said), speaker and spelled(speaker), None, start, end))
    if not found.clips:
        raise DataError(f"{folder / _TEXTS}: an empty table; Kaldi writes a line with name and words for each clip")
    return found


def _stretch(
    folder: Path, name: str, segments: dict[str, tuple[int, str]], where: str
) -> tuple[str, float | None, float | None]:
    if name not in segments:
        raise DataError(f"{where}: {_SEGMENTS} does not say where it lies; take the line out, or add it there")
    line, said = segments[name]
    try:
        recording, start, end = said.split()
        lies = recording, float(start), float(end)
    except ValueError as error:
        raise DataError(
            f"{folder / _SEGMENTS}: line {line}: must be a name, a recording, and start and end in seconds"
        ) from error
    if not 0 <= lies[1] < lies[2]:
        raise DataError(f"{folder / _SEGMENTS}: line {line}: ends at {end} s, must be after its start at {start} s")
    return lies


def _table(path: Path) -> dict[str, tuple[int, str]]:
    """Read a table of Kaldi's: line and rest of the line by the name that begins it."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (UnicodeDecodeError, OSError) as error:
        raise DataError(f"{path}: {why_unread(error, f'cannot be read as a table in UTF-8 ({error})')}") from error
    table: dict[str, tuple[int, str]] = {}
    for line, name, rest in _entries(lines):
        if name in table:
            raise DataError(f"{path}: line {line}: {name} stands there twice; take one line out")
        table[name] = line, rest
    return table


def _entries(lines: list[str]) -> Iterator[tuple[int, str, str]]:
    for line, text in enumerate(lines, start=1):
        name, *rest = text.strip().split(maxsplit=1) or [""]
        if name:
            yield line, name, rest[0] if rest else ""
