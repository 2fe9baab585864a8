"""Fetching archives (progress, resume, checksum, mirrors) and unpacking them without leaving the folder."""

import http.client
import re
import shutil
import stat
import tarfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

from sayso.errors import DownloadError
from sayso.system.claims import locked_file
from sayso.system.files import atomic_folder, cache_folder, file_digest, output_errors
from sayso.system.progress import Progress

__all__ = ["clear_downloads", "downloads_folder", "fetch", "fetch_folder", "unpack"]

TIMEOUT_SECONDS = 20.0
_BLOCK_BYTES = 1_000_000
_NETWORK_ERRORS = (OSError, http.client.HTTPException)
_ARCHIVE_ERRORS = (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, RuntimeError)
# What datasets leave in the cache besides packed corpora: archives and their contents, spoken words, cut noise.
_KEPT_FOLDERS = ("downloads", "synthetic", "noise")


def downloads_folder() -> Path:
    """Give the folder in the cache where archives are looked for, kept and unpacked."""
    return cache_folder() / "downloads"


def clear_downloads() -> int:
    """Remove downloads, synthetic voices and cut noise from the cache; gives the bytes freed.

    Raises:
        OutputError: something there may not be removed.
    """
    freed = 0
    for folder in (cache_folder() / name for name in _KEPT_FOLDERS):
        if folder.exists():
            freed += sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            with output_errors(folder):
                shutil.rmtree(folder)
    return freed


def fetch_folder(
    urls: Sequence[str], folder: Path, *, archive: str, holds: str, sha256: str | None, progress: Progress
) -> Path:
    """Give the folder that an archive unpacks to, fetching and unpacking it unless it is there already.

    An archive that a person put into `downloads_folder()` is used without network, and kept.

    Args:
        urls: the archive's address and its mirrors, in the order to try.
        folder: where the contents go.
        archive: file name of the archive.
        holds: the sub-folder of $SAYSO_DATA that would serve instead, for the message.
        sha256: what the archive must hash to; None: not known.
        progress: where to report.

    Raises:
        DownloadError: no mirror gives the archive, or it cannot be unpacked.
        OutputError: the place cannot be written.
    """
    if folder.is_dir():
        return folder
    destination = downloads_folder() / archive
    with _alone(destination, progress):
        if folder.is_dir():  # unpacked by another process, which was waited for
            return folder
        own = not destination.exists()
        _fetch(urls, destination, sha256=sha256, progress=progress, holds=holds)
        unpack(destination, folder, progress=progress)
        if own:
            destination.unlink(missing_ok=True)
    return folder


def fetch(urls: Sequence[str], destination: Path, *, sha256: str | None, progress: Progress, holds: str = "") -> Path:
    """Give the file at `destination`, fetching it from the first mirror that works unless it is there already.

    What has arrived so far is kept beside it as `<name>.part`, and the next call goes on from there.

    Args:
        urls: the file's address and its mirrors, in the order to try.
        destination: where the file goes.
        sha256: what it must hash to, as hexadecimal digits; None: not known.
        progress: where to report, in MB.
        holds: the sub-folder of $SAYSO_DATA that would serve instead, for the message.

    Raises:
        DownloadError: every mirror failed, or the file that lies there has another hash.
        OutputError: the place cannot be written.
    """
    with _alone(destination, progress):
        return _fetch(urls, destination, sha256=sha256, progress=progress, holds=holds)


def _alone(destination: Path, progress: Progress) -> AbstractContextManager[None]:
    """Let one process at a time fetch a file, since what arrived is kept in one place for all."""

    def waits() -> None:
        progress.note(f"another command is fetching {destination.name}; waiting for it")

    return locked_file(destination.with_name(f".{destination.name}.lock"), waits=waits)


def _fetch(urls: Sequence[str], destination: Path, *, sha256: str | None, progress: Progress, holds: str) -> Path:
    if destination.exists():
        if sha256 is not None and file_digest(destination) != sha256:
            raise DownloadError(f"{destination}: wrong SHA-256, must be {sha256}; remove it and run again")
        return destination
    part = destination.with_name(destination.name + ".part")
    failures: list[str] = []
    for url in urls:
        reason = _from_mirror(url, part, sha256, progress)
        if reason is None:
            with output_errors(destination):
                part.replace(destination)
            return destination
        failures.append(f"{_host(url)}: {reason}")
    instead = f", or set SAYSO_DATA to a folder that holds `{holds}/`" if holds else ""
    raise DownloadError(
        f"cannot fetch {destination.name} ({'; '.join(failures)}); "
        f"put {destination.name} into {destination.parent}{instead}"
    )


