"""Log-mel of one-second clips beside librosa, nnAudio, torchaudio where it imports, and the bare real FFT."""

from benchmarks.clips import words
from benchmarks.contest import Contest, Figure, NotHereError
from benchmarks.side import Side, agree, clip_file

OURS, LIBROSA, NN_AUDIO, TORCHAUDIO = "sayso", "librosa", "nnAudio", "torchaudio"
FLOOR = "bare real FFT of the frames"
CLIPS, FULL_CLIPS = 1_024, 4_096


def contest(*, full: bool) -> Contest:
    """Set the contest up: 40 bands, 25 ms windows, 10 ms hops."""
    clips = words(FULL_CLIPS if full else CLIPS)
    path, folder = clip_file(clips)
    sides = {
        OURS: Side("sayso.log_mel", path),
        LIBROSA: Side("librosa", path, peer=True),
        NN_AUDIO: Side("nnAudio", path, peer=True),
        FLOOR: Side("bare_transform", path),
    }
    figures = [
        Figure("times as fast as librosa", lambda s: s[LIBROSA] / s[OURS], least=5),
        Figure("times as fast as nnAudio", lambda s: s[NN_AUDIO] / s[OURS], least=3),
        Figure("times the bare real FFT takes", lambda s: s[OURS] / s[FLOOR], most=2.5),
    ]
    notes = [side.note for side in sides.values()]
    try:
        sides[TORCHAUDIO] = Side("torchaudio", path, peer=True)
        figures.append(Figure("times as fast as torchaudio", lambda s: s[TORCHAUDIO] / s[OURS], least=2))
        notes.append(sides[TORCHAUDIO].note)
    except NotHereError as why:
        notes.append(f"skipped: {why}")
    agree([side for name, side in sides.items() if name != FLOOR], within=1e-3)
    return Contest(
        title=f"log-mel, 40 bands: {len(clips):,} one-second words",
        sides=sides,
        figures=tuple(figures),
        notes=tuple(notes),
        close=(*(side.close for side in sides.values()), folder.cleanup),
    )
