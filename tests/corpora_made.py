"""What tests of packed clips share: a small format, packing without bars, a listing with one file more."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from sayso.audio import AudioFormat
from sayso.data.clips import Clip, Listing
from sayso.data.corpus import Corpus, pack
from sayso.system.progress import Progress

__all__ = ["AUDIO", "folders", "packed_corpus", "with_file"]

AUDIO = AudioFormat(sample_rate=8000, clip_seconds=0.5)


def packed_corpus(listing: Listing, audio: AudioFormat = AUDIO, **options: Any) -> Corpus:
    """Pack without showing how it goes."""
    return pack(listing, audio, progress=Progress(), **options)


def with_file(listing: Listing, path: Path, label: str = "low") -> Listing:
    """The listing and one clip more."""
    return replace(listing, clips=(*listing.clips, Clip(str(path), label)))


def folders(cache: Path) -> list[Path]:
    """What the cache holds packed."""
    root = cache / "packed"
    return sorted(root.iterdir()) if root.exists() else []