def unpack(archive: Path, folder: Path, *, progress: Progress) -> None:
    """Unpack a tar (any compression) or zip archive into the new folder `folder`: all of it, or nothing.

    Raises:
        DownloadError: damaged, of another format, or a member would leave the folder (an absolute path, `..`, a link
            or a device).
        OutputError: the place cannot be written.
    """
    title = f"unpacking {archive.name}"
    with atomic_folder(folder) as new, progress.task(title, unit="files") as task, _archive_errors(archive):
        for name, content in _members(archive):
            target = new.joinpath(*_safe_parts(archive, name))
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                shutil.copyfileobj(content, file, _BLOCK_BYTES)
            task.advance()


def _from_mirror(url: str, part: Path, sha256: str | None, progress: Progress) -> str | None:
    """Fetch all of `url` into `part`; give None, or why that failed. Tries again for as long as more arrives."""
    reason = "nothing arrived"
    before = -1
    while (size := _size(part)) > before:
        before = size
        try:
            complete = _transfer(url, part, progress)
        except urllib.error.HTTPError as error:
            return f"HTTP {error.code} {error.reason}"
        except _NETWORK_ERRORS as error:
            reason = str(getattr(error, "reason", "") or error) or type(error).__name__
            continue
        if not complete:
            reason = "the connection was cut"
            continue
        if sha256 is None or file_digest(part) == sha256:
            return None
        part.unlink()
        return f"wrong SHA-256, must be {sha256}"
    return reason


def _transfer(url: str, part: Path, progress: Progress) -> bool:
    """Fetch what `part` lacks of `url`; say whether it is complete now."""
    have = _size(part)
    request = urllib.request.Request(url, headers={"User-Agent": "sayso", "Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE or not have:
            raise
        if error.headers.get("Content-Range") == f"bytes */{have}":
            return True
        # The part is longer than the file: it belongs to another one, so begin again.
        part.unlink()
        return _transfer(url, part, progress)
    with response:
        resumed = re.match(rf"bytes {have}-", response.headers.get("Content-Range") or "") is not None
        have = have if resumed else 0
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else None
        title = f"fetching {part.name.removesuffix('.part')}"
        with progress.task(title, total=total and -(-total // _BLOCK_BYTES), unit="MB") as task:
            task.advance(have // _BLOCK_BYTES)
            with _opened(part, "ab" if resumed else "wb") as file:
                while block := response.read(_BLOCK_BYTES):
                    with output_errors(part):
                        file.write(block)
                    task.advance()
    return total is None or _size(part) == total


@contextmanager
def _opened(part: Path, mode: str) -> Generator[IO[bytes]]:
    """Open for writing; only opening and closing, not what the network does meanwhile, counts as trouble of writing."""
    with output_errors(part):
        file = part.open(mode)
    try:
        yield file
    finally:
        with output_errors(part):
            file.close()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _host(url: str) -> str:
    return url.split("/")[2] if url.count("/") > 2 else url


@contextmanager
def _archive_errors(archive: Path) -> Generator[None]:
    damaged = f"{archive}: damaged or not an archive; remove it and run again"
    try:
        yield
    except _ARCHIVE_ERRORS as error:
        raise DownloadError(damaged) from error
    except OSError as error:
        # gzip's own complaints are OSErrors without a number; a full disk has one.
        if error.errno is None:
            raise DownloadError(damaged) from error
        raise


def _members(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            for entry in packed.infolist():
                kind = stat.S_IFMT(entry.external_attr >> 16)
                _refuse_unless(kind in (0, stat.S_IFREG, stat.S_IFDIR), archive, entry.filename)
                _safe_parts(archive, entry.filename)
                if not entry.is_dir():
                    with packed.open(entry) as content:
                        yield entry.filename, content
        return
    with tarfile.open(archive) as packed:
        for member in packed:
            _refuse_unless(member.isfile() or member.isdir(), archive, member.name)
            _safe_parts(archive, member.name)
            content = packed.extractfile(member)
            if content is not None:
                yield member.name, content


def _safe_parts(archive: Path, name: str) -> list[str]:
    """Split a member's name, refusing what could lead out of the folder on any system."""
    _refuse_unless(not name.startswith("/") and "\\" not in name and ":" not in name, archive, name)
    parts = [part for part in name.split("/") if part not in ("", ".")]
    _refuse_unless(".." not in parts, archive, name)
    return parts


def _refuse_unless(fine: bool, archive: Path, name: str) -> None:
    if not fine:
        raise DownloadError(f"{archive}: refused, '{name}' is a link or device or would land outside the folder")
