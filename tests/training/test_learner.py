"""The step from rows of the corpus to a loss."""

import dataclasses
import re

import numpy as np
import pytest
import torch

from conftest import write_tones
from runs_made import prepared_by, small_prepared, small_recipe
from sayso.augment.gain import GainConfig
from sayso.classifier.module import Classifier
from sayso.config.overrides import merge
from sayso.config.schema import dump
from sayso.data.splits import SplitSettings
from sayso.errors import SettingsError
from sayso.features import Feature, FeatureConfig
from sayso.recipe.prepared import prepare
from sayso.recipe.recipe import recipe_from_values
from sayso.system.progress import Progress
from sayso.training import check_readiness, choose_hardware, feature_cache, note_cost
from sayso.training.learner import Learner, new_learner, weigh_classes
from sayso.training.sources import Sources


def test_class_weights_balance(tone_folder):
    prepared = small_prepared(tone_folder)
    corpus, split = prepared.corpus, prepared.split
    rows = np.concatenate(
        (split.train[corpus.targets[split.train] == 0][:2], split.train[corpus.targets[split.train] != 0])
    )
    weighted = weigh_classes(corpus, rows)
    counts = np.bincount(corpus.targets[rows])
    np.testing.assert_allclose(weighted.numpy() * counts, len(rows) / 3, rtol=1e-6)


def epoch_of(prepared, epoch):
    hardware = choose_hardware(prepared.recipe.training)
    learner = new_learner(Learner, prepared, hardware)
    return np.concatenate(learner._batches(epoch))


def test_words_with_few_clips_are_met_as_often(tone_folder):
    for path in sorted((tone_folder / "low").glob("*.wav"))[2:]:
        path.unlink()
    recipe = dataclasses.replace(small_recipe(tone_folder, balance="words"), split=SplitSettings(by="random"))
    prepared = prepare(recipe, Progress())
    first, second = epoch_of(prepared, 0), epoch_of(prepared, 1)
    counts = np.bincount(prepared.corpus.targets[first])
    assert len(first) == len(prepared.split.train)
    assert counts.max() - counts.min() <= 1
    assert set(first) <= set(prepared.split.train.tolist())
    assert sorted(first) != sorted(second)
    with pytest.raises(SettingsError, match="class_weights: is balanced, but balance, words, does that already"):
        small_recipe(tone_folder, balance="words", class_weights="balanced")


def test_few_recordings_are_met_as_often_as_many_voices(tmp_path):
    people = write_tones(tmp_path / "people", speakers=("ann", "bob"), clips=2)
    robots = write_tones(tmp_path / "robots", speakers=("rob",), clips=20)
    folders = [{"kind": "folder", "path": str(folder), "speaker": "none"} for folder in (people, robots)]
    dataset = {"kind": "mixed", "recordings": folders[0], "training": [folders[1]]}
    values = merge(dump(small_recipe(people, balance="sources")), {"dataset": dataset, "split": {"by": "random"}})
    prepared = prepare(recipe_from_values(values, source="test"), Progress())
    rows = epoch_of(prepared, 0)
    recorded = np.array([prepared.corpus.clips[row].source == 0 for row in rows])
    assert abs(recorded.mean() - 0.5) < 0.05
    assert 0 < len(np.unique(rows[recorded])) < 12


