"""Simulated rooms for what is placed in streams: a word sounds on between walls, and ends where it ended before."""

import numpy as np
import torch
from numpy.typing import NDArray

from sayso.augment import Surroundings
from sayso.augment.room import RoomConfig

__all__ = ["in_rooms"]

_ROOM = RoomConfig(probability=1.0)


def in_rooms(
    sounds: NDArray[np.float32], sample_rate: int, rng: np.random.Generator, *, echo: bool = True
) -> NDArray[np.float32]:
    """Say sounds in rooms, each in one of its own, with reverberation times of 0.1 to 0.6 s.

    Args:
        sounds: (sounds, samples), in [-1, 1].
        sample_rate: in hertz.
        rng: draws the rooms.
        echo: whether what sounds on after the last sample is given too.

    Returns:
        (sounds, samples), with `echo` as much longer as the longest reverberation; as loud as before.
    """
    room = _ROOM.build(Surroundings(sample_rate))
    longer = round(_ROOM.longest_seconds * sample_rate) if echo else 0
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    with torch.no_grad():
        return room(torch.from_numpy(np.pad(sounds, ((0, 0), (0, longer)))), generator).numpy()
