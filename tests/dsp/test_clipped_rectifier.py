"""The clipped rectifier is that of torch's own operators, and so are its gradients."""

import torch

from sayso.dsp.clipped_rectifier import ClippedRectifier


def plain(values):
    return torch.clamp(torch.nn.functional.leaky_relu(values, 0.2), min=-0.4)


def test_values_and_gradients_are_those_of_the_plain_operators():
    layer = ClippedRectifier(slope=0.2, lowest=-0.4)
    values = torch.linspace(-4, 3, 56, dtype=torch.float64).reshape(7, 8).requires_grad_()
    weights = torch.linspace(1, 2, 56, dtype=torch.float64).reshape(7, 8)
    (layer(values * 1) * weights).sum().backward()
    own, values.grad = values.grad, None
    (plain(values) * weights).sum().backward()
    torch.testing.assert_close(own, values.grad, rtol=0, atol=0)
    torch.testing.assert_close(layer(values.detach().clone()), plain(values.detach()), rtol=0, atol=0)


def test_it_works_in_the_memory_it_is_given():
    values = torch.tensor([-3.0, -1.0, 2.0])
    made = ClippedRectifier(slope=0.2, lowest=-0.4)(values)
    assert made.data_ptr() == values.data_ptr()
