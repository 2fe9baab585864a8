"""Clips at other speeds: what a careful resampler gives, with the middle where it was."""

import numpy as np
import pytest
import soxr
import torch

from sayso.dsp.speed import SpeedChange, play_at

RATE = 16_000


def sound(samples, highest):
    """Noise below some hertz that begins and ends softly."""
    rng = np.random.default_rng(0)
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    spectrum[np.fft.rfftfreq(samples, 1 / RATE) > highest] = 0
    made = np.fft.irfft(spectrum, samples) * np.hanning(samples)
    return 0.5 * made / np.abs(made).max()


@pytest.mark.parametrize("speed", [0.5, 0.85, 0.9, 1.0, 1.1, 1.25, 2.0])
@pytest.mark.parametrize("samples", [4_000, 4_001])
def test_it_plays_what_a_resampler_gives_around_the_middle(speed, samples):
    clip = np.zeros(samples)
    clip[1_000:3_000] = sound(2_000, highest=3_000)
    played = SpeedChange(samples, speed).double()(torch.from_numpy(clip)[None])[0].numpy()
    # One at which the middle falls on a sample, however far away the ends are.
    wide = np.pad(clip, 20_000)
    there = soxr.resample(wide, speed * RATE, RATE, quality="VHQ")
    middle_there, middle = (len(wide) - 1) / 2 / speed, (samples - 1) / 2
    times = np.arange(samples) - middle + middle_there
    spectrum = np.fft.rfft(there)
    turns = np.exp(2j * np.pi * np.arange(len(spectrum)) * (times[0] % 1) / len(there))
    shifted = np.fft.irfft(spectrum * turns, len(there))
    expected = shifted[int(np.floor(times[0])) :][:samples]
    assert np.abs(played - expected).max() < 3e-3 * np.abs(clip).max()


def test_a_clip_at_its_own_speed_stays_as_it_is():
    clip = torch.from_numpy(sound(3_000, highest=8_000))[None]
    assert torch.equal(play_at(3_000, 1.0)(clip), clip)
    assert not torch.allclose(play_at(3_000, 1.1).double()(clip), clip, atol=0.1)


@pytest.mark.parametrize("speed", [0.5, 0.9, 1.1, 2.0])
@pytest.mark.parametrize("samples", [1, 2, 7, 40])
def test_the_shortest_clips_keep_their_length(samples, speed):
    played = SpeedChange(samples, speed)(torch.ones(2, samples))
    assert played.shape == (2, samples)
    assert played.isfinite().all()


def test_what_is_cut_and_what_is_missing_lies_at_both_ends():
    clip = torch.ones(1, 1_000)
    fast = SpeedChange(1_000, 1.25)(clip)[0]
    assert fast[:80].abs().max() < 0.01
    assert fast[-80:].abs().max() < 0.01
    torch.testing.assert_close(fast[130:870], torch.ones(740), atol=1e-3, rtol=0)
    slow = SpeedChange(1_000, 0.8)(clip)[0]
    torch.testing.assert_close(slow[20:-20], torch.ones(960), atol=1e-3, rtol=0)
