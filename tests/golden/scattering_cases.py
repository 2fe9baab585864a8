"""Which sounds and settings the golden scattering arrays hold."""

from pathlib import Path

import numpy as np

from golden.cases import samples_of as sound_of

FOLDER = Path(__file__).parent
CASES = [
    {"sound": "theo_three", "samples": 8192, "J": 8, "Q": 12, "T": None, "every": 4},
    {"sound": "jackson_seven", "samples": 4000, "J": 6, "Q": 8, "T": None, "every": 8},
    {"sound": "made", "samples": 8192, "J": 8, "Q": 12, "T": None, "every": 4},
    {"sound": "made", "samples": 4000, "J": 5, "Q": 1, "T": None, "every": 4},
    {"sound": "made", "samples": 6000, "J": 7, "Q": 16, "T": 200, "every": 8},
    {"sound": "made", "samples": 3000, "J": 9, "Q": 4, "T": 64, "every": 4},
]


def name_of(case):
    return "{sound} {samples} J={J} Q={Q} T={T}".format(**case)


def samples_of(case):
    """Float64 samples, the loudest at 1, in the middle of as many as the case asks for; None without SAYSO_DATA."""
    samples = made(case["samples"]) if case["sound"] == "made" else sound_of(case["sound"])
    if samples is None:
        return None
    samples = np.asarray(samples, dtype=np.float64)[: case["samples"]]
    before = (case["samples"] - len(samples)) // 2
    return np.pad(samples / np.abs(samples).max(), (before, case["samples"] - len(samples) - before))


def made(length):
    """A rising tone that beats, a click, and a little noise from a formula."""
    time = np.arange(length) / length
    tone = np.sin(2 * np.pi * length * (0.02 * time + 0.1 * time**2)) * (1 + 0.6 * np.sin(2 * np.pi * 40 * time))
    noise = np.sin(1e4 * np.sin(12.9898 * np.arange(length)))
    click = np.exp(-(((np.arange(length) - length // 3) / 3) ** 2))
    return 0.5 * tone + click + 0.02 * noise
