"""The sounds and settings of the golden arrays, for `make.py`, which runs without Sayso, and for the tests."""

import os
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
# Name: sample rate, where below SAYSO_DATA (none: made by formula), first sample, number of samples.
SOUNDS = {
    "synthetic": (8000, None, 0, 3200),
    "jackson_seven": (8000, "fsdd/recordings/7_jackson_13", 200, 3200),
    "theo_three": (8000, "fsdd/recordings/3_theo_21", 400, 3200),
    "yes": (16000, "speech_commands_v0.01/yes/004ae714_nohash_0", 4000, 8000),
}

SLANEY = {"mel_scale": "slaney", "lowest_hertz": 0.0, "highest_hertz": 3500.0, "hop_seconds": 0.02}
# Name: kind and keys of the recipe, all that differ from the defaults that `make.py` spells out.
CASES = {
    "complex": ("spectrogram", {"power": None, "scale": "linear", "hop_seconds": 0.04}),
    "magnitude_window": (
        "spectrogram",
        {"power": 1.0, "scale": "linear", "normalized": "window", "hop_seconds": 0.05},
    ),
    "root_frame_length": (
        "spectrogram",
        {"power": 0.5, "scale": "linear", "normalized": "frame_length", "hop_seconds": 0.05},
    ),
    "energy_db": ("spectrogram", {"scale": "db", "hop_seconds": 0.05}),
    "energy_top_db": (
        "spectrogram",
        {"scale": "db", "top_db": 60.0, "db_reference": "clip_maximum", "hop_seconds": 0.05},
    ),
    "picture": ("spectrogram", {"scale": "db", "top_db": 80.0, "image": {"height": 32, "width": 48}}),
    "dft_complex": ("dft", {"power": None, "scale": "linear"}),
    "dft_db": ("dft", {"scale": "db"}),
    "mel_htk": ("mel", {"scale": "linear", "hop_seconds": 0.02}),
    "mel_htk_area_log": ("mel", {"area_norm": True, "hop_seconds": 0.02}),
    "mel_slaney": ("mel", {**SLANEY, "scale": "linear"}),
    "mel_slaney_area_db": ("mel", {**SLANEY, "area_norm": True, "scale": "db"}),
    "pcen": ("mel", {"n_mels": 20, "scale": "pcen"}),
    "pcen_from_one": (
        "mel",
        {
            "n_mels": 20,
            "scale": "pcen",
            "pcen_start": "one",
            "pcen_gain": 0.8,
            "pcen_bias": 10.0,
            "pcen_power": 0.25,
            "pcen_time_constant_seconds": 0.06,
        },
    ),
    "mfcc": ("mfcc", {**SLANEY, "area_norm": True}),
    "mfcc_lifter_deltas": ("mfcc", {"n_coefficients": 13, "lifter": 22.0, "deltas": 2, "delta_frames": 5}),
}
# Decibels of single bins: far below the clip's highest, float32 has too few digits for any transform.
BINS_DB = {"energy_db", "dft_db"}
LOGARITHMS = {"energy_db", "energy_top_db", "dft_db", "mel_htk_area_log", "mel_slaney_area_db", "mfcc"}
LOGARITHMS |= {"mfcc_lifter_deltas"}
# All of it for all would be 350 kB.
LEFT_OUT = {
    "yes": {"complex", "dft_complex", "dft_db", "magnitude_window", "root_frame_length", "picture"},
    "theo_three": set(CASES) - {"energy_db", "mel_htk_area_log", "pcen", "mfcc"},
}


def cases_of(sound):
    """Names of the cases that a sound has golden arrays for."""
    return [name for name in CASES if name not in LEFT_OUT.get(sound, ())]


def samples_of(sound):
    """Samples of a sound in float64, or None when its recording is not at hand."""
    _, stem, first, count = SOUNDS[sound]
    if stem is None:
        return _chirp_and_noise(count)
    paths = sorted(Path(os.environ.get("SAYSO_DATA", "nowhere")).glob(f"{stem}.*"))
    if not paths:
        return None
    import soundfile

    samples, _ = soundfile.read(paths[0], dtype="int16")
    return samples[first : first + count] / 32768.0


def _chirp_and_noise(count):
    """A rising tone of changing loudness over noise, rounded to 16 bits, the same wherever it is made."""
    state, noise = 1, np.empty(count)
    for index in range(count):
        state = (1664525 * state + 1013904223) % 2**32  # the generator of Numerical Recipes: whole numbers alone
        noise[index] = state / 2**31 - 1
    time = np.arange(count) / 8000
    tone = np.sin(2 * np.pi * (200 * time + 3500 * time**2)) * np.sin(2 * np.pi * 2.5 * time) ** 2
    return np.round(32768 * (0.5 * tone + 0.01 * noise)) / 32768
