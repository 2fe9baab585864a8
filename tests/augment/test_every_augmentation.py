"""What every registered augmentation must do, and what each one does."""

import sys

import pytest
import torch

from sayso.augment import AUGMENTATIONS, Surroundings
from sayso.augment.gain import GainConfig
from sayso.augment.noise import NoiseConfig
from sayso.augment.spec_augment import SpecAugmentConfig
from sayso.augment.speed import SpeedConfig
from sayso.augment.time_shift import TimeShiftConfig

RATE = 8000
OWN = [part for part in AUGMENTATIONS if part.__module__.startswith("sayso.")]


def draw(seed=0):
    return torch.Generator().manual_seed(seed)


def tone(hertz=440.0, batch=6):
    return 0.3 * torch.sin(2 * torch.pi * hertz * torch.arange(RATE) / RATE).repeat(batch, 1)


@pytest.fixture(params=list(AUGMENTATIONS), ids=lambda part: part.kind)
def part(request):
    return request.param


@pytest.fixture
def batch(part):
    return torch.randn(6, 1, 40, 61, generator=draw(5)) if part.works_on == "features" else tone()


@pytest.mark.parametrize("part", OWN, ids=lambda part: part.kind)
def test_settings_are_called_as_what_they_build(part):
    name = part.__name__.removesuffix("Config")
    assert part.__name__ == f"{name}Config"
    assert type(part().build(Surroundings(RATE))) is getattr(sys.modules[part.__module__], name)


def test_shape_range_and_finiteness_are_kept(part, batch):
    out = part().build(Surroundings(RATE, (torch.randn(3 * RATE) / 10,)))(batch, draw())
    assert out.shape == batch.shape
    assert out.dtype == batch.dtype
    assert torch.isfinite(out).all()
    if part.works_on == "samples":
        assert out.abs().max() <= 1


def test_the_same_generator_gives_the_same_clips_and_another_others(part, batch):
    change = part().build(Surroundings(RATE))
    assert torch.equal(change(batch, draw(1)), change(batch, draw(1)))
    assert not torch.equal(change(batch, draw(1)), change(batch, draw(2)))


def test_clips_of_a_batch_are_changed_differently(part, batch):
    batch = batch[:1].repeat(6, *[1] * (batch.ndim - 1))
    out = part().build(Surroundings(RATE))(batch, draw())
    assert not torch.equal(out[0], out[1])


def test_the_batch_given_is_left_as_it_was(part, batch):
    before = batch.clone()
    part().build(Surroundings(RATE))(batch, draw())
    assert torch.equal(batch, before)


def test_time_shift_moves_and_fills_with_silence():
    clip = torch.zeros(200, 1000)
    clip[:, 500] = 1
    out = TimeShiftConfig(most_seconds=0.01).build(Surroundings(RATE))(clip, draw())
    places = out.argmax(1) - 500
    assert out.sum() == 200
    assert places.min() == -80
    assert places.max() == 80


def test_gain_stays_within_its_decibels():
    out = GainConfig(most_db=6).build(Surroundings(RATE))(tone(batch=500), draw())
    ratio_db = 20 * torch.log10(out.abs().amax(1) / 0.3)
    assert -6.01 < ratio_db.min() < -5.5
    assert 5.5 < ratio_db.max() < 6.01


def test_speed_changes_the_pitch_by_as_much():
    out = SpeedConfig(most=0.2).build(Surroundings(RATE))(tone(400, batch=200), draw())
    peaks = torch.fft.rfft(out * torch.hann_window(RATE)).abs().argmax(1).float()
    assert 318 <= peaks.min() <= 330
    assert 470 <= peaks.max() <= 482


def test_speed_zero_changes_nothing():
    torch.testing.assert_close(SpeedConfig(most=0).build(Surroundings(RATE))(tone(), draw()), tone(), atol=1e-4, rtol=0)


@pytest.mark.parametrize("recordings", [(), (torch.randn(5 * RATE, generator=draw(9)) * 0.01,)])
def test_noise_has_the_ratio_it_was_asked_for(recordings):
    settings = NoiseConfig(probability=1, lowest_snr_db=10, highest_snr_db=10)
    out = settings.build(Surroundings(RATE, recordings))(tone(batch=50), draw())
    added = out - tone(batch=50)
    ratio_db = 10 * torch.log10(tone(batch=50).square().mean(1) / added.square().mean(1))
    torch.testing.assert_close(ratio_db, torch.full((50,), 10.0), atol=0.3, rtol=0)


def test_noise_leaves_some_clips_alone():
    out = NoiseConfig(probability=0.5).build(Surroundings(RATE))(tone(batch=400), draw())
    untouched = (out == tone(batch=400)).all(1).float().mean()
    assert 0.4 < untouched < 0.6


def test_spec_augment_hides_bands_and_stretches_no_wider_than_asked():
    ones = torch.ones(300, 1, 40, 100)
    settings = SpecAugmentConfig(frequency_masks=1, frequency_share=0.25, time_masks=1, time_share=0.1)
    out = settings.build(Surroundings(RATE))(ones, draw())
    hidden_bins = (out.sum(3) == 0).sum(2)
    hidden_frames = (out.sum(2) == 0).sum(2)
    assert 8 <= hidden_bins.max() <= 10
    assert 8 <= hidden_frames.max() <= 10
    assert out.mean() > 0.8
