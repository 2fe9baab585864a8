"""Lists beside the word folders that name the clips of the test and of the validation part."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sayso.data.clips import Clip, PartName
from sayso.data.datasets.folder.found import spelled, without_ending
from sayso.errors import DataError
from sayso.system.wording import counted

__all__ = ["LISTS", "divide_by_lists"]

LISTS: dict[str, PartName] = {"testing_list.txt": "test", "validation_list.txt": "validation"}
"""Names of the lists, as Speech Commands has them."""


def divide_by_lists(root: str, clips: Sequence[Clip]) -> tuple[list[Clip], list[str]]:
    r"""Give clips the parts that lists in their folder name them for, all others to training; without lists nothing.

    A line is a path below the folder, with / or \ between, with the file's ending or without.

    Returns:
        The clips, and notes.

    Raises:
        DataError: a list cannot be read, names none of the clips, or names one that the other names too.
    """
    named = {name: _read(Path(root, name)) for name in LISTS if Path(root, name).is_file()}
    if not any(named.values()):
        return list(clips), []
    keys = [_key(clip.path[len(root) + 1 :]) for clip in clips]
    here = set(keys)
    for name, lines in named.items():
        if lines and not here & lines.keys():
            raise DataError(
                f"{Path(root, name)}: names none of the clips here, but others, such as {next(iter(lines.values()))}; "
                f"clips here are such as {keys[0]}, with their ending or without"
            )
    if both := [key for key in named.get("testing_list.txt", {}) if key in named.get("validation_list.txt", {})]:
        raise DataError(f"{root}: {both[0]} stands in both {' and '.join(LISTS)}; take it out of one")
    parts = {key: LISTS[name] for name, lines in named.items() for key in lines}
    count = sum(key in parts for key in keys)
    note = f"{' and '.join(named)} name {counted(len(parts), 'clip')}; here of them: {count:,}"
    return [replace(clip, part=parts.get(key, "train")) for clip, key in zip(clips, keys, strict=True)], [note]


def _read(path: Path) -> dict[str, str]:
    """Read the lines of a list, by what clips are found by."""
    try:
        lines = path.read_text(encoding="utf-8-sig", errors="surrogateescape").splitlines()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    return {_key(line): line.strip() for line in lines if line.strip()}


def _key(path: str) -> str:
    return without_ending(os.path.normpath(spelled(path).replace("\\", "/")).replace(os.sep, "/"))
