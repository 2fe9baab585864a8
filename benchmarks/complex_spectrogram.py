"""Complex spectrograms of batches beside `torch.stft` clip by clip, as a dataset's `__getitem__` does it."""

from benchmarks.clips import words
from benchmarks.contest import Contest, Figure
from benchmarks.side import Side, agree, clip_file

OURS, LOOP, COLLATED = "sayso", "torch.stft, clip by clip", "the same, collated to batches"
FLOOR = "bare real FFT of the frames"
CLIPS, FULL_CLIPS = 1_024, 4_096


def contest(*, full: bool) -> Contest:
    """Set the contest up: two channels, 257 bins, 101 frames a clip.

    The loop is timed as it is and with what makes a batch of its clips, which is what a network is handed.
    """
    clips = words(FULL_CLIPS if full else CLIPS)
    path, folder = clip_file(clips)
    sides = {
        OURS: Side("sayso.complex", path),
        LOOP: Side("stft_loop", path),
        COLLATED: Side("stft_collated", path),
        FLOOR: Side("bare_transform", path),
    }
    agree((sides[LOOP], sides[COLLATED], sides[OURS]), within=1e-5)
    return Contest(
        title=f"complex spectrogram (2, 257, 101): {len(clips):,} one-second words",
        sides=sides,
        figures=(
            Figure("times as fast as the loop", lambda s: s[LOOP] / s[OURS], least=3),
            Figure("times as fast as the loop, collated", lambda s: s[COLLATED] / s[OURS]),
            Figure("times the bare real FFT takes", lambda s: s[OURS] / s[FLOOR]),
            Figure("times as fast as the loop the bare real FFT is", lambda s: s[LOOP] / s[FLOOR]),
        ),
        notes=tuple(side.note for side in sides.values()),
        close=(*(side.close for side in sides.values()), folder.cleanup),
    )
