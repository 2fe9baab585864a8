"""Which sound files are meant by a folder, a pattern or a list, one after the other, however many there are."""

import csv
import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import IO

from sayso.data.datasets.folder.found import is_sound
from sayso.errors import DataError
from sayso.system.files import is_folder_entry
from sayso.system.progress import Progress
from sayso.system.wording import counted

__all__ = ["find_files"]

# Entries of one folder that are sorted at once, for the sake of memory.
_SORTED_AT_ONCE = 100_000
_PATH_COLUMNS = ("path", "file")
_TRIED = 1_000


def find_files(sources: Sequence[str | Path], progress: Progress | None = None) -> Iterator[str]:
    """Yield the path of each sound file that is meant; of a folder in the order of names.

    What several sources mean is yielded once. A list by itself may name a file more often.

    Args:
        sources: sound files; folders, with those below, hidden ones left out; patterns such as `clips/**/*.flac`;
            lists, which are text files of a path a line, or CSV with a column `path` or `file`. A relative path in a
            list is meant from the folder of the list.
        progress: where to tell how many files several sources mean.

    Raises:
        DataError: a source is missing, cannot be read, or names no sound file that is there.
    """
    found = chain.from_iterable(map(_find, map(str, sources)))
    # Of one source no path is kept in mind: memory does not grow with a folder.
    yield from found if len(sources) == 1 else _once(found, progress or Progress())


def _find(source: str) -> Iterator[str]:
    if Path(source).is_dir():
        return _filled(_walk(source, ()), f"{source}: no sound files in this folder, nor in those below")
    if os.path.lexists(source):
        return iter((source,)) if is_sound(source) else _read_list(source)
    if glob.has_magic(source):
        every = sorted(glob.glob(source, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
        return _filled((path for path in every if is_sound(path)), f"{source}: matches no sound file")
    raise DataError(f"{source}: no such file, folder or list")


def _once(paths: Iterable[str], progress: Progress) -> Iterator[str]:
    """Give the same paths, each once however it is written, and tell how many came again."""
    seen: set[str] = set()
    again = 0
    for path in paths:
        place = os.path.abspath(path)  # noqa: PTH100 - links stay
        if place in seen:
            again += 1
            continue
        seen.add(place)
        yield path
    if again:
        progress.note(f"{counted(again, 'file was', 'files were')} named more than once, and answered once")


def _filled(paths: Iterator[str], otherwise: str) -> Iterator[str]:
    """Give the same paths; raises DataError where there is none."""
    first = next(paths, None)
    if first is None:
        raise DataError(otherwise)
    return chain((first,), paths)


def _walk(folder: str, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
    """Yield the sound files of a folder, then those below; links that lead back up end there.

    A folder below that cannot be read is yielded in place of its files, as one of which nothing can be read.
    """
    try:
        facts = Path(folder).stat()
        identity = (facts.st_dev, facts.st_ino)
        if identity in above:
            return
        with os.scandir(folder) as entries:
            while some := sorted(islice(entries, _SORTED_AT_ONCE), key=lambda entry: entry.name):
                shown = [entry for entry in some if not entry.name.startswith(".")]
                folders = [entry.path for entry in shown if is_folder_entry(entry)]
                yield from (entry.path for entry in shown if is_sound(entry.name) and not is_folder_entry(entry))
                for below in folders:
                    yield from _walk(below, (*above, identity))
    except OSError as error:
        if above:
            yield folder
            return
        raise DataError(f"{folder}: cannot be read ({error.strerror}); check its permissions") from error


def _read_list(path: str) -> Iterator[str]:
    """Yield the paths that a list names; raises DataError where none of the first is there."""
    try:
        with Path(path).open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            parent = Path(path).parent
            above = "" if parent == Path() else f"{parent}{os.sep}"  # joined by hand: a path stays as it is spelt
            paths = (name if name.startswith(os.sep) else f"{above}{name}" for name in _names(path, file))
            first = list(islice(paths, _TRIED))
            if not any(map(os.path.lexists, first)):
                raise DataError(_names_nothing(path, first))
            yield from chain(first, paths)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error


def _names(path: str, file: IO[str]) -> Iterator[str]:
    if path.lower().endswith(".csv"):
        rows = csv.DictReader(file)
        column = next((name for name in _PATH_COLUMNS if name in (rows.fieldnames or ())), None)
        if column is None:
            raise DataError(f"{path}: has no column `path` or `file`, which a list of sound files needs")
        yield from (row[column] for row in rows if row[column])
        return
    for line in file:
        if "\0" in line:
            raise DataError(f"{path}: neither a sound file by its name nor a list, which has a path a line")
        if name := line.rstrip("\r\n"):
            yield name


def _names_nothing(path: str, tried: Sequence[str]) -> str:
    if not tried:
        return f"{path}: an empty list, which names no sound file"
    return (
        f"{path}: names nothing that exists, such as {tried[0]}; write a path a line, from the folder of the list "
        "where it is relative"
    )
