"""The transform by products against NumPy's, and constants that keep float64."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.dsp.fourier import ExactConstants, RealDft, fast_length


@pytest.mark.parametrize("length", [1, 2, 12, 13, 100, 257, 480, 1600, 4096])
def test_both_ways_give_numpys_transform(length):
    samples = np.random.default_rng(length).standard_normal((2, 3, length))
    expected = np.fft.rfft(samples)
    dft = RealDft(length)
    for out in (dft(torch.from_numpy(samples).float()), dft._by_products(torch.from_numpy(samples).float())):
        assert out.shape == (2, 3, dft.bins, 2)
        ours = out[..., 0].numpy() + 1j * out[..., 1].numpy()
        np.testing.assert_allclose(ours, expected, atol=2e-6 * np.abs(expected).max())
    exact = dft.double()._by_products(torch.from_numpy(samples))
    np.testing.assert_allclose(exact[..., 0] + 1j * exact[..., 1], expected, atol=1e-12 * np.abs(expected).max())


def test_its_matrices_are_small():
    assert sum(buffer.numel() for buffer in RealDft(16000).buffers()) < 5 * 16000


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5000))
def test_fast_lengths_are_products_of_2_3_5_and_the_next_such(length):
    fast = fast_length(length)
    assert fast >= length
    assert all(30**12 % number for number in range(length, fast))
    assert 30**13 % fast == 0


def test_constants_are_exact_after_double_and_go_where_the_module_goes():
    module = torch.nn.Sequential(ExactConstants())
    third = np.array([1 / 3])
    module[0].constant("third", third)
    assert module[0].third.dtype == torch.float32
    assert not module.state_dict()
    assert module.double()[0].third.item() == third[0]
    assert module.float()[0].third.dtype == torch.float32
    assert module.to(torch.bfloat16).double()[0].third.item() == third[0]
    assert module.to("meta")[0].third.device.type == "meta"
