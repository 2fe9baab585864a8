"""Where files live, and writing them so that a stop at any moment leaves the old file or the new one, whole."""

import csv
import errno
import hashlib
import io
import json
import os
import tempfile
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sayso.errors import OutputError

__all__ = [
    "NOT_IN_NAMES",
    "append_line",
    "atomic_folder",
    "atomic_path",
    "cache_folder",
    "check_writable",
    "csv_text",
    "data_folder",
    "digest",
    "expand_home",
    "file_digest",
    "folder_name",
    "is_folder_entry",
    "is_text",
    "output_errors",
    "parse_json",
    "read_json",
    "refuse_filled",
    "temporary_beside",
    "why_unread",
    "write_bytes",
    "write_csv",
    "write_json",
    "write_new_text",
    "write_text",
]

NOT_IN_NAMES = frozenset('/\\:*?"<>|\0')
"""Signs that some file system takes for something else than a part of a name."""
_FORBIDDEN = (
    "no permission to write there; change its permissions or choose another folder (--out for runs, SAYSO_CACHE for "
    "the cache)"
)
_REASONS = {
    errno.ENOSPC: "the disk is full; free some space first",
    errno.EDQUOT: "the disk quota is used up; free some space first",
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EROFS: "that file system is read-only; choose another folder",
    errno.ENOENT: "no folder can be made there; choose another one",
    errno.ENOTDIR: "a file stands where a folder is needed; choose another folder",
    errno.EEXIST: "a file stands where a folder is needed; choose another folder",
    errno.EISDIR: "a folder stands where a file is needed; choose another name",
    errno.EFBIG: "that file system holds no file so large; choose another folder",
    errno.EIO: "the disk reports an error; check it, or choose another folder",
    errno.ENAMETOOLONG: "that name is too long; choose a shorter one",
}


