"""Sound that nobody made, and what a model says on it: `check.c` makes the same by the same whole numbers."""

import numpy as np
from numpy.typing import NDArray

from sayso.delivery.c.tables import number

__all__ = ["HOPS", "check_header", "make_sound"]

HOPS = 24
"""So many answers are compared."""


def make_sound(samples: int) -> NDArray[np.int16]:
    """Make noise and a tone that rises and falls, (samples,)."""
    place = np.arange(samples, dtype=np.int64)
    noise, hiss = 1, np.empty(samples, np.int64)
    for each in range(samples):
        noise = (noise * 1664525 + 1013904223) & 0xFFFFFFFF
        hiss[each] = noise
    steps = 0x02000000 + ((((place >> 10) * 2654435761) & 0xFFFFFFFF) >> 4)
    tone = (np.cumsum(steps) & 0xFFFFFFFF) >> 16
    level = place >> 3 & 1023
    mixed = ((hiss >> 16) - 32768) * (1023 - level) + (tone - 32768) * level
    return np.trunc(mixed / 8192).astype(np.int16)


def check_header(samples: int, expected: NDArray[np.float32], *, limit: float) -> str:
    """Write `sayso_check.h`.

    Args:
        samples: of the sound.
        expected: logits, (hops, classes).
        limit: how far they may be from these.
    """
    rows = ",\n".join("    {" + ", ".join(map(number, row)) + "}" for row in expected)
    return (
        "/* What onnxruntime answers on the sound that check.c makes. */\n"
        f"#define SAYSO_CHECK_SAMPLES {samples}u\n#define SAYSO_CHECK_HOPS {len(expected)}u\n"
        f"#define SAYSO_CHECK_LIMIT {number(limit)}\n\n"
        f"static const float expected[SAYSO_CHECK_HOPS][SAYSO_CLASSES] = {{\n{rows}\n}};\n"
    )
