"""What lines, codecs and amplifiers do to a word: bands end, bits are few, peaks are cut."""

import pytest
import torch

from sayso.augment import Surroundings
from sayso.augment.band_limit import BandLimitConfig
from sayso.augment.clipping import ClippingConfig
from sayso.augment.codec import CodecConfig

RATE = 8000


def draw(seed=0):
    return torch.Generator().manual_seed(seed)


def noise(batch=100):
    return 0.1 * torch.randn(batch, RATE, generator=draw(3)).clamp(-4, 4)


def change(config, samples):
    return config.build(Surroundings(RATE))(samples, draw())


def ratio_db(samples, out):
    """Power of each clip over that of what was done to it."""
    return 10 * torch.log10(samples.square().mean(1) / (out - samples).square().mean(1))


def of_spectra(step):
    return CodecConfig(probability=1, companded=0, finest_step=step, coarsest_step=step)


def of_samples(bits):
    return CodecConfig(probability=1, companded=1, fewest_bits=bits, most_bits=bits)


def test_a_band_limit_leaves_the_band_and_nothing_beside_it():
    config = BandLimitConfig(
        probability=1, lowest_start_hz=300, highest_start_hz=300, lowest_end_hz=3000, highest_end_hz=3000
    )
    before, after = (torch.fft.rfft(samples).abs() for samples in (noise(), change(config, noise())))
    torch.testing.assert_close(after[:, 301:3000], before[:, 301:3000], rtol=1e-3, atol=1e-2)
    assert after[:, :230].max() < 0.002 * before[:, :230].max()
    assert after[:, 3800:].max() < 0.002 * before[:, 3800:].max()


def test_bands_begin_and_end_where_they_are_drawn():
    config = BandLimitConfig(
        probability=1, lowest_start_hz=100, highest_start_hz=400, lowest_end_hz=1000, highest_end_hz=3000
    )
    gains = torch.fft.rfft(change(config, noise(300))).abs() / torch.fft.rfft(noise(300)).abs()
    inside = gains > 0.99
    starts = inside.int().argmax(1)
    ends = RATE // 2 - inside.flip(1).int().argmax(1)
    assert 99 <= starts.min() <= 115
    assert 350 <= starts.max() <= 402
    assert 999 <= ends.min() <= 1100
    assert 2700 <= ends.max() <= 3010


@pytest.mark.parametrize(("step", "decibels"), [(0.25, 22.8), (0.5, 16.8), (1.0, 10.8)])
def test_coarse_spectra_leave_the_noise_of_their_steps(step, decibels):
    # Rounding in steps as high as the mean leaves a twelfth of their square.
    ratios = ratio_db(noise(), change(of_spectra(step), noise()))
    torch.testing.assert_close(ratios.mean(), torch.tensor(decibels), atol=0.5, rtol=0)


def test_what_is_soft_beside_something_loud_is_gone():
    time = torch.arange(RATE) / RATE
    loud, soft = (level * torch.sin(2 * torch.pi * hertz * time) for level, hertz in ((0.5, 1000), (0.02, 1090)))
    out = change(of_spectra(1.0), (loud + soft).repeat(4, 1))
    spectrum = torch.fft.rfft(out * torch.hann_window(RATE)).abs()
    assert spectrum[:, 1090].max() < 0.5 * torch.fft.rfft(soft * torch.hann_window(RATE)).abs()[1090]
    assert spectrum[:, 1000].min() > 0.9 * torch.fft.rfft(loud * torch.hann_window(RATE)).abs()[1000]


def test_spectra_in_the_finest_steps_are_what_they_were():
    samples = noise()[:, :7777]  # no whole number of frames
    torch.testing.assert_close(change(of_spectra(1e-6), samples), samples, atol=1e-4, rtol=0)


def test_fewer_bits_leave_more_noise_and_fewer_levels():
    for bits, least_db, most_db in ((4, 9, 16), (6, 22, 29), (8, 34, 41)):
        out = change(of_samples(bits), noise())
        assert least_db < ratio_db(noise(), out).min() < ratio_db(noise(), out).max() < most_db
        assert len(out.unique()) <= 2**bits - 1


def test_both_ways_are_taken_by_as_many_clips_as_are_asked_for():
    # Samples that are rounded stay zero where they are, spectra smear.
    samples = noise(400)
    samples[:, 4000:4010] = 0
    out = change(CodecConfig(probability=1, companded=0.3), samples)
    companded = (out[:, 4000:4010] == 0).all(1).float().mean()
    assert 0.2 < companded < 0.4


def test_clipping_cuts_the_peaks_and_keeps_the_loudness():
    samples = noise(300)
    out = change(ClippingConfig(probability=1, lowest_share=0.2, highest_share=0.8), samples)
    torch.testing.assert_close(out.square().mean(1), samples.square().mean(1), rtol=1e-3, atol=0)
    assert bool((out.abs().amax(1) <= samples.abs().amax(1)).all())
    # A sample far below the limit is lifted by the gain alone, so that limit and gain can be told.
    soft = (samples != 0) & (samples.abs() < 0.1 * samples.abs().amax(1, keepdim=True))
    gain = torch.tensor([float((row[at] / was[at]).median()) for row, was, at in zip(out, samples, soft, strict=True)])
    shares = out.abs().amax(1) / gain / samples.abs().amax(1)
    assert 0.19 < shares.min() < 0.23
    assert 0.72 < shares.max() < 0.81
    at_limit = (out.abs() > 0.999 * out.abs().amax(1, keepdim=True)).sum(1)
    assert at_limit[shares < 0.5].min() > 20


def test_clipping_at_the_peak_changes_nothing():
    out = change(ClippingConfig(probability=1, lowest_share=1, highest_share=1), noise())
    torch.testing.assert_close(out, noise(), atol=1e-6, rtol=0)


@pytest.mark.parametrize("config", [ClippingConfig(probability=1), CodecConfig(probability=1)])
def test_silence_stays_silent(config):
    assert bool((change(config, torch.zeros(20, RATE)) == 0).all())
