"""What must hold of representations whatever the sound."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.audio import AudioFormat
from sayso.dsp import stft as spectral
from sayso.dsp.stft import Stft
from sayso.features import FEATURES
from sayso.features.dft import DftConfig
from sayso.features.mel import MelConfig
from sayso.features.mfcc import MfccConfig
from sayso.features.spectrogram import Picture, SpectrogramConfig
from sayso.features.waveform import WaveformConfig

AUDIO = AudioFormat(sample_rate=8000, clip_seconds=0.2)
HOP = 80
seeds = st.integers(0, 2**31)
few = settings(max_examples=10, deadline=None)


def sound(seed, *, clips=1, samples=AUDIO.clip_samples):
    rng = np.random.default_rng(seed)
    loudness = 10 ** rng.uniform(-4, 0, (clips, 1))
    return torch.from_numpy(loudness * rng.uniform(-1, 1, (clips, samples)))


@few
@given(seeds)
def test_mel_is_filter_bank_times_spectrum(seed):
    keys = {"mel_scale": "slaney", "area_norm": True, "n_mels": 30}
    samples = sound(seed, clips=2)
    mel = MelConfig(scale="linear", normalized="window", **keys).build(AUDIO).double()
    power = SpectrogramConfig(scale="linear", normalized="window").build(AUDIO).double()(samples)
    torch.testing.assert_close(mel(samples), mel.bands.bank @ power, rtol=1e-12, atol=1e-12)


@few
@given(seeds)
def test_parseval(seed):
    samples = sound(seed)
    whole = DftConfig(power=2.0, scale="linear").build(AUDIO).double()(samples)[0, 0, :, 0]
    assert two_sided(whole, 1600) / 1600 == pytest.approx(float(samples.square().sum()), rel=1e-10)

    stft = Stft(n_fft=256, window=240, hop=HOP).double()
    frame = stft.power(samples)[0, 5]
    under = samples[0, 5 * HOP - 128 : 5 * HOP + 128] * stft.taper
    assert two_sided(frame, 256) / 256 == pytest.approx(float(under.square().sum()), rel=1e-10)


def two_sided(energy, length):
    assert length % 2 == 0
    return float(2 * energy.sum() - energy[0] - energy[-1])


@few
@given(seeds, st.sampled_from(["spectrogram", "mel", "mfcc"]))
def test_a_shift_by_one_hop_is_a_shift_by_one_frame(seed, kind):
    samples = sound(seed, samples=AUDIO.clip_samples + HOP)
    feature = FEATURES.get(kind)(**({"top_db": None} if kind == "mfcc" else {})).build(AUDIO).double()
    early, late = feature(samples[:, :-HOP]), feature(samples[:, HOP:])
    # Frames 2 to 17 lie whole within both.
    torch.testing.assert_close(early[..., 3:18], late[..., 2:17], rtol=1e-9, atol=1e-9)


@few
@given(seeds)
def test_complex_is_linear_and_holds_the_power(seed):
    one, two = sound(seed), sound(seed + 1)
    feature = SpectrogramConfig(power=None, scale="linear").build(AUDIO).double()
    torch.testing.assert_close(feature(one - 3 * two), feature(one) - 3 * feature(two), rtol=1e-9, atol=1e-12)
    energy = SpectrogramConfig(scale="linear").build(AUDIO).double()(one)
    torch.testing.assert_close(feature(one).square().sum(dim=1, keepdim=True), energy)


@pytest.mark.parametrize("kind", ["spectrogram", "mel", "mfcc"])
def test_chunks_change_nothing(kind, monkeypatch):
    samples = sound(1, clips=7).requires_grad_()
    feature = FEATURES.get(kind)().build(AUDIO).double()
    whole = feature(samples)
    monkeypatch.setattr(spectral, "_CHUNK_NUMBERS", 2 * 21 * 256)
    torch.testing.assert_close(feature(samples), whole, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(feature(samples.detach()), whole.detach(), rtol=1e-12, atol=1e-12)
    assert feature(samples).requires_grad


def test_normalized_as_torch_and_torchaudio_mean_it():
    samples = sound(2)
    plain, window, frame = (
        SpectrogramConfig(power=1.0, scale="linear", normalized=by).build(AUDIO).double()(samples)
        for by in ("none", "window", "frame_length")
    )
    taper = torch.hann_window(240, dtype=torch.float64)
    torch.testing.assert_close(window, plain / taper.square().sum().sqrt())
    torch.testing.assert_close(frame, plain / 16)
    ours = torch.stft(
        samples, 256, HOP, 240, taper, center=True, pad_mode="reflect", normalized=True, return_complex=True
    )
    torch.testing.assert_close(frame, ours.abs()[:, None], rtol=1e-9, atol=1e-12)


def test_a_picture_is_grey_from_0_to_1_and_silence_is_black():
    config = SpectrogramConfig(scale="db", top_db=80.0, image=Picture(height=64, width=48))
    feature = config.build(AUDIO)
    picture = feature(sound(3).float())
    assert picture.shape == (1, 1, 64, 48)
    assert 0 <= picture.min() < 0.4
    assert 0.7 < picture.max() <= 1
    assert not feature(torch.zeros(1, AUDIO.clip_samples)).any()


def test_a_picture_is_what_torchs_antialiased_bilinear_resizing_makes():
    samples = sound(4)
    small = Picture(height=40, width=50)
    level = SpectrogramConfig(scale="db").build(AUDIO).double()(samples)
    grey = (level - level.min()) / (level.max() - level.min())
    expected = torch.nn.functional.interpolate(grey, (40, 50), mode="bilinear", antialias=True)
    made = SpectrogramConfig(scale="db", image=small).build(AUDIO).double()(samples)
    torch.testing.assert_close(made, expected, rtol=1e-6, atol=1e-6)


def test_the_whole_clip_transform_of_an_awkward_length_is_filled_up():
    audio = AudioFormat(sample_rate=1000, clip_seconds=0.257)
    samples = sound(5, samples=257)
    out = DftConfig(power=1.0, scale="linear").build(audio).double()(samples)[0, 0, :, 0]
    np.testing.assert_allclose(out, np.abs(np.fft.rfft(samples[0], 270)), atol=1e-9)


TINY = AudioFormat(sample_rate=1000, clip_seconds=0.04)
FRAMES = {"window_seconds": 0.016, "hop_seconds": 0.008}
BANDS = {**FRAMES, "n_mels": 4, "mel_scale": "slaney", "lowest_hertz": 0.0}
SMOOTH = [
    WaveformConfig(),
    DftConfig(power=None, scale="linear"),
    DftConfig(),
    SpectrogramConfig(power=None, scale="linear", **FRAMES),
    SpectrogramConfig(power=0.5, scale="linear", **FRAMES),
    SpectrogramConfig(scale="db", db_reference="clip_maximum", image=Picture(height=5, width=4), **FRAMES),
    MelConfig(**BANDS),
    MelConfig(scale="pcen", **BANDS),
    MfccConfig(n_coefficients=3, deltas=2, delta_frames=3, **BANDS),
]


@pytest.mark.parametrize("config", SMOOTH, ids=lambda config: f"{config.kind}")
def test_gradients_are_the_slopes(config):
    assert not list(config.misfits(TINY))
    samples = sound(6, clips=2, samples=40).div(0.1).requires_grad_()
    assert torch.autograd.gradcheck(config.build(TINY).double(), (samples,), eps=1e-7, atol=1e-4, rtol=1e-3)
