"""Training the luz convnet on complex spectrograms: the tutorial's loop, and what each of Sayso's measures brings."""

import itertools

from benchmarks.clips import words
from benchmarks.contest import Contest, Figure, Seconds
from benchmarks.peers.trainings import BATCH
from benchmarks.side import Side, clip_file

LOOP = "spectrogram per clip, float32"
LADDER = {
    "spectrograms in batches": "convnet.batched",
    "and bfloat16": "convnet.bf16",
    "and channels innermost": "convnet.channels_last",
    "and ReLU on pooled values": "convnet.own",
}
KEPT, OURS = "and freed memory kept", "sayso train, an epoch"
CLIPS, FULL_CLIPS = 256, 1_024


def contest(*, full: bool) -> Contest:
    """Set the contest up: batches of 128, (2, 257, 101), eleven words."""
    clips = words(FULL_CLIPS if full else CLIPS)
    path, folder = clip_file(clips)
    sides = {LOOP: Side("convnet.loop", path, batch=BATCH, keeps_memory=False)}
    sides |= {name: Side(work, path, batch=BATCH, keeps_memory=False) for name, work in LADDER.items()}
    sides[KEPT] = Side("convnet.own", path, batch=BATCH)
    sides[OURS] = Side("sayso.convnet_epoch", path, batch=len(clips), keeps_memory=False)  # it sees to that itself
    steps = [LOOP, *LADDER, KEPT]
    brought = tuple(_brought(before, after) for before, after in itertools.pairwise(steps))
    return Contest(
        title=f"training the luz convnet, complex spectrograms: {len(clips):,} words",
        sides=sides,
        figures=(Figure("times as fast as the tutorial's loop", lambda s: s[LOOP] / s[OURS], least=2), *brought),
        close=(*(side.close for side in sides.values()), folder.cleanup),
    )


def _brought(before: str, after: str) -> Figure:
    def factor(seconds: Seconds) -> float:
        return seconds[before] / seconds[after]

    return Figure(f"brought: {after.removeprefix('and ')}", factor)
