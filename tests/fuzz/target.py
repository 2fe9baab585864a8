"""A kind of file that is fuzzed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fuzz.mutations import Rng, mutate_bytes, mutate_text

__all__ = ["RATE", "Target", "damage_bytes", "damage_text", "make_case"]

RATE = 8_000


@dataclass(frozen=True)
class Target:
    """A kind of file."""

    name: str
    """Under which it is written, into a folder of its own."""
    make: Callable[[Path], tuple[bytes, ...]]
    """Gives whole files; what else must lie beside them is written into the folder."""
    read: Callable[[Path], object]
    """Reads such a file, each in a way that a person has."""
    damage: Callable[[bytes, Rng, tuple[bytes, ...]], bytes]
    """Damages one of the whole files, the others beside it."""


def make_case(target: Target, originals: tuple[bytes, ...], seed: int, number: int) -> bytes:
    """Make the damaged file of one case; the same for the same numbers."""
    rng = np.random.default_rng((seed, number))
    return target.damage(originals[rng.integers(len(originals))], rng, originals)


def damage_bytes(content: bytes, rng: Rng, others: tuple[bytes, ...]) -> bytes:
    """Damage bytes anywhere."""
    return mutate_bytes(content, rng, others=others)


def damage_text(content: bytes, rng: Rng, others: tuple[bytes, ...]) -> bytes:
    """Change the text, or of some the bytes, which are then no text perhaps."""
    if rng.random() < 0.15:
        return damage_bytes(content, rng, others)
    changed = mutate_text(content.decode(), rng, others=tuple(other.decode() for other in others))
    return changed.encode(errors="surrogatepass")
