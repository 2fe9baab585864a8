"""Optimisers: torch's own to the bit, without the compiler that torch's would load."""

import subprocess
import sys

import pytest
import torch

from sayso.recipe.recipe import Training
from sayso.training.optimisers import make_optimiser, rate_of

OURS = {
    "adamw": torch.optim.AdamW,
    "adam": torch.optim.Adam,
    "sgd": torch.optim.SGD,
}


def weights_after(steps, make):
    generator = torch.Generator().manual_seed(0)
    weights = torch.nn.Parameter(torch.randn(4, 3, generator=generator))
    optimiser = make(weights)
    for _ in range(steps):
        optimiser.zero_grad()
        (weights**2).sum().backward()
        optimiser.step()
    assert optimiser.param_groups[0]["params"][0].grad is not None
    return weights.detach(), optimiser


@pytest.mark.parametrize("kind", OURS)
def test_it_steps_as_torchs_own_does_and_goes_on_from_its_state(kind):
    training = Training(optimizer=kind, learning_rate=0.1, weight_decay=0.2)
    ours, optimiser = weights_after(5, lambda weights: make_optimiser(training, [weights]))
    group = {key: value for key, value in optimiser.param_groups[0].items() if key != "params"}
    theirs, own = weights_after(5, lambda weights: OURS[kind]([weights], **given(group, OURS[kind])))
    assert torch.equal(ours, theirs)
    assert isinstance(optimiser, OURS[kind])
    own.load_state_dict(optimiser.state_dict())
    optimiser.load_state_dict(own.state_dict())
    assert str(optimiser.state_dict()) == str(own.state_dict())


def given(group, kind):
    known = kind.__init__.__code__.co_varnames
    return {key: value for key, value in group.items() if key in known}


def test_neither_a_step_nor_counting_what_an_answer_costs_loads_torchs_compiler():
    code = """
import sys, torch
from sayso.classifier.cost import measure_features
from sayso.features.mel import MelConfig
from sayso.recipe.recipe import Training
from sayso.training.optimisers import make_optimiser
weights = torch.nn.Parameter(torch.ones(2, 2))
optimiser = make_optimiser(Training(), [weights])
weights.sum().backward()
optimiser.step()
optimiser.zero_grad()
assert measure_features(MelConfig).multiply_adds
print("torch._dynamo" in sys.modules)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False", told.stderr


def test_its_rate_is_that_of_the_network_where_features_learn_at_another():
    network, features = torch.nn.Linear(2, 3), torch.nn.Linear(4, 2)
    training = Training(learning_rate=0.01, features_rate=0.1)
    optimiser = make_optimiser(training, network.parameters(), of_features=features.parameters())
    assert sorted({group["lr"] for group in optimiser.param_groups}) == pytest.approx([0.001, 0.01])
    assert rate_of(optimiser) == 0.01
