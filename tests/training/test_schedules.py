"""Optimisers and schedules by the recipe's names, held to their formulas."""

import numpy as np
import pytest
import torch

from sayso.errors import SettingsError
from sayso.recipe.recipe import Training
from sayso.training.optimisers import make_optimiser
from sayso.training.schedules import make_schedule


def rates(training, *, steps_per_epoch):
    """The learning rate of every step of a training."""
    optimiser = make_optimiser(training, [torch.nn.Parameter(torch.ones(2, 2))])
    schedule = make_schedule(training, optimiser, steps_per_epoch=steps_per_epoch)
    taken = []
    for _ in range(training.epochs * steps_per_epoch):
        taken.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        if schedule:
            schedule.step()
    return np.array(taken), optimiser.param_groups[0]["lr"]


def test_constant_stays():
    taken, after = rates(Training(schedule="constant", learning_rate=0.1, epochs=3), steps_per_epoch=4)
    assert set(taken) == {0.1}
    assert after == 0.1


@pytest.mark.parametrize("warmup", [0, 2])
def test_cosine_climbs_in_its_warm_up_and_ends_at_nothing(warmup):
    training = Training(schedule="cosine", learning_rate=0.1, epochs=10, warmup_epochs=warmup)
    taken, after = rates(training, steps_per_epoch=4)
    climb, fall = taken[: 4 * warmup], taken[4 * warmup :]
    np.testing.assert_allclose(climb, 0.1 * np.arange(1, len(climb) + 1) / max(1, len(climb)))
    np.testing.assert_allclose(fall, 0.05 * (1 + np.cos(np.pi * np.arange(len(fall)) / len(fall))))
    assert after == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd"])
def test_one_cycle_reaches_the_recipes_rate_and_sgd_keeps_its_momentum(optimizer):
    training = Training(optimizer=optimizer, momentum=0.7, learning_rate=0.1, epochs=5)
    taken, _ = rates(training, steps_per_epoch=20)
    assert taken.max() == pytest.approx(0.1, rel=1e-3)
    assert 0.25 < taken.argmax() / len(taken) < 0.35
    assert taken[-1] < taken[0] < 0.01
    if optimizer == "sgd":
        optimiser = make_optimiser(training, [torch.nn.Parameter(torch.ones(2, 2))])
        make_schedule(training, optimiser, steps_per_epoch=20)
        assert optimiser.param_groups[0]["momentum"] == 0.7


def test_one_step_is_a_whole_training():
    assert len(rates(Training(epochs=1), steps_per_epoch=1)[0]) == 1


def test_decay_is_on_matrices_alone_and_sgd_steps_by_its_formula():
    training = Training(optimizer="sgd", momentum=0.5, weight_decay=0.1, learning_rate=0.2)
    matrix, bias = torch.nn.Parameter(torch.full((2, 2), 3.0)), torch.nn.Parameter(torch.full((2,), 3.0))
    optimiser = make_optimiser(training, [matrix, bias])
    expected, speed = [3.0, 3.0], [0.0, 0.0]
    for _ in range(3):
        for parameter in (matrix, bias):
            parameter.grad = torch.ones_like(parameter)
        optimiser.step()
        for place, decay in enumerate((0.1, 0.0)):
            speed[place] = 0.5 * speed[place] + 1 + decay * expected[place]
            expected[place] -= 0.2 * speed[place]
    assert matrix[0, 0].item() == pytest.approx(expected[0])
    assert bias[0].item() == pytest.approx(expected[1])


def test_adam_decays_within_the_gradient_and_adamw_apart_from_it():
    """Adam divides a gradient by its own size, so a decay within it adds nothing to the first step; one apart does."""
    steps = {}
    for name in ("adam", "adamw"):
        weight = torch.nn.Parameter(torch.full((1, 1), 2.0))
        optimiser = make_optimiser(Training(optimizer=name, weight_decay=0.5, learning_rate=0.1), [weight])
        weight.grad = torch.ones_like(weight)
        optimiser.step()
        steps[name] = 2.0 - weight.item()
    assert steps["adam"] == pytest.approx(0.1, abs=1e-6)
    assert steps["adamw"] == pytest.approx(0.1 + 0.1 * 0.5 * 2.0, abs=1e-6)


def test_a_warm_up_must_end():
    with pytest.raises(SettingsError, match=r"warmup_epochs: is 5, must be below epochs \(5\)"):
        Training(schedule="cosine", warmup_epochs=5, epochs=5)
