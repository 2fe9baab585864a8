"""Complex spectrograms of batches beside `torch.stft` clip by clip, as a dataset's `__getitem__` does it."""

from benchmarks.clips import words
from benchmarks.contest import Contest, Figure
from benchmarks.side import Side, agree, clip_file

OURS, LOOP = "sayso", "torch.stft, clip by clip"
CLIPS, FULL_CLIPS = 1_024, 4_096


def contest(*, full: bool) -> Contest:
    """Set the contest up: two channels, 257 bins, 101 frames a clip."""
    clips = words(FULL_CLIPS if full else CLIPS)
    path, folder = clip_file(clips)
    ours, loop = Side("sayso.complex", path), Side("stft_loop", path)
    agree((loop, ours), within=1e-5)
    return Contest(
        title=f"complex spectrogram (2, 257, 101): {len(clips):,} one-second words",
        sides={OURS: ours, LOOP: loop},
        figures=(Figure("times as fast as the loop", lambda s: s[LOOP] / s[OURS], least=3),),
        notes=(ours.note, loop.note),
        close=(ours.close, loop.close, folder.cleanup),
    )