@pytest.mark.parametrize("copies", [None, 2])
def test_recordings_may_be_left_as_they_are_beside_voices_that_are_not(tmp_path, copies):
    people = write_tones(tmp_path / "people", speakers=("ann", "bob"))
    robots = write_tones(tmp_path / "robots", speakers=("rob",), seed=3)
    folders = [{"kind": "folder", "path": str(folder), "speaker": "none"} for folder in (people, robots)]
    changes = {
        "dataset": {"kind": "mixed", "recordings": folders[0], "training": [folders[1]]},
        "split": {"by": "random", "validation": "none"},
        "augment": [{"kind": "gain", "most_db": 12}],
        "training": {"augmented": "beside", "copies": copies},
    }
    recipe = recipe_from_values(merge(dump(small_recipe(people)), changes), source="test")
    prepared = prepare(recipe, Progress())
    learner = new_learner(Learner, prepared, choose_hardware(recipe.training))
    rows = prepared.split.train
    generator = torch.Generator().manual_seed(0)
    found = learner.training_features(rows, epoch=0, generator=generator)
    plain = learner.classifier.normaliser(
        learner.sources.words.as_they_are(learner.classifier.features, rows, torch.device("cpu"))
    )
    same = torch.isclose(found, plain, atol=1e-5).flatten(1).all(dim=1)
    assert same.tolist() == [prepared.corpus.clips[row].source == 0 for row in rows]
    with pytest.raises(SettingsError, match="augmented: is beside, but nothing stands beside the recordings of folder"):
        small_recipe(people, augmented="beside")


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
    hardware = choose_hardware(classifier.recipe.training)
    learner = Learner(classifier, prepared, hardware, Sources.of(classifier.features, prepared, hardware))
    features = learner.training_features(split.train[:4], epoch=0, generator=torch.Generator())
    assert learner.convolves_images
    assert features.is_contiguous(memory_format=torch.channels_last)


def test_features_that_no_augmentation_changes_are_computed_once(tone_folder, monkeypatch):
    recipe = dataclasses.replace(small_recipe(tone_folder, threads=1), augment=())
    prepared = prepared_by(recipe, small_prepared(tone_folder))
    split = prepared.split
    learner = new_learner(Learner, prepared, choose_hardware(recipe.training))
    monkeypatch.setattr(feature_cache, "_MOST_BYTES", 0)
    anew = new_learner(Learner, prepared, choose_hardware(recipe.training))
    rows = split.train[[3, 0, 5]]
    kept, computed = (one.training_features(rows, epoch=0, generator=torch.Generator()) for one in (learner, anew))
    torch.testing.assert_close(kept, computed, rtol=1e-5, atol=1e-5)

    monkeypatch.setattr(learner.classifier.features, "forward", lambda samples: pytest.fail("computed again"))
    learner.training_features(rows, epoch=0, generator=torch.Generator())
    learner.validate(0)
    monkeypatch.setattr(anew.classifier.features, "forward", lambda samples: pytest.fail("computed again"))
    with pytest.raises(pytest.fail.Exception):
        anew.training_features(rows, epoch=0, generator=torch.Generator())


def test_features_of_augmented_samples_are_not_kept(tone_folder):
    recipe = dataclasses.replace(small_recipe(tone_folder, threads=1), augment=(GainConfig(),))
    prepared = prepared_by(recipe, small_prepared(tone_folder))
    split = prepared.split
    learner = new_learner(Learner, prepared, choose_hardware(recipe.training))
    first, second = (
        learner.training_features(split.train[:4], epoch=0, generator=torch.Generator().manual_seed(k)) for k in (0, 1)
    )
    assert not torch.equal(first, second)


def with_copies(folder, copies, **training):
    recipe = dataclasses.replace(small_recipe(folder, threads=1, copies=copies, **training), augment=(GainConfig(),))
    return prepared_by(recipe, small_prepared(folder))


def test_augmented_copies_are_made_once_and_taken_in_turn(tone_folder, monkeypatch):
    prepared = with_copies(tone_folder, 2)
    rows = prepared.split.train[[3, 0, 5]]
    learner = new_learner(Learner, prepared, choose_hardware(prepared.recipe.training))
    monkeypatch.setattr(learner.classifier.features, "forward", lambda samples: pytest.fail("computed again"))
    first, second, third = (
        learner.training_features(rows, epoch=epoch, generator=torch.Generator()) for epoch in range(3)
    )
    assert not torch.equal(first, second)
    assert torch.equal(first, third)
    learner.validate(0)
    together = torch.cat(
        [
            learner.training_features(prepared.split.train, epoch=epoch, generator=torch.Generator())
            for epoch in range(2)
        ]
    )
    torch.testing.assert_close(together.mean((0, 3)), torch.zeros(1, 12), atol=1e-3, rtol=0)


