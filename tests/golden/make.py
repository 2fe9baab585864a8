"""Make the golden arrays with librosa and SciPy in float64 (pictures: Pillow, float32), without Sayso and torch.

    python3 -m venv /tmp/reference
    /tmp/reference/bin/pip install librosa==0.11.0 scipy==1.17.1 pillow soundfile "numpy<2.4"
    cd tests && SAYSO_DATA=... /tmp/reference/bin/python -m golden.make

One file a sound; it holds results alone, never samples. `cases.py` names the sounds and the settings.
"""

import librosa
import numpy as np
import scipy.fft
import scipy.signal
from PIL import Image

from golden.cases import CASES, FOLDER, SOUNDS, cases_of, samples_of

FRAMES = {"window_seconds": 0.03, "hop_seconds": 0.01}
LEVELS = {"top_db": None, "db_reference": "one"}
BANDS = {**FRAMES, "n_mels": 40, "lowest_hertz": 20.0, "highest_hertz": None, "mel_scale": "htk", "area_norm": False}
PCEN = {
    "pcen_gain": 0.98,
    "pcen_bias": 2.0,
    "pcen_power": 0.5,
    "pcen_time_constant_seconds": 0.4,
    "pcen_start": "first_frame",
}
DEFAULTS = {
    "spectrogram": {**FRAMES, **LEVELS, "power": 2.0, "scale": "log", "normalized": "none", "image": None},
    "dft": {**LEVELS, "power": 1.0, "scale": "log"},
    "mel": {**BANDS, **LEVELS, **PCEN, "scale": "log"},
    "mfcc": {
        **BANDS,
        "top_db": 80.0,
        "db_reference": "one",
        "scale": "db",
        "n_coefficients": 20,
        "lifter": 0.0,
        "deltas": 0,
        "delta_frames": 9,
    },
}


def lengths(keys, rate):
    window, hop = round(keys["window_seconds"] * rate), round(keys["hop_seconds"] * rate)
    return int(2 ** np.ceil(np.log2(window))), window, hop


def short_time_transform(samples, keys, rate):
    """By SciPy: it divides by the window's sum, which is taken back here."""
    n_fft, window, hop = lengths(keys, rate)
    taper = np.zeros(n_fft)
    start = (n_fft - window) // 2
    taper[start : start + window] = scipy.signal.get_window("hann", window)
    settings = {"nperseg": n_fft, "noverlap": n_fft - hop, "boundary": "even", "padded": False, "return_onesided": True}
    _, _, spectrum = scipy.signal.stft(samples, window=taper, **settings)
    spectrum = spectrum * taper.sum()
    by = {"none": 1.0, "window": np.sqrt((taper**2).sum()), "frame_length": np.sqrt(n_fft)}
    return spectrum / by[keys["normalized"]]


def levels(energy, keys):
    """By librosa."""
    reference = np.max if keys["db_reference"] == "clip_maximum" else 1.0
    return librosa.power_to_db(energy, ref=reference, amin=1e-10, top_db=keys["top_db"])


def spectrum_values(spectrum, keys):
    if keys["power"] is None:
        return np.stack((spectrum.real, spectrum.imag))
    if keys["scale"] == "db":
        return levels(np.abs(spectrum) ** 2, keys)[None]
    assert keys["scale"] == "linear"
    return np.abs(spectrum)[None] ** keys["power"]


def spectrogram(samples, keys, rate):
    values = spectrum_values(short_time_transform(samples, keys, rate), keys)
    return picture(values[0], **keys["image"])[None] if keys["image"] else values


def picture(values, height, width):
    """By Pillow."""
    grey = (values - values.min()) / (values.max() - values.min())
    resized = Image.fromarray(grey.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized)


def dft(samples, keys, rate):
    return spectrum_values(scipy.fft.rfft(samples)[:, None], keys)


def mel_energy(samples, keys, rate):
    """By librosa."""
    n_fft, window, hop = lengths(keys, rate)
    return librosa.feature.melspectrogram(
        y=samples,
        sr=rate,
        n_fft=n_fft,
        win_length=window,
        hop_length=hop,
        pad_mode="reflect",
        power=2.0,
        n_mels=keys["n_mels"],
        fmin=keys["lowest_hertz"],
        fmax=keys["highest_hertz"],
        htk=keys["mel_scale"] == "htk",
        norm="slaney" if keys["area_norm"] else None,
        dtype=np.float64,
    )


def pcen(energy, keys, rate):
    """By librosa."""
    _, _, hop = lengths(keys, rate)
    settings = {
        "sr": rate,
        "hop_length": hop,
        "gain": keys["pcen_gain"],
        "bias": keys["pcen_bias"],
        "power": keys["pcen_power"],
        "time_constant": keys["pcen_time_constant_seconds"],
        "eps": 1e-6,
    }
    if keys["pcen_start"] == "one":
        return librosa.pcen(energy, **settings)
    # The state of a first-order filter after its first frame for ever.
    frames = keys["pcen_time_constant_seconds"] * rate / hop
    share = (np.sqrt(1 + 4 * frames**2) - 1) / (2 * frames**2)
    return librosa.pcen(energy, **settings, zi=(1 - share) * energy[:, :1])


def mel(samples, keys, rate):
    energy = mel_energy(samples, keys, rate)
    scales = {
        "linear": lambda: energy,
        "log": lambda: np.log(energy + 1e-6),
        "db": lambda: levels(energy, keys),
        "pcen": lambda: pcen(energy, keys, rate),
    }
    return scales[keys["scale"]]()[None]


def mfcc(samples, keys, rate):
    """By librosa."""
    logarithms = levels(mel_energy(samples, keys, rate), keys)
    rows = [librosa.feature.mfcc(S=logarithms, n_mfcc=keys["n_coefficients"], lifter=keys["lifter"])]
    orders = range(1, keys["deltas"] + 1)
    rows += [librosa.feature.delta(rows[0], width=keys["delta_frames"], order=order) for order in orders]
    return np.concatenate(rows)[None]


def main():
    makers = {"spectrogram": spectrogram, "dft": dft, "mel": mel, "mfcc": mfcc}
    for sound, (rate, stem, _, _) in SOUNDS.items():
        samples = samples_of(sound)
        assert samples is not None, f"{stem}: set SAYSO_DATA"
        made = {}
        for name in cases_of(sound):
            kind, keys = CASES[name]
            made[name] = makers[kind](samples, DEFAULTS[kind] | keys, rate)
        # float64 where the exactness of float64 is tested, float32 else.
        kept = {name: array if stem is None else array.astype(np.float32) for name, array in made.items()}
        np.savez_compressed(FOLDER / f"{sound}.npz", **kept)


if __name__ == "__main__":
    main()
