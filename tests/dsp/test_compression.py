"""Levels and PCEN against their formulas; the golden arrays hold them to librosa."""

import numpy as np
import pytest
import torch

from sayso.dsp.compression import Compression, Pcen, power_faults


def energies(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).exponential(1.0, shape) ** 3)


@pytest.mark.parametrize("frames", [1, 5, 128, 129, 300])
@pytest.mark.parametrize("start", ["first_frame", "one"])
def test_the_smoother_is_the_recursion_whatever_the_blocks(frames, start):
    energy = energies(2, frames, 3)
    time_constant = 20.0
    pcen = Pcen(frames, time_constant_frames=time_constant, gain=0.98, bias=2.0, power=0.5, start=start).double()
    share = (np.sqrt(1 + 4 * time_constant**2) - 1) / (2 * time_constant**2)
    past = energy[:, 0].clone() if start == "first_frame" else torch.ones(2, 3, dtype=torch.float64)
    expected = []
    for frame in energy.unbind(1):
        past = (1 - share) * past + share * frame
        expected.append(past)
    torch.testing.assert_close(pcen.smooth(energy), torch.stack(expected, 1), rtol=1e-12, atol=1e-12)


def test_pcen_takes_a_change_of_loudness_away_and_long_clips_need_little_memory():
    pcen = Pcen(6001, time_constant_frames=40.0, gain=1.0, bias=2.0, power=0.5, start="first_frame").double()
    energy = energies(1, 6001, 2) + 1
    torch.testing.assert_close(pcen(energy), pcen(1e4 * energy), rtol=1e-4, atol=1e-5)
    assert sum(buffer.numel() for buffer in pcen.buffers()) < 20_000


def test_a_past_that_is_forgotten_at_once_leaves_numbers():
    pcen = Pcen(200, time_constant_frames=0.01, gain=0.98, bias=2.0, power=0.5, start="first_frame")
    energy = energies(2, 200, 3).float()
    assert torch.isfinite(pcen(energy)).all()
    torch.testing.assert_close(pcen.smooth(energy), energy, rtol=0, atol=2e-4 * float(energy.max()))


def test_decibels_by_hand():
    energy = torch.tensor([[[100.0, 1.0, 1e-3, 0.0]]])
    assert Compression("db")(energy).flatten().tolist() == pytest.approx([20, 0, -30, -100])
    assert Compression("db", top_db=30.0)(energy).flatten().tolist() == pytest.approx([20, 0, -10, -10])
    assert Compression("db", relative=True)(energy).flatten().tolist() == pytest.approx([0, -20, -50, -120])
    shown = Compression("db", top_db=30.0, relative=True)(energy).flatten().tolist()
    assert shown == pytest.approx([0, -20, -30, -30])


def test_top_db_is_of_each_clip_alone():
    energy = torch.cat([energies(1, 4, 5), 1e6 * energies(1, 4, 5, seed=1)])
    level = Compression("db", top_db=10.0)
    torch.testing.assert_close(level(energy), torch.cat([level(clip[None]) for clip in energy]))


@pytest.mark.parametrize("power", [0.3, 0.5, 1.0, 2.0, 3.0])
def test_powers_of_the_magnitude(power):
    magnitude = energies(2, 3, 4) + 1e-4
    value = Compression("linear", power=power)(magnitude**2)
    torch.testing.assert_close(value, magnitude**power)
    torch.testing.assert_close(Compression("log", power=power)(magnitude**2), (magnitude**power + 1e-6).log())
    torch.testing.assert_close(Compression("db", power=power)(magnitude**2), 20 * magnitude.log10())


def test_powers_beyond_float32_are_told():
    assert not list(power_faults(None, 240.0))
    assert not list(power_faults(15.0, 240.0))
    assert [fault.key for fault in power_faults(17.0, 240.0)] == ["power"]
