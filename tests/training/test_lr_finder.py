"""The learning-rate search: the same twice, training clips alone, sensible on a loss that is known."""

import dataclasses

import numpy as np
import pytest
import torch

from runs_made import small_prepared
from sayso.errors import RunError, SettingsError
from sayso.training import lr_finder, search_learning_rate


def search(folder, prepared=None, **keys):
    return search_learning_rate(prepared or small_prepared(folder), **{"steps": 40} | keys)


def test_the_same_twice_and_only_of_training_clips(tone_folder):
    prepared = small_prepared(tone_folder)
    corpus, split = prepared.corpus, prepared.split
    first = search(tone_folder, prepared)
    spoilt = np.array(corpus.samples)
    unseen = np.concatenate((split.test, split.validation))
    spoilt[unseen] = np.random.default_rng(0).integers(-(2**15), 2**15, spoilt[unseen].shape)
    other = dataclasses.replace(prepared, corpus=dataclasses.replace(corpus, samples=spoilt))
    assert search(tone_folder, other) == first
    ratios = np.divide(first.rates[1:], first.rates[:-1])
    np.testing.assert_allclose(ratios, ratios[0])
    assert first.suggestion == pytest.approx(first.rates[first.lowest] / 10, rel=0.05)


def test_on_a_bowl_the_loss_is_lowest_where_steps_begin_to_leap_out(tone_folder, monkeypatch):
    """Gradient descent on 0.5 x**2 leaps out of the bowl from rate 2 on; the suggestion lies safely below."""

    def bowl(learner, rates):
        place = 1.0
        for rate in rates:
            yield 0.5 * place**2 + 0.1
            place -= rate * place

    monkeypatch.setattr(lr_finder, "_losses", bowl)
    found = search(tone_folder, lowest=1e-4, highest=1e3, steps=200)
    assert 0.05 < found.suggestion < 2
    assert len(found.rates) == len(found.losses) == len(found.smoothed) < 200, "it stops once the loss has grown"
    assert not found.still_falling


def test_features_that_learn_keep_their_share_of_the_rate(tone_folder, monkeypatch):
    def two_groups(settings, network, *, of_features):
        del of_features
        parameters = list(network)
        groups = [
            {"params": parameters[:1], "lr": settings.learning_rate},
            {"params": parameters[1:], "lr": settings.learning_rate * 0.1},
        ]
        made.append(torch.optim.SGD(groups))
        return made[0]

    made: list[torch.optim.Optimizer] = []
    monkeypatch.setattr(lr_finder, "make_optimiser", two_groups)
    found = search(tone_folder, steps=20, lowest=1e-6, highest=1e-5)
    assert [group["lr"] for group in made[0].param_groups] == pytest.approx([found.rates[-1], 0.1 * found.rates[-1]])


@pytest.mark.parametrize("lowest", [1e3, 1e20])
def test_a_search_that_diverges_at_once_is_one_line(tone_folder, lowest):
    with pytest.raises(RunError, match=r"diverged at once: after \d+ steps, .* start lower with --lowest"):
        search(tone_folder, lowest=lowest, highest=1e30)


def test_rates_and_steps_that_make_no_search(tone_folder):
    for keys, says in (
        ({"lowest": 0.0}, "--lowest: is 0"),
        ({"lowest": 1.0, "highest": 0.1}, "below --highest"),
        ({"highest": float("nan")}, "--lowest"),
        ({"steps": 3}, "at least 20"),
    ):
        with pytest.raises(SettingsError, match=says):
            search(tone_folder, **keys)