def _file_mask() -> int:
    """What the system takes from the permissions of new files; it only tells when it is set."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


_MASK = _file_mask()


def cache_folder() -> Path:
    """Give the folder for packed corpora, downloads and voices: $SAYSO_CACHE, else one in the user's cache folder."""
    if chosen := os.environ.get("SAYSO_CACHE"):
        return expand_home(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return expand_home(base) / "sayso"


def data_folder() -> Path | None:
    """Give the folder of recordings already at hand, $SAYSO_DATA; None when that is not set."""
    chosen = os.environ.get("SAYSO_DATA")
    return expand_home(chosen) if chosen else None


def expand_home(path: str) -> Path:
    """Put the home folder for a `~` at the start of a path; where no home is known the path stays as it is."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


@contextmanager
def output_errors(path: Path) -> Generator[None]:
    """Turn a full disk, a missing permission and their like, met in the block, into one line about `path`."""
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0)
        if reason is None:
            raise
        raise OutputError(f"cannot write {path}: {reason}") from error


def why_unread(error: Exception, otherwise: str) -> str:
    """Say why a file could not be read: it is not there, or nobody let us; `otherwise` where it was something else."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    return "no permission to open it; change its permissions" if isinstance(error, PermissionError) else otherwise


def check_writable(folder: Path) -> None:
    """See before long work that a folder can be written to, or made; nothing is left there.

    Raises:
        OutputError: it cannot.
    """
    made = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        with suppress(OSError):  # someone else has put something in it since
            for parent in made:
                parent.rmdir()


def is_text(path: Path) -> bool:
    """Whether a path is text; on Linux it may be any bytes, which the libraries that read and write models refuse."""
    try:
        return bool(str(path).encode())
    except UnicodeEncodeError:
        return False


def refuse_filled(folder: Path) -> None:
    """Refuse a folder that is to be written and has something in it.

    Raises:
        OutputError: it has, or is a file.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise OutputError(f"{folder} is there already; choose a new folder, or remove it first")
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; choose a folder")


@contextmanager
def temporary_beside(path: Path) -> Generator[Path]:
    """Give a new empty file in the folder of `path`, for as long as the block runs.

    Raises:
        OutputError: the disk is full, or the place cannot be written.
    """
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}-", suffix=path.suffix)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_path(path: Path) -> Generator[Path]:
    """Give a temporary path in the same folder; rename it to `path` when the block ends well, else remove it.

    Raises:
        OutputError: the disk is full, or the place cannot be written.
    """
    with temporary_beside(path) as temporary:
        yield temporary
        with temporary.open("r+b") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_MASK)
        temporary.replace(path)


@contextmanager
def atomic_folder(path: Path) -> Generator[Path]:
    """Give a temporary folder beside `path`; rename it to `path` when the block ends well, else remove it.

    When another process finished the same folder first, theirs stays and this one is dropped.
    """
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name[:40]}-") as name:
            inner = Path(name) / "new"
            inner.mkdir()
            yield inner
            _put_in_place(inner, path)


def _put_in_place(folder: Path, path: Path) -> None:
    while True:
        try:
            folder.replace(path)
            return
        except OSError as error:
            if path.is_dir():
                return
            if error.errno != errno.ENOTEMPTY:  # else what was there is gone since
                raise


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` atomically, as UTF-8; what UTF-8 cannot hold (odd bytes of a file name) as an escape."""
    write_bytes(path, text.encode(errors="backslashreplace"))


def append_line(path: Path, line: str, *, header: str = "") -> None:
    """Add a line to a file, and have it on the disk; what cannot be added whole is taken back.

    A line that a crash left unfinished does not swallow this one.

    Args:
        path: made where it is not there.
        line: with its line feed; what UTF-8 cannot hold becomes an escape.
        header: stands first in a file that is empty.

    Raises:
        OSError: it cannot be added.
    """
    with path.open("ab+", buffering=0) as file:
        end = file.seek(0, os.SEEK_END)
        begin = header if end == 0 else ""
        if end:
            file.seek(end - 1)
            begin = "" if file.read(1) == b"\n" else "\n"
        content = f"{begin}{line}".encode(errors="backslashreplace")
        try:
            left = memoryview(content)
            while left:  # what finds no room is written again, and then the system says why
                left = left[file.write(left) :]
            os.fsync(file.fileno())
        except OSError:
            with suppress(OSError):
                file.truncate(end)
            raise


def is_folder_entry(entry: "os.DirEntry[str]") -> bool:
    """Whether an entry of a folder is one itself; where nobody can tell, as of a link in a circle, it is a file."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def folder_name(text: str) -> str:
    """Give the name of a folder for a word: the word itself, but for what no folder may be called.

    >>> folder_name("lights on"), folder_name("on/off"), folder_name("..")
    ('lights on', 'on_off', '_.')
    """
    name = "".join("_" if sign in NOT_IN_NAMES else sign for sign in text)
    return f"_{name[1:]}" if name.startswith(".") else name


def write_new_text(path: Path, text: str) -> bool:
    """Write `text` to a file that is not there yet, as UTF-8; False where something is, which stays as it was."""
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            return False
    try:
        write_text(path, text)
    except BaseException:
        path.unlink()
        raise
    return True


def read_json(path: Path) -> Any:
    """Read a JSON file; raises OSError where it cannot be read, ValueError where it is no JSON in UTF-8."""
    return parse_json(path.read_text(encoding="utf-8"))


def parse_json(text: str) -> Any:
    """Read JSON as `json.loads` does; what is nested so deeply that Python gives up raises ValueError, too."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write `value` to `path` atomically, as JSON that people can read; NaN is refused."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]], *, header: Sequence[str] = ()) -> None:
    """Write a table to `path` atomically; without a header the first row's keys are the columns."""
    text = io.StringIO()
    writer = csv.DictWriter(text, header or list(rows[0] if rows else ()), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Write rows as CSV, each ended by a line feed; a cell comes back as it was, a carriage return in it too."""
    lines: list[str] = []
    for row in rows:
        line = io.StringIO()
        # Before Python 3.13 only those ends of lines are quoted that the writer itself ends lines with.
        csv.writer(line, lineterminator="\r\n").writerow(row)
        lines.append(line.getvalue().removesuffix("\r\n") + "\n")
    return "".join(lines)


def digest(value: object) -> str:
    """Give the SHA-256 of a value that JSON can hold, as hexadecimal digits; the order of keys does not count.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """Give the SHA-256 of a file's bytes, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
