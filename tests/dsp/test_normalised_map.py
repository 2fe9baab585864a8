"""A map that takes its normalisation from moments against the layers it stands for, in values and in gradients."""

import pytest
import torch
from torch import nn

from sayso.dsp.normalised_map import depthwise_over_time, normalised_relu, scale_and_shift


def drawn(*shape):
    return torch.randn(*shape, dtype=torch.float64).requires_grad_()


@pytest.mark.parametrize("frames", [4, 9])
@pytest.mark.parametrize("dilation", [1, 3])
def test_shifted_sums_are_a_dilated_depthwise_convolution(frames, dilation):
    torch.manual_seed(0)
    x, weight = drawn(5, 2, frames), drawn(5, 3)
    found = depthwise_over_time(x, weight, (-dilation, 0, dilation))
    clips = x.transpose(0, 1)
    expected = nn.functional.conv1d(clips, weight[:, None], padding=dilation, dilation=dilation, groups=5)
    torch.testing.assert_close(found, expected.transpose(0, 1))
    assert torch.autograd.gradcheck(lambda *given: depthwise_over_time(*given, (-dilation, 0, dilation)), (x, weight))
    of_before = depthwise_over_time(x, weight, (-2 * dilation, -dilation, 0))
    lagged = nn.functional.pad(clips, (2 * dilation, 0))
    expected = nn.functional.conv1d(lagged, weight[:, None], dilation=dilation, groups=5)
    torch.testing.assert_close(of_before, expected.transpose(0, 1))


@pytest.mark.parametrize("momentum", [0.1, None])
def test_scale_and_shift_are_what_batch_norm_does_and_remembers(momentum):
    torch.manual_seed(0)
    norm, other = [nn.BatchNorm2d(3, momentum=momentum).double() for _ in range(2)]
    for _ in range(3):
        x = drawn(4, 3, 5, 2) * 2 + 3
        rows = x.transpose(0, 1).flatten(1)
        scale, shift = scale_and_shift(norm, rows.mean(1), rows.var(1, unbiased=False), count=rows.shape[1])
        torch.testing.assert_close(rows * scale[:, None] + shift[:, None], other(x).transpose(0, 1).flatten(1))
    torch.testing.assert_close(norm.state_dict(), other.state_dict())


@pytest.mark.parametrize(("beside", "skip"), [(False, False), (True, False), (True, True)])
def test_gradients_of_a_map_of_its_own_moments(beside, skip):
    """Of x, of what makes the map, and of what is added; against autograd on the same, and against differences."""
    torch.manual_seed(0)
    x, weight, factor = drawn(2, 3, 7), drawn(2, 3, 3), drawn(1)

    def of_moments(mean, products):
        return weight * products, (weight @ mean[..., None]).sin()

    def added(row):
        return (row * factor).tanh()

    def step(*_):
        return normalised_relu(x, of_moments, [weight, factor], over_columns=added if beside else None, skip=skip)

    def plain():
        matrix, shift = of_moments(x.mean(2), x @ x.mT / 7)
        y = matrix @ x + shift
        return torch.relu(y + (added(y.mean(1))[:, None] if beside else 0) + (x if skip else 0))

    learned = [x, weight, factor] if beside else [x, weight]
    torch.testing.assert_close(step(), plain())
    toward = torch.randn(2, 3, 7, dtype=torch.float64)
    found, expected = [torch.autograd.grad(made, learned, toward) for made in (step(), plain())]
    torch.testing.assert_close(found, expected)
    assert torch.autograd.gradcheck(step, learned)
