"""Packing Speech Commands beside a plain one-process soundfile loop that fills the same array."""

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.contest import Contest, Figure, NotHereError
from sayso.audio import AudioFormat
from sayso.data.clips import Listing
from sayso.data.corpus import pack
from sayso.data.datasets.speech_commands import SpeechCommandsConfig
from sayso.system.progress import Progress

AUDIO = AudioFormat()
PACK, OPEN, PLAIN, BARE = "sayso: pack", "sayso: second open", "soundfile: plain loop", "libsndfile: bare decoding"


def contest(*, full: bool) -> Contest:
    """Set the contest up: every clip of Speech Commands that is here, read once so that all sides find it in memory."""
    del full  # always all of them: a second open is to be quick with every clip
    if SpeechCommandsConfig().location() is None:
        raise NotHereError("needs Speech Commands v0.01; set SAYSO_DATA to the folder that holds speech_commands_v0.01")
    # The noise recordings are left out: the plain loop does not read them.
    paths = [clip.path for clip in _listing().clips]
    for path in paths:
        Path(path).read_bytes()
    opened = _Opened()
    return Contest(
        title=f"packing {len(paths):,} clips",
        sides={
            PACK: opened.pack,
            OPEN: opened.open,
            PLAIN: lambda: _plain_loop(paths),
            BARE: lambda: _bare_decoding(paths),
        },
        figures=(
            Figure("times as fast as the plain loop", lambda s: s[PLAIN] / s[PACK], least=1.5),
            Figure("share of packing that is bare decoding", lambda s: s[BARE] / s[PACK]),
            Figure("seconds of a second open, listing included", lambda s: s[OPEN], most=0.2),
        ),
    )


class _Opened:
    """Packs into a cache of its own each time, and opens that again."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()

    def pack(self) -> float:
        self._folder.cleanup()
        self._folder = tempfile.TemporaryDirectory()
        return self.open()

    def open(self) -> float:
        with _cache(self._folder.name):
            start = time.perf_counter()
            pack(_listing(), AUDIO, progress=Progress())
            return time.perf_counter() - start


def _listing() -> Listing:
    return Listing(SpeechCommandsConfig().listing(Progress()).clips)


@contextmanager
def _cache(folder: str) -> Iterator[None]:
    before = os.environ.get("SAYSO_CACHE")
    os.environ["SAYSO_CACHE"] = folder
    try:
        yield
    finally:
        del os.environ["SAYSO_CACHE"]
        if before is not None:
            os.environ["SAYSO_CACHE"] = before


def _plain_loop(paths: Sequence[str]) -> float:
    """What anybody would write: one process, one file after the other, into one array."""
    start = time.perf_counter()
    packed = np.zeros((len(paths), AUDIO.clip_samples), np.int16)
    for row, path in enumerate(paths):
        samples, _ = soundfile.read(path, dtype="int16")
        kept = samples[: AUDIO.clip_samples]
        packed[row, : len(kept)] = kept
    return time.perf_counter() - start


def _bare_decoding(paths: Sequence[str]) -> float:
    """Decode and throw away, on as many threads as packing uses: what no packing can do without."""

    def decode(some: Sequence[str]) -> None:
        for path in some:
            with soundfile.SoundFile(path) as file:
                file.read(dtype="int16")

    start = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(decode, [paths[first : first + 64] for first in range(0, len(paths), 64)]))
    return time.perf_counter() - start