def test_a_training_on_copies_goes_on_bit_for_bit(tone_folder, tmp_path):
    seeds = [
        new_learner(Learner, with_copies(tone_folder, 2), choose_hardware(small_recipe(tone_folder).training))
        for _ in range(2)
    ]
    rows = with_copies(tone_folder, 2).split.train
    one, other = (each.training_features(rows, epoch=1, generator=torch.Generator()) for each in seeds)
    assert torch.equal(one, other)


def test_copies_that_are_too_large_or_all_the_same(tone_folder, monkeypatch):
    with pytest.raises(SettingsError, match=r"training\.copies: is 2, but no augmentation changes samples"):
        recipe_from_values(merge(dump(small_recipe(tone_folder, copies=2)), {"augment": []}), source="test")
    monkeypatch.setattr(feature_cache, "memory_bytes", lambda: 2000)
    with pytest.raises(
        SettingsError, match=r"training\.copies: is 2, whose features take .*, half of the memory here;"
    ):
        check_readiness(with_copies(tone_folder, 2))
    monkeypatch.setattr(feature_cache, "memory_bytes", lambda: None)
    check_readiness(with_copies(tone_folder, 2))
    monkeypatch.setattr(feature_cache, "_MOST_ASKED_BYTES", 1000)
    with pytest.raises(SettingsError, match=r"the limit is 0\.0 GiB; take fewer, or null"):
        check_readiness(with_copies(tone_folder, 2))


@pytest.mark.parametrize(
    ("features", "model", "notes"),
    [
        ("waveform", "tc_resnet", 1),
        ("waveform", "mlp", 0),
        ("mfcc", "tc_resnet", 0),
        # Computed once, and little is left to do.
        ("speech_embedding", "pooled_mlp", 0),
    ],
)
def test_a_training_that_will_be_slow_is_said_to_be(tone_folder, features, model, notes):
    values = dump(small_recipe(tone_folder)) | {"features": {"kind": features}, "model": {"kind": model}}
    values["audio"] |= {"sample_rate": 16_000, "clip_seconds": 1.0}
    prepared = prepared_by(recipe_from_values(values, source="test"), small_prepared(tone_folder))
    said = list(note_cost(prepared))
    assert len(said) == notes
    if said:
        pattern = r"tc_resnet on waveform takes 8\d\d million multiply-adds a clip, 1[012]\d times as many as "
        assert re.fullmatch(pattern + "tc_resnet on mel: training will be slow", said[0])


def fine_tuned(folder, trainable="all", augment=(), **training):
    values = {
        "audio": {"sample_rate": 16000, "clip_seconds": 0.8},
        "features": {"kind": "speech_embedding", "trainable": trainable},
        "model": {"kind": "pooled_mlp", "hidden": 8},
        "augment": list(augment),
        "training": {"batch_size": 4, "threads": 1, "features_rate": 0.01, "precision": "float32"} | training,
    }
    return recipe_from_values(merge(dump(small_recipe(folder)), values), source="test")


def test_features_that_learn_have_a_gradient_and_a_rate_of_their_own(tone_folder):
    recipe = fine_tuned(tone_folder, 3)
    prepared = prepared_by(recipe, prepare(recipe, Progress()))
    learner = new_learner(Learner, prepared, choose_hardware(recipe.training))
    loss, _, _ = learner.batch_loss(0, 0)
    loss.backward()
    body = [layer for layer in learner.classifier.features.body if isinstance(layer, torch.nn.Conv2d)]
    assert [layer.weight.grad is not None for layer in body] == [False] * 17 + [True] * 3
    assert all(layer.weight.grad.abs().sum() > 0 for layer in body[17:])
    optimiser = learner.optimisation()[0]
    rates = {id(p): group["initial_lr"] for group in optimiser.param_groups for p in group["params"]}
    assert rates[id(body[-1].weight)] == pytest.approx(0.01 * rates[id(learner.classifier.network.layers[1].weight)])
    assert len(rates) == 5 + 4  # the last convolution has no bias


