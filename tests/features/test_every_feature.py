"""What every registered representation must do; a new one is tested by being registered."""

import sys

import numpy as np
import pytest
import torch

from sayso.audio import AudioFormat
from sayso.features import FEATURES
from sayso.features.scattering import Scattering
from sayso.features.spectrogram import Picture

AUDIO = AudioFormat(sample_rate=8000, clip_seconds=0.6)
# What learned at one rate hears no other.
AUDIO_OF = {"speech_embedding": AudioFormat(sample_rate=16_000, clip_seconds=0.9)}
VARIANTS = {
    "spectrogram": [
        {},
        {"power": None, "scale": "linear"},
        {"power": 0.5},
        {"power": 1.0, "scale": "linear", "normalized": "window"},
        {"scale": "db", "top_db": 80.0, "db_reference": "clip_maximum", "image": Picture(height=64, width=64)},
    ],
    "dft": [{}, {"power": None, "scale": "linear"}, {"scale": "db"}],
    "mel": [{}, {"scale": "db", "mel_scale": "slaney", "area_norm": True}, {"scale": "pcen"}, {"scale": "linear"}],
    "mfcc": [{}, {"scale": "log", "lifter": 22.0, "deltas": 2}],
}
CASES = [(part, keys) for part in FEATURES for keys in VARIANTS.get(part.kind, [{}])]
OWN = [part for part in FEATURES if part.__module__.startswith("sayso.")]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0].kind}-{case[1]}")
def config(request):
    part, keys = request.param
    return part(**keys)


@pytest.fixture
def audio(config):
    return AUDIO_OF.get(config.kind, AUDIO)


@pytest.fixture
def feature(config, audio):
    assert not list(config.misfits(audio))
    module = config.build(audio).eval()
    module.fill()
    return module


@pytest.fixture
def samples(audio):
    generator = torch.Generator().manual_seed(0)
    return 0.3 * torch.randn(5, audio.clip_samples, generator=generator)


@pytest.mark.parametrize("part", OWN, ids=lambda part: part.kind)
def test_settings_are_called_as_what_they_build(part):
    name = part.__name__.removesuffix("Config")
    assert part.__name__ == f"{name}Config"
    assert type(part().build(AUDIO_OF.get(part.kind, AUDIO))) is getattr(sys.modules[part.__module__], name)


def test_shape_is_as_it_says(feature, samples):
    out = feature(samples)
    assert tuple(out.shape) == (5, *feature.shape)
    assert out.dtype == torch.float32
    assert torch.isfinite(out).all()


def test_a_batch_is_its_clips(feature, samples):
    together = feature(samples)
    alone = torch.cat([feature(clip[None]) for clip in samples])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-6 * max(10.0, float(together.abs().max())))


def test_the_same_clip_gives_the_same_bits(feature, samples):
    assert torch.equal(feature(samples), feature(samples))


def test_silence_and_full_scale_stay_finite(feature, audio):
    loudest = torch.sign(torch.sin(torch.arange(audio.clip_samples).float()))
    for clip in (torch.zeros(audio.clip_samples), loudest):
        assert torch.isfinite(feature(clip[None])).all()


def test_gradients_reach_the_samples(feature, samples):
    samples.requires_grad_()
    feature(samples).sum().backward()
    assert torch.isfinite(samples.grad).all()
    assert samples.grad.abs().sum() > 0


def test_it_holds_nothing_to_learn_and_saves_only_what_was_learned_elsewhere(feature, config):
    assert not [parameter for parameter in feature.parameters() if parameter.requires_grad]
    assert bool(feature.state_dict()) == bool(config.credit)


def test_double_is_float64_throughout(feature, samples):
    exact = feature.double()(samples.double())
    assert exact.dtype == torch.float64
    # Scattering samples its bands more coarsely in float32: within 1e-4 of the whole, more in the weakest coefficients.
    limit = 0.1 if isinstance(feature, Scattering) else 1e-3
    torch.testing.assert_close(feature.float()(samples).double(), exact, rtol=1e-3, atol=limit)


def test_different_clips_give_different_features(feature, samples):
    out = feature(samples)
    assert not np.allclose(out[0].numpy(), out[1].numpy())
