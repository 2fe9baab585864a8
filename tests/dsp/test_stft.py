"""The transform and the filters against NumPy's FFT and formulas written out."""

import numpy as np
import pytest
import torch

from sayso.audio import AudioFormat
from sayso.dsp.mel import hertz_to_mel, mel_filter_bank, mel_to_hertz
from sayso.dsp.stft import Stft
from sayso.features.mel import MelConfig
from sayso.features.spectrogram import SpectrogramConfig


def reference(samples, *, n_fft, window, hop, centred):
    """Frames of NumPy's own transform in float64."""
    taper = np.zeros(n_fft)
    start = (n_fft - window) // 2
    taper[start : start + window] = np.hanning(window + 1)[:-1]
    padded = np.pad(samples.astype(np.float64), n_fft // 2 if centred else 0, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop]
    return np.fft.rfft(frames * taper).T


@pytest.mark.parametrize(
    ("n_fft", "window", "hop"),
    [
        (512, 480, 160),
        (256, 256, 64),
        (256, 200, 80),
        (64, 33, 8),
        (64, 32, 7),
        (64, 2, 100),
        (256, 256, 100),
        (8, 6, 2),
    ],
)
@pytest.mark.parametrize("centred", [True, False])
def test_at_work_and_exported_it_is_numpys_transform(n_fft, window, hop, centred, monkeypatch):
    samples = np.random.default_rng(0).standard_normal(1601).astype(np.float32)
    stft = Stft(n_fft=n_fft, window=window, hop=hop, centred=centred)
    expected = reference(samples, n_fft=n_fft, window=window, hop=hop, centred=centred)
    batch = torch.from_numpy(samples)[None]
    for is_exporting in (False, True):
        monkeypatch.setattr(torch.compiler, "is_exporting", lambda is_exporting=is_exporting: is_exporting)
        out = stft(batch)
        assert out.shape == (1, 2, n_fft // 2 + 1, stft.frames(1601))
        ours = out[0, 0].numpy() + 1j * out[0, 1].numpy()
        np.testing.assert_allclose(ours, expected, atol=1e-5 * np.abs(expected).max())
        energies = np.abs(expected) ** 2
        np.testing.assert_allclose(stft.power(batch)[0].T, energies, atol=1e-5 * energies.max())


def test_a_tone_is_loudest_in_its_bin():
    audio = AudioFormat(sample_rate=16000)
    tone = torch.sin(2 * torch.pi * 1000 * torch.arange(16000) / 16000)[None]
    spectrogram = SpectrogramConfig(scale="linear").build(audio)(tone)[0, 0]
    assert int(spectrogram[:, 50].argmax()) == round(1000 * 512 / 16000)
    assert spectrogram.shape == (257, 101)


def test_mel_is_filter_bank_times_spectrum(monkeypatch):
    audio = AudioFormat(sample_rate=8000)
    samples = torch.randn(2, 8000, generator=torch.Generator().manual_seed(1))
    mel = MelConfig(scale="linear").build(audio)
    power = SpectrogramConfig(scale="linear", power=2).build(audio)(samples)
    expected = mel.bands.bank @ power
    torch.testing.assert_close(mel(samples), expected, rtol=1e-5, atol=1e-6)
    monkeypatch.setattr(torch.compiler, "is_exporting", lambda: True)
    torch.testing.assert_close(mel(samples), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("scale", ["htk", "slaney"])
def test_mel_scale_and_its_inverse(scale):
    hertz = np.linspace(0, 8000, 50)
    back = [mel_to_hertz(hertz_to_mel(value, scale), scale) for value in hertz]
    np.testing.assert_allclose(back, hertz, atol=1e-8)


@pytest.mark.parametrize("scale", ["htk", "slaney"])
def test_filters_are_triangles_that_overlap_to_one(scale):
    bank = mel_filter_bank(
        n_mels=20, n_fft=2048, sample_rate=16000, lowest_hertz=0, highest_hertz=8000, scale=scale, area=False
    )
    peaks = bank.argmax(axis=1)
    assert (np.diff(peaks) > 0).all()
    np.testing.assert_allclose(bank[:, peaks[0] + 1 : peaks[-1]].sum(axis=0), 1, atol=1e-9)


def test_area_norm_gives_equal_areas():
    bank = mel_filter_bank(
        n_mels=20, n_fft=4096, sample_rate=16000, lowest_hertz=0, highest_hertz=8000, scale="slaney", area=True
    )
    areas = bank.sum(axis=1) * 16000 / 4096
    np.testing.assert_allclose(areas, 1, rtol=0.02)


@pytest.mark.parametrize(
    ("keys", "word"),
    [
        ({"highest_hertz": 9000.0}, "highest_hertz"),
        ({"lowest_hertz": 9000.0}, "lowest_hertz"),
        ({"window_seconds": 3.0}, "window_seconds"),
        ({"hop_seconds": 1e-6}, "hop_seconds"),
        ({"n_mels": 400}, "n_mels"),
    ],
)
def test_misfits_are_told_before_data_is_touched(keys, word):
    faults = list(MelConfig(**keys).misfits(AudioFormat(sample_rate=16000)))
    assert [fault.key for fault in faults] == [word]
