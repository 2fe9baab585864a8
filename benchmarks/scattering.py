"""Wavelet scattering of spoken digits beside Kymatio's torch front end: J 8, Q 12, 8,192 samples."""

from benchmarks.clips import digits
from benchmarks.contest import Contest, Figure
from benchmarks.side import Side, agree, clip_file

OURS, KYMATIO = "sayso", "kymatio, torch"
CLIPS = 256


def contest(*, full: bool) -> Contest:
    """Set the contest up, on some digits or on all 3,000."""
    clips = digits(None if full else CLIPS)
    path, folder = clip_file(clips)
    ours, kymatio = Side("sayso.scattering", path), Side("kymatio", path, peer=True)
    agree((kymatio, ours), within=1e-4)
    return Contest(
        title=f"scattering, J 8, Q 12, {clips.shape[1]:,} samples: {len(clips):,} digits",
        sides={OURS: ours, KYMATIO: kymatio},
        figures=(Figure("times as fast as Kymatio", lambda s: s[KYMATIO] / s[OURS], least=10),),
        notes=(ours.note, kymatio.note),
        close=(ours.close, kymatio.close, folder.cleanup),
    )
