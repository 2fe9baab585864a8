"""What every registered network must do; a new one is tested by being registered."""

import itertools
import sys

import pytest
import torch
from torch import nn

from sayso.config.schema import field_types
from sayso.models import MODELS

SHAPE = (1, 40, 61)
# Settings with which a network takes that shape, and is small enough for quick tests.
SMALL = {
    "luz_convnet": {"channels": (8, 16, 64)},
    "spectrogram_cnn": {"channels": 8},
    "gru": {"hidden": 24},
    "feed_forward": {"hidden": (32, 16)},
}


OWN = [part for part in MODELS if part.__module__.startswith("sayso.")]


def small(part, **keys):
    return part(**(SMALL.get(part.kind, {}) | keys))


@pytest.fixture(params=list(MODELS), ids=lambda part: part.kind)
def part(request):
    return request.param


@pytest.fixture
def network(part):
    config = small(part)
    assert not list(config.misfits(SHAPE))
    torch.manual_seed(0)
    return config.build(SHAPE, 7)


@pytest.mark.parametrize("part", OWN, ids=lambda part: part.kind)
def test_settings_are_called_as_what_they_build(part):
    name = part.__name__.removesuffix("Config")
    assert part.__name__ == f"{name}Config"
    assert type(small(part).build(SHAPE, 7)) is getattr(sys.modules[part.__module__], name)


def test_logits_have_one_column_a_word(network):
    logits = network(torch.randn(3, *SHAPE))
    assert tuple(logits.shape) == (3, 7)
    assert logits.dtype == torch.float32


def test_answering_does_not_depend_on_the_rest_of_the_batch(network):
    network.eval()
    batch = torch.randn(4, *SHAPE)
    torch.testing.assert_close(network(batch)[1:2], network(batch[1:2]), rtol=1e-4, atol=1e-5)


def test_every_parameter_learns(network):
    network(torch.randn(8, *SHAPE)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_it_can_learn_a_batch_by_heart(part):
    torch.manual_seed(1)
    keeps_all = {key: 0.0 for key in ("dropout", "head_dropout") if key in field_types(part)}
    network = small(part, **keeps_all).build(SHAPE, 7)
    batch, targets = torch.randn(14, *SHAPE), torch.arange(14) % 7
    optimizer = torch.optim.Adam(network.parameters(), 2e-3)
    for _ in range(40):
        loss = torch.nn.functional.cross_entropy(network(batch), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.momentum = 1.0  # what they remember lags behind weights that change, and adds up over thirty of them
    network(batch)
    assert (network.eval()(batch).argmax(1) == targets).float().mean() > 0.9


def test_memory_laid_out_with_channels_innermost_changes_nothing(part):
    torch.manual_seed(0)
    network, batch = small(part).build((2, 40, 61), 7).eval(), torch.randn(3, 2, 40, 61)
    expected = network(batch)
    network.to(memory_format=torch.channels_last)
    torch.testing.assert_close(network(batch.contiguous(memory_format=torch.channels_last)), expected)


def test_it_trains_in_bfloat16(network):
    batch = torch.randn(8, *SHAPE)
    with torch.autocast("cpu", torch.bfloat16):
        logits = network.eval()(batch)
    torch.testing.assert_close(logits.float(), network(batch), rtol=0.1, atol=0.1)
    with torch.autocast("cpu", torch.bfloat16):
        network.train()(batch).float().square().sum().backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in network.parameters())


SIZES = (1, 2, 3, 4, 6, 7, 8, 17, 18, 200)


def test_features_are_refused_before_they_break_it(part):
    """Of every pair of small sizes: refused, in one line with its name, or answered."""
    config = small(part)
    for shape in itertools.product((1, 2), SIZES, SIZES):
        misfits = list(config.misfits(shape))
        for fault in misfits:
            assert fault.key == "kind"
            assert fault.message.startswith(f"{part.kind} ")
        if not misfits:
            assert config.build(shape, 3).eval()(torch.zeros(1, *shape)).shape == (1, 3), shape
