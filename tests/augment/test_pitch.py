"""Pitch: the voice's moves by the factor that is drawn; its length, its pace and its formants stay."""

import pytest
import torch

from sayso.augment import Surroundings, uniform
from sayso.augment.pitch import PitchConfig
from sounds_made import pulsed_voice

RATE = 8000
VOICE = torch.from_numpy(pulsed_voice(RATE))


def draw(seed=0):
    return torch.Generator().manual_seed(seed)


def move(samples, **changes):
    return PitchConfig(**{"probability": 1.0, **changes}).build(Surroundings(RATE))(samples, draw())


def drawn_factors(count, most):
    generator = draw()
    uniform(count, 0, 1, generator, torch.device("cpu"))  # which clips are changed
    return uniform(count, 1 - most, 1 + most, generator, torch.device("cpu"))


def power(samples):
    return torch.fft.rfft(samples * torch.hann_window(RATE)).abs().square()


def test_the_pitch_moves_by_the_factor_drawn_and_all_harmonics_with_it():
    out = power(move(VOICE.repeat(60, 1), most=0.2))[:, :2000]
    hertz = torch.arange(2000)
    for spectrum, pitch in zip(out, 100 * drawn_factors(60, 0.2), strict=True):
        beside = (hertz - pitch * (hertz / pitch).round()).abs() > 4
        assert spectrum[beside].sum() < 0.02 * spectrum.sum()
    assert out[:, 100].min() < 0.01 * out[:, 100].max()  # at the old pitch is nothing where it has moved


def test_the_formant_stays_and_the_voice_is_about_as_loud():
    out = move(VOICE.repeat(60, 1), most=0.2)
    hertz = torch.arange(RATE // 2 + 1)
    centres = (power(out) * hertz).sum(1) / power(out).sum(1)
    centre = float((power(VOICE) * hertz).sum() / power(VOICE).sum())
    assert (centres - centre).abs().max() < 0.06 * centre
    assert (20 * torch.log10(out.std(1) / VOICE.std())).abs().max() < 1.5


def test_the_pace_stays():
    bursts = torch.zeros(40, RATE)
    for start in (1600, 4800):
        bursts[:, start : start + 800] = VOICE[start : start + 800]
    out = move(bursts, most=0.2).square().unfold(1, 80, 80).mean(2)
    loud = out > 0.1 * out.amax(1, keepdim=True)
    for row in loud:
        first, second = row[:40].nonzero().flatten() * 80, (row[40:].nonzero().flatten() + 40) * 80
        assert abs(int(first[0]) - 1600) <= 160
        assert abs(int(second[0]) - 4800) <= 160
        assert abs(int(second[-1]) - 5600) <= 160


@pytest.mark.parametrize("rate", [8000, 16_000])
def test_pitch_zero_changes_nothing(rate):
    voice = torch.from_numpy(pulsed_voice(rate))[None]
    out = PitchConfig(probability=1, most=0).build(Surroundings(rate))(voice, draw())
    torch.testing.assert_close(out, voice, atol=1e-4, rtol=0)


def test_silence_stays_silent():
    assert move(torch.zeros(3, RATE)).abs().max() < 1e-4
