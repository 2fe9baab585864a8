"""Folders and manifests of clips that hold nothing, what a data set lists of them, and disks without room."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sayso.data.clips import Listing
from sayso.data.datasets.folder import FolderConfig
from sayso.system.progress import Progress

__all__ = ["listing_of", "no_files_above", "rows", "touch", "write_manifest"]


def touch(root: Path, *names: str) -> Path:
    """Make empty files below a folder."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def listing_of(path: Path, **settings: Any) -> Listing:
    """What the data set `folder` lists there."""
    return FolderConfig(path=str(path), **settings).listing(Progress())


def rows(listing: Listing, root: Path) -> list[tuple[str, str, str | None]]:
    """Path below the root, label and speaker of each clip."""
    return [(Path(clip.path).relative_to(root).as_posix(), clip.label, clip.speaker) for clip in listing.clips]


def write_manifest(path: Path, text: str) -> Path:
    """Write a manifest as it is given."""
    path.write_text(text, encoding="utf-8", newline="")
    return path


@contextmanager
def no_files_above(size: int) -> Iterator[None]:
    """Have the system refuse every byte of a file beyond so many, in the middle of writing, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