def test_frozen_features_have_neither(tone_folder):
    recipe = fine_tuned(tone_folder, "none")
    learner = new_learner(Learner, prepare(recipe, Progress()), choose_hardware(recipe.training))
    assert not any(parameter.requires_grad for parameter in learner.classifier.features.parameters())
    loss, _, _ = learner.batch_loss(0, 0)
    loss.backward()
    assert all(parameter.grad is None for parameter in learner.classifier.features.parameters())


def test_of_features_that_learn_copies_are_kept_up_to_their_first_weights(tone_folder):
    learners: list[Learner] = []
    for trainable in (3, "none"):
        recipe = fine_tuned(tone_folder, trainable, [{"kind": "gain"}], copies=2)
        learners.append(new_learner(Learner, prepare(recipe, Progress()), choose_hardware(recipe.training)))
    learning, frozen = learners
    rows = learning.split.train[:4]
    heard = [[epoch_features(each, rows, epoch) for epoch in (0, 1, 2)] for each in learners]
    torch.testing.assert_close(heard[0], heard[1])
    assert not torch.allclose(heard[0][0], heard[0][1])
    learning.batch_loss(0, 0)[0].backward()
    last = learning.classifier.features.body[-1].weight
    assert last.grad.abs().sum() > 0
    with torch.no_grad():
        last.mul_(2)
    torch.testing.assert_close(epoch_features(learning, rows, 0), 2 * epoch_features(frozen, rows, 0))


def epoch_features(learner, rows, epoch):
    """What these clips are in an epoch, before the normaliser."""
    own = learner.classifier.features
    generator = torch.Generator().manual_seed(0)
    heard = learner.sources.words.for_training(own, rows, epoch=epoch, generator=generator, device=learner.device)
    return heard.features.detach()


class Louder(Feature):
    """The samples, times a number that is learned; it does not say what of it never changes."""

    def __init__(self, samples):
        super().__init__()
        self.shape = (1, 8, samples // 8)
        self.gain = torch.nn.Parameter(torch.ones(()))

    def forward(self, samples):
        return (self.gain * samples).unflatten(1, (8, -1))[:, None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class LouderConfig(FeatureConfig):
    learns = True

    def build(self, audio):
        return Louder(audio.clip_samples)


def test_of_features_that_learn_as_a_whole_nothing_is_kept(tone_folder):
    recipe = small_recipe(tone_folder)
    unchanged = dataclasses.replace(recipe, features=LouderConfig(), augment=())
    prepared = prepared_by(unchanged, prepare(recipe, Progress()))
    learner = new_learner(Learner, prepared, choose_hardware(recipe.training))
    rows = prepared.split.train[:4]
    before = epoch_features(learner, rows, 0)
    learner.batch_loss(0, 0)[0].backward()
    gain = learner.classifier.features.gain
    assert gain.grad is not None
    with torch.no_grad():
        gain.mul_(2)
    torch.testing.assert_close(epoch_features(learner, rows, 0), 2 * before)
    training = dataclasses.replace(unchanged.training, copies=2)
    with pytest.raises(SettingsError, match=r"training\.copies: is 2, but all of these features learns"):
        dataclasses.replace(unchanged, augment=(GainConfig(),), training=training)
    training = dataclasses.replace(unchanged.training, on="streams")
    with pytest.raises(SettingsError, match=r"training\.on: is streams, .* but all of these features learns"):
        dataclasses.replace(unchanged, training=training)
