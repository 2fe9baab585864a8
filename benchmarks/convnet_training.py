"""Training the luz convnet on complex spectrograms: the tutorial's loop, and what each of Sayso's measures brings."""

import itertools

import numpy as np
import torch

from benchmarks.clips import words
from benchmarks.contest import Contest, Figure, Seconds
from benchmarks.peers.trainings import BATCH, On, differences
from benchmarks.side import Side, clip_file

LOOP = "spectrogram per clip, float32"
LADDER = {
    "spectrograms in batches": "batched",
    "and bfloat16": "bf16",
    "and channels innermost": "channels_last",
    "and ReLU on pooled values": "own",
}
KEPT, OURS = "and freed memory kept", "sayso train, an epoch"
CLIPS, FULL_CLIPS = 256, 1_024
SAMPLE_CLIPS = 4


def contest(*, full: bool) -> Contest:
    """Set the contest up: batches of 128, (2, 257, 101), eleven words."""
    clips = words(FULL_CLIPS if full else CLIPS)
    title = f"training the luz convnet, complex spectrograms: {len(clips):,} words"
    return training_contest(clips, on="cpu", title=title, least=2)


def training_contest(
    clips: np.ndarray, *, on: On, title: str, least: float | None, notes: tuple[str, ...] = ()
) -> Contest:
    """Set up a contest of the tutorial's loop, the steps from it to Sayso's, and an epoch of `sayso train`.

    Args:
        clips: float32 (clips, samples) in [-1, 1).
        on: where it is held.
        title: of the contest.
        least: how many times as fast as the loop Sayso has to be; None: that is not asked here.
        notes: what a reader should know beside.

    Raises:
        RuntimeError: the loop and Sayso do not compute the same.
    """
    apart = differences(torch.from_numpy(clips[:SAMPLE_CLIPS]), on=on)
    if apart[0] > 1e-5 or apart[1] > 1e-9:
        raise RuntimeError(f"the two ways differ: spectrograms by {apart[0]:.2g}, logits in float64 by {apart[1]:.2g}")
    path, folder = clip_file(clips)
    # A GPU's memory is kept by torch itself.
    kept = {KEPT: Side(f"convnet.{on}.own", path, batch=BATCH)} if on == "cpu" else {}
    sides = {
        **{
            name: Side(f"convnet.{on}.{work}", path, batch=BATCH, keeps_memory=False)
            for name, work in {LOOP: "loop", **LADDER}.items()
        },
        **kept,
        OURS: Side(f"convnet.{on}.epoch", path, batch=len(clips), keeps_memory=False),  # it sees to that itself
    }
    steps = [LOOP, *LADDER, *kept]
    brought = tuple(_brought(before, after) for before, after in itertools.pairwise(steps))
    return Contest(
        title=title,
        sides=sides,
        figures=(Figure("times as fast as the tutorial's loop", lambda s: s[LOOP] / s[OURS], least=least), *brought),
        notes=(
            *notes,
            f"spectrograms differ by {apart[0]:.1e}; logits of the same weights by {apart[1]:.1e} in float64",
        ),
        close=(*(side.close for side in sides.values()), folder.cleanup),
    )


def _brought(before: str, after: str) -> Figure:
    def factor(seconds: Seconds) -> float:
        return seconds[before] / seconds[after]

    return Figure(f"brought: {after.removeprefix('and ')}", factor)
