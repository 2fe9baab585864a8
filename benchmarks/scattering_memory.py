"""Memory of wavelet scattering beside Kymatio's: how far a fresh process grows, filters included."""

from collections.abc import Callable
from pathlib import Path

from benchmarks.clips import digits
from benchmarks.contest import Contest, Figure
from benchmarks.side import Side, clip_file

OURS, KYMATIO, KYMATIO_SAME = "sayso", "kymatio, torch", "kymatio, sayso's batch"
CLIPS = 64


def contest(*, full: bool) -> Contest:
    """Set the contest up; each side takes the batch it is fastest with, Kymatio also Sayso's."""
    del full  # the highest mark is reached within a few batches
    path, folder = clip_file(digits(CLIPS))
    ours, kymatio = _batch("sayso.scattering", path, peer=False), _batch("kymatio", path, peer=True)
    return Contest(
        title="scattering, J 8, Q 12, 8,192 samples: growth of a fresh process",
        unit="MiB",
        sides={
            OURS: _growth("sayso.scattering", path, ours, peer=False),
            KYMATIO: _growth("kymatio", path, kymatio, peer=True),
            KYMATIO_SAME: _growth("kymatio", path, ours, peer=True),
        },
        figures=(Figure("share of Kymatio's memory", lambda m: m[OURS] / m[KYMATIO], most=1),),
        notes=(f"sayso: {ours} clips at a time", f"kymatio: {kymatio} clips at a time"),
        close=(folder.cleanup,),
    )


def _batch(work: str, clips: Path, *, peer: bool) -> int:
    side = Side(work, clips, peer=peer)
    side.close()
    return side.batch


def _growth(work: str, clips: Path, batch: int, *, peer: bool) -> Callable[[], float]:
    def measure() -> float:
        side = Side(work, clips, peer=peer, batch=batch)
        try:
            return side.mebibytes()
        finally:
            side.close()

    return measure
