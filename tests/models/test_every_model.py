"""What every registered network must do; a new one is tested by being registered."""

import pytest
import torch

from sayso.models import MODELS
from sayso.models.tc_resnet import TCResNetConfig

SHAPE = (1, 40, 61)


@pytest.fixture(params=list(MODELS), ids=lambda part: part.kind)
def network(request):
    config = request.param()
    assert not list(config.misfits(SHAPE))
    torch.manual_seed(0)
    return config.build(SHAPE, 7)


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


def test_it_can_learn_a_batch_by_heart(network):
    torch.manual_seed(1)
    batch, targets = torch.randn(14, *SHAPE), torch.arange(14) % 7
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(60):
        loss = torch.nn.functional.cross_entropy(network(batch), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (network.eval()(batch).argmax(1) == targets).float().mean() > 0.9


@pytest.mark.parametrize(("width", "count"), [(1.0, 64_952), (2.0, 253_928)])
def test_tc_resnet_has_the_parameters_it_says(width, count):
    network = TCResNetConfig(width=width).build((1, 40, 101), 8)
    assert sum(parameter.numel() for parameter in network.parameters()) == count


def test_tc_resnet_refuses_features_without_time():
    assert [fault.key for fault in TCResNetConfig().misfits((1, 40, 1))] == ["kind"]
