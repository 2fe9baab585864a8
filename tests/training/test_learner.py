"""The step from rows of the corpus to a loss."""

import dataclasses

import numpy as np
import pytest
import torch

from runs_made import prepared_by, small_prepared, small_recipe
from sayso.augment.gain import GainConfig
from sayso.classifier.module import Classifier
from sayso.errors import SettingsError
from sayso.training import choose_hardware, feature_cache
from sayso.training.learner import Learner, new_learner, weigh_classes


def test_class_weights_balance(tone_folder):
    prepared = small_prepared(tone_folder)
    corpus, split = prepared.corpus, prepared.split
    rows = np.concatenate(
        (split.train[corpus.targets[split.train] == 0][:2], split.train[corpus.targets[split.train] != 0])
    )
    weighted = weigh_classes(corpus, rows)
    counts = np.bincount(corpus.targets[rows])
    np.testing.assert_allclose(weighted.numpy() * counts, len(rows) / 3, rtol=1e-6)


def test_hardware_follows_the_recipe(tone_folder):
    recipe = small_recipe(tone_folder, precision="float32", threads=1, device="cpu")
    hardware = choose_hardware(recipe.training)
    assert (hardware.device.type, hardware.bf16, hardware.threads) == ("cpu", False, 1)


def test_a_gpu_that_is_not_here_is_told(tone_folder, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(SettingsError, match=r"training\.device: is gpu, but none is here"):
        choose_hardware(small_recipe(tone_folder, device="gpu").training)


def test_convolutions_over_images_run_channels_last(tone_folder):
    prepared = small_prepared(tone_folder)
    split = prepared.split
    classifier = Classifier(prepared.recipe, prepared.corpus.labels)
    classifier.network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    )
    learner = Learner(classifier, prepared, choose_hardware(classifier.recipe.training))
    features = learner.training_features(split.train[:4], torch.Generator())
    assert learner.convolves_images
    assert features.is_contiguous(memory_format=torch.channels_last)


def test_features_that_no_augmentation_changes_are_computed_once(tone_folder, monkeypatch):
    recipe = dataclasses.replace(small_recipe(tone_folder, threads=1), augment=())
    prepared = prepared_by(recipe, small_prepared(tone_folder))
    split = prepared.split
    learner = new_learner(prepared, choose_hardware(recipe.training))
    monkeypatch.setattr(feature_cache, "MOST_BYTES", 0)
    anew = new_learner(prepared, choose_hardware(recipe.training))
    rows = split.train[[3, 0, 5]]
    kept, computed = (one.training_features(rows, torch.Generator()) for one in (learner, anew))
    torch.testing.assert_close(kept, computed, rtol=1e-5, atol=1e-5)

    monkeypatch.setattr(learner.classifier.features, "forward", lambda samples: pytest.fail("computed again"))
    learner.training_features(rows, torch.Generator())
    learner.validation_step(0, 0)
    monkeypatch.setattr(anew.classifier.features, "forward", lambda samples: pytest.fail("computed again"))
    with pytest.raises(pytest.fail.Exception):
        anew.training_features(rows, torch.Generator())


def test_features_of_augmented_samples_are_not_kept(tone_folder):
    recipe = dataclasses.replace(small_recipe(tone_folder, threads=1), augment=(GainConfig(),))
    prepared = prepared_by(recipe, small_prepared(tone_folder))
    split = prepared.split
    learner = new_learner(prepared, choose_hardware(recipe.training))
    first, second = (learner.training_features(split.train[:4], torch.Generator().manual_seed(k)) for k in (0, 1))
    assert not torch.equal(first, second)
