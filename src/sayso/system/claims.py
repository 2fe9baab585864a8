"""Folders and files that one command at a time may write to.

A new folder is claimed by making it, which succeeds for one process alone, and locked for as long as that process
works there, so that no other takes it while it is still empty. A lock goes with its process, however that ends.
"""

import fcntl
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import IO

from sayso.errors import RunError
from sayso.system.files import output_errors

__all__ = ["free_folder", "locked_file", "locked_folder", "own_folder"]

# The time of a folder that one process made and another got: whoever leaves it empty removes it.
_MADE_FOR_ANOTHER = 1
# Another process may remove a folder that it leaves empty, in the moment in which this one is about to use it.
_TRIES = 100


@contextmanager
def own_folder(path: Path) -> Generator[Path]:
    """Make the folder, or take it where it is empty, for this process alone as long as the block runs.

    Folders made here that are empty in the end are removed.

    Raises:
        RunError: it is another command's, or is there and not empty; nothing in it is touched.
        OutputError: it cannot be made.
    """
    with _kept(path, lambda: _take(path)) as claimed:
        yield claimed


@contextmanager
def free_folder(path: Path) -> Generator[Path]:
    """Make the first of `path`, `path-2`, `path-3` and so on that is not there, and keep it as `own_folder` does.

    Raises:
        OutputError: none can be made.
    """
    with _kept(path, lambda: _first_free(path)) as claimed:
        yield claimed


@contextmanager
def locked_folder(path: Path) -> Generator[None]:
    """Keep others out of a folder that is there, as long as the block runs; file systems without locks let all in.

    Raises:
        RunError: another command is writing there.
    """
    with output_errors(path):
        lock = _lock(path)
    try:
        yield
    finally:
        _release(lock)


@contextmanager
def locked_file(path: Path, *, waits: Callable[[], None]) -> Generator[None]:
    """Wait until no other process is in such a block for this file, which is there for as long as one is.

    Args:
        path: an empty file that only serves to be locked.
        waits: is called when there is another, before it is waited for.

    Raises:
        OutputError: it cannot be made.
    """
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _locked_when_free(path, waits)
    with file:
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _locked_when_free(path: Path, waits: Callable[[], None]) -> IO[str]:
    while True:
        file = path.open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waits()
            fcntl.flock(file, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):  # removed by the one that was waited for
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()


@contextmanager
def _kept(path: Path, claim: Callable[[], tuple[Path, int | None]]) -> Generator[Path]:
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    with output_errors(path):
        claimed, lock = _again_while_folders_vanish(claim)
    try:
        yield claimed
    finally:
        with suppress(OSError):  # what holds something stays
            if path not in missing and claimed == path and path.stat().st_mtime_ns == _MADE_FOR_ANOTHER:
                path.rmdir()
            for folder in missing if claimed == path else [claimed, *missing[1:]]:
                folder.rmdir()
        _release(lock)


def _again_while_folders_vanish(claim: Callable[[], tuple[Path, int | None]]) -> tuple[Path, int | None]:
    for _ in range(_TRIES):
        # Making a folder that is there fails, too, where it vanishes before it is looked at.
        with suppress(FileNotFoundError, FileExistsError):
            return claim()
    return claim()


def _take(path: Path) -> tuple[Path, int | None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir()
        made = True
    except FileExistsError:
        made = False
    if not path.is_dir() and path.exists():
        raise RunError(f"{path}: is a file, nothing was changed; choose another --out")
    try:
        lock = _lock(path)
    except RunError:
        if made:
            os.utime(path, ns=(_MADE_FOR_ANOTHER, _MADE_FOR_ANOTHER))
        raise
    try:
        if any(path.iterdir()):
            raise RunError(
                f"{path}: exists and is not empty, nothing was changed; choose another --out or remove it first"
            )
        if lock is None and not made:
            raise RunError(f"{path}: is there already, and its file system has no locks; choose an --out that is new")
    except BaseException:
        _release(lock)
        raise
    return path, lock


def _first_free(path: Path) -> tuple[Path, int | None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    for place in _numbered(path):
        with suppress(FileExistsError, RunError):  # taken: the next one
            place.mkdir()
            return place, _lock(place)
    raise AssertionError("numbers do not end")


def _numbered(path: Path) -> Iterator[Path]:
    yield path
    for number in count(2):
        yield path.with_name(f"{path.name}-{number}")


def _lock(folder: Path) -> int | None:
    """Lock a folder; gives the open file that holds the lock, or None where the file system has none."""
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(lock), folder.stat()):
            raise FileNotFoundError(folder)
    except BlockingIOError as error:
        os.close(lock)
        raise RunError(f"{folder}: another command is writing there; wait for it, or choose another --out") from error
    except FileNotFoundError:
        os.close(lock)
        raise
    except OSError:
        os.close(lock)
        return None
    return lock


def _release(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)
