"""Recordings that are published as one archive: where they lie on this machine, and fetching them when they do not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sayso.errors import DataError
from sayso.system.download import downloads_folder, fetch_folder
from sayso.system.files import data_folder
from sayso.system.progress import Progress

__all__ = ["Download", "note_partial_copy"]


def _find_itself(root: Path) -> Path | None:
    return root if root.is_dir() else None


@dataclass(frozen=True, kw_only=True)
class Download:
    """An archive on the net, and the folder of recordings in it."""

    name: str
    """The sub-folder of $SAYSO_DATA, or of the downloads, in which the recordings lie."""
    urls: Sequence[str]
    """The archive's address and its mirrors, in the order to try."""
    archive: str
    """File name of the archive."""
    sha256: str | None = None
    """What the archive must hash to; None: not known."""
    find: Callable[[Path], Path | None] = _find_itself
    """Find the folder of recordings in the sub-folder; None when it is not there."""
    sought: str = "folder"
    """What `find` looks for, for the message when an archive does not hold it."""

    def location(self) -> Path | None:
        """Give the folder of recordings, below $SAYSO_DATA or else as it was downloaded; None when it is not here."""
        data = data_folder()
        roots = [folder / self.name for folder in (data, downloads_folder()) if folder]
        return next((found for root in roots if (found := self.find(root))), None)

    def fetch(self, progress: Progress) -> Path:
        """Give the folder of recordings, downloading it first when it is not here.

        Raises:
            DownloadError: it is not here and cannot be fetched.
            DataError: the archive holds no such folder, or $SAYSO_DATA names none.
            OutputError: the cache cannot be written.
        """
        if here := self.location():
            return here
        if (data := data_folder()) and not data.is_dir():
            raise DataError(f"SAYSO_DATA: {data}: no such folder; name one that holds `{self.name}/`, or unset it")
        root = downloads_folder() / self.name
        fetch_folder(self.urls, root, archive=self.archive, holds=self.name, sha256=self.sha256, progress=progress)
        found = self.find(root)
        if found is None:
            raise DataError(f"{root}: holds no {self.sought}; remove it and run again")
        return found


def note_partial_copy(here: int, expected: int) -> tuple[str, ...]:
    """Give the note that only some of the source's clips are here; nothing when all are."""
    return (f"a partial copy: {here:,} of {expected:,} clips are here",) if here < expected else ()
