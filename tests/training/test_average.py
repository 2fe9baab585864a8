"""The average of the weights: what it is by hand, and that it alone is scored and kept."""

import dataclasses

import numpy as np
import pytest
import torch

from runs_made import prepared_by, small_prepared, small_recipe
from sayso.classifier.checkpoint import load_model, load_state
from sayso.classifier.inference import predict_logits
from sayso.classifier.module import Classifier
from sayso.config.overrides import merge
from sayso.config.schema import dump
from sayso.errors import SettingsError
from sayso.models.luz_convnet import LuzConvnetConfig
from sayso.recipe.recipe import recipe_from_values
from sayso.runs.folder import RunFolder
from sayso.system.distributed import Processes
from sayso.training import choose_hardware, fit
from sayso.training.average import average_step, begin_average, decay_at
from sayso.training.learner import Learner, new_learner
from sayso.training.resume import identify


def numbers(classifier):
    return {name: values.double().numpy().copy() for name, values in classifier.network.state_dict().items()}


def test_the_average_of_some_steps_is_what_a_hand_computes(tone_folder):
    torch.manual_seed(0)
    classifier = Classifier(small_recipe(tone_folder), ("high", "low"))
    averaged = begin_average(classifier)
    expected = numbers(classifier)
    for step in range(12):
        with torch.no_grad():
            for values in classifier.network.state_dict().values():
                values.add_(torch.rand_like(values) if values.is_floating_point() else 1)
        average_step(averaged, classifier, decay=0.5, step=step)
        share = min(0.5, (1 + step) / (10 + step))
        now = numbers(classifier)
        for name, values in now.items():
            counts = name.endswith("num_batches_tracked")
            expected[name] = values if counts else share * expected[name] + (1 - share) * values
    for name, values in numbers(averaged).items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-5, atol=1e-6)
    assert averaged.features is classifier.features
    assert averaged.normaliser is classifier.normaliser
    assert not any(parameter.requires_grad for parameter in averaged.network.parameters())


def test_the_decay_grows_to_the_recipes():
    shares = [decay_at(step, most=0.99) for step in range(2_000)]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.1, 0.99)


def test_a_decay_of_one_would_learn_nothing(tone_folder):
    for decay, told in ((-0.1, "at least 0"), (1, "below 1")):
        with pytest.raises(SettingsError, match=rf"training\.average: is {decay}, must be {told}"):
            small_recipe(tone_folder, average=decay)


@pytest.mark.parametrize("keep", ["best", "last"])
def test_what_is_scored_and_kept_is_the_average(tone_folder, tmp_path, keep):
    keys = {"epochs": 3, "keep": keep, "average": 0.9, "precision": "float32"}
    prepared = small_prepared(tone_folder, **keys)
    result = fit(prepared, RunFolder(tmp_path / "run"))
    kept = load_model(tmp_path / "run" / "model.safetensors").state_dict()
    state = load_state(tmp_path / "run" / "resume.ckpt")["state_dict"]
    for name, values in kept.items():
        assert torch.equal(values, state[f"averaged.{name}"]), name
    assert not torch.equal(kept["network.last.weight"], state["classifier.network.last.weight"])
    rows = prepared.split.validation
    right = predict_logits(result.classifier, prepared.corpus.samples[rows]).argmax(axis=1)
    told = [row.accuracy for row in result.log if row.set == "validation"]
    assert told[-1] == pytest.approx(np.mean(right == prepared.corpus.targets[rows]))


def test_an_average_of_hardly_anything_is_the_weights_themselves(tone_folder, tmp_path):
    for name, decay in (("none", 0.0), ("hardly", 1e-12)):
        fit(small_prepared(tone_folder, average=decay), RunFolder(tmp_path / name))
    none, hardly = (load_model(tmp_path / name / "model.safetensors").state_dict() for name in ("none", "hardly"))
    for name, values in none.items():
        torch.testing.assert_close(hardly[name], values, rtol=1e-6, atol=1e-7)


def test_features_that_learn_are_averaged_too(tone_folder):
    keys = {"kind": "speech_embedding", "trainable": 3}
    changes = {"audio": {"sample_rate": 16000, "clip_seconds": 0.8}, "features": keys, "model": {"kind": "pooled_mlp"}}
    values = merge(dump(small_recipe(tone_folder, average=0.5, batch_size=4)), changes | {"augment": []})
    classifier = Classifier(recipe_from_values(values, source="test"), ("high", "low"))
    averaged = begin_average(classifier)
    assert averaged.features is not classifier.features
    layer = next(name for name, one in classifier.features.named_parameters() if one.requires_grad)
    before = averaged.features.get_parameter(layer).clone()
    with torch.no_grad():
        classifier.features.get_parameter(layer).add_(1)
    average_step(averaged, classifier, decay=0.5, step=100)
    torch.testing.assert_close(averaged.features.get_parameter(layer), before + 0.5)


def test_a_training_that_goes_on_from_another_begins_the_average_there(tone_folder):
    prepared = small_prepared(tone_folder, average=0.9)
    torch.manual_seed(3)
    start = Classifier(prepared.recipe, prepared.corpus.labels)
    learner = new_learner(Learner, prepared, choose_hardware(prepared.recipe.training), start=start)
    for name, values in start.network.state_dict().items():
        assert torch.equal(learner.result.network.state_dict()[name], values), name
    assert learner.result is not learner.classifier


def test_networks_whose_channels_are_innermost_stay_so(tone_folder):
    small = small_prepared(tone_folder, average=0.9)
    prepared = prepared_by(dataclasses.replace(small.recipe, model=LuzConvnetConfig(channels=(4, 8))), small)
    learner = new_learner(Learner, prepared, choose_hardware(prepared.recipe.training))
    kernels = [one for one in learner.result.network.parameters() if one.ndim == 4 and one.shape[1] > 1]
    assert kernels
    assert all(one.is_contiguous(memory_format=torch.channels_last) for one in kernels)


def test_processes_bring_their_statistics_together_in_the_average_too(tone_folder, monkeypatch):
    prepared = small_prepared(tone_folder, average=0.9)
    learner = new_learner(Learner, prepared, choose_hardware(prepared.recipe.training))
    learner.processes = Processes(0, 2)
    # Of this process, and of one whose numbers are 2 more.
    monkeypatch.setattr("sayso.training.learner.sum_over_processes", lambda values: 2 * values + 2)
    before = {name: values.clone() for name, values in learner.state_dict().items()}
    learner.begin_validation()
    for name, values in learner.state_dict().items():
        moved = 1 if name.endswith(("running_mean", "running_var")) else 0
        torch.testing.assert_close(values, before[name] + moved)


def test_states_from_before_there_were_averages_are_gone_on_from(tone_folder):
    assert "average" not in identify(small_prepared(tone_folder))["training"]
    assert identify(small_prepared(tone_folder, average=0.9))["training"]["average"] == 0.9
