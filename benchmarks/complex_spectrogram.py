"""Complex spectrograms of batches beside `torch.stft` clip by clip, as a dataset's `__getitem__` does it."""

from benchmarks.clips import words
from benchmarks.contest import Contest, Figure
from benchmarks.side import Side, agree, clip_file

OURS, LOOP = "sayso", "torch.stft, clip by clip"
NORMALISED, LOOP_NORMALISED = "sayso, normalised", "torch.stft, clip by clip, normalised"
COLLATED = "the same, collated to batches"
FLOOR = "bare real FFT of the frames"
CLIPS, FULL_CLIPS = 1_024, 4_096


def contest(*, full: bool) -> Contest:
    """Set the contest up: two channels, 257 bins, 101 frames a clip.

    The loop is timed bare, then dividing by the root of the window's energy as the convnet tutorial does, and then with
    what makes a batch of its clips, which is what a network is handed.
    """
    clips = words(FULL_CLIPS if full else CLIPS)
    path, folder = clip_file(clips)
    sides = {
        OURS: Side("sayso.complex", path),
        LOOP: Side("stft_loop", path),
        NORMALISED: Side("sayso.complex_normalised", path),
        LOOP_NORMALISED: Side("stft_normalised", path),
        COLLATED: Side("stft_collated", path),
        FLOOR: Side("bare_transform", path),
    }
    agree((sides[LOOP], sides[OURS]), within=1e-5)
    agree((sides[LOOP_NORMALISED], sides[COLLATED], sides[NORMALISED]), within=1e-5)
    return Contest(
        title=f"complex spectrogram (2, 257, 101): {len(clips):,} one-second words",
        sides=sides,
        figures=(
            Figure("times as fast as the loop", lambda s: s[LOOP] / s[OURS], least=3),
            Figure("the same, normalised", lambda s: s[LOOP_NORMALISED] / s[NORMALISED]),
            Figure("the same, normalised and collated", lambda s: s[COLLATED] / s[NORMALISED]),
            Figure("times the bare real FFT takes", lambda s: s[OURS] / s[FLOOR]),
            Figure("times as fast as the loop the bare real FFT is", lambda s: s[LOOP] / s[FLOOR]),
        ),
        notes=tuple(side.note for side in sides.values()),
        close=(*(side.close for side in sides.values()), folder.cleanup),
    )
