"""Mixup: features and words of two clips, each by its share."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from runs_made import prepared_by, small_prepared, small_recipe
from sayso.config.overrides import merge
from sayso.config.schema import dump
from sayso.errors import SettingsError
from sayso.recipe.prepared import prepare
from sayso.recipe.recipe import Training, recipe_from_values
from sayso.system.progress import Progress
from sayso.training import choose_hardware
from sayso.training.learner import Learner, new_learner
from sayso.training.mixup import Mixture

CPU = torch.device("cpu")
ALONE = 1e-5  # nearly every share is 1


def learner_of(folder, **training):
    recipe = replace(small_recipe(folder, precision="float32", **training), augment=())
    prepared = prepared_by(recipe, small_prepared(folder))
    return new_learner(Learner, prepared, choose_hardware(recipe.training)).eval()


def draw(batch=2000, alpha=0.2, seed=0):
    return Mixture.draw(batch, alpha, np.random.default_rng(seed), CPU)


def test_each_clip_keeps_the_larger_share_and_is_the_other_of_one():
    for alpha in (0.2, 1.0):
        mixture = draw(alpha=alpha)
        assert 0.5 <= mixture.share.min() < 0.52
        assert 0.98 < mixture.share.max() <= 1
        assert mixture.other.sort().values.tolist() == list(range(2000))
    # Of an even share the larger part is three quarters on average; of small alphas it is nearer to all.
    assert draw(alpha=1.0).share.mean() == pytest.approx(0.75, abs=0.02)
    assert draw(alpha=0.2).share.mean() > 0.85


def test_features_are_mixed_by_their_shares():
    values = torch.randn(3, 1, 4, 5)
    mixture = Mixture(torch.tensor([1, 2, 0]), torch.tensor([0.6, 1.0, 0.9]))
    mixed = mixture.mix(values)
    torch.testing.assert_close(mixed[0], 0.6 * values[0] + 0.4 * values[1])
    torch.testing.assert_close(mixed[1], values[1])
    torch.testing.assert_close(mixed[2], 0.9 * values[2] + 0.1 * values[0])


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_the_cross_entropy_against_mixed_words(smoothing):
    generator = torch.Generator().manual_seed(0)
    logits, targets = torch.randn(50, 4, generator=generator), torch.randint(4, (50,), generator=generator)
    mixture = draw(50, alpha=1.0)
    words = mixture.mix(torch.eye(4)[targets])
    expected = torch.nn.functional.cross_entropy(logits, words, label_smoothing=smoothing)
    torch.testing.assert_close(mixture.loss(logits, targets, weights=None, smoothing=smoothing), expected)


@pytest.mark.parametrize("class_weights", ["none", "balanced"])
def test_clips_that_keep_all_of_their_share_are_learned_as_ever(tone_folder, class_weights):
    next(tone_folder.glob("low/*.wav")).unlink()
    plain, alone, mixed = (
        learner_of(tone_folder, class_weights=class_weights, mixup=mixup).batch_loss(0, 0)[0]
        for mixup in (0, ALONE, 5.0)
    )
    torch.testing.assert_close(alone, plain, rtol=1e-4, atol=1e-5)
    assert mixed.item() != pytest.approx(plain.item(), rel=1e-3)


def test_a_step_mixes_the_same_clips_again_and_other_steps_others(tone_folder):
    learner, again = (learner_of(tone_folder, mixup=0.4) for _ in range(2))
    assert torch.equal(learner.batch_loss(0, 0)[0], again.batch_loss(0, 0)[0])
    shares = [learner._draw_mixture(8, *step).share for step in ((0, 0), (0, 1), (1, 0))]
    assert not any(torch.equal(shares[0], other) for other in shares[1:])


def test_what_is_none_of_the_words_is_not_mixed(tone_folder, tmp_path):
    others = tmp_path / "others"
    others.mkdir()
    (tone_folder / "low").rename(others / "low")
    rejection = {"rejection": {"negatives": [{"kind": "folder", "path": str(others)}]}, "augment": []}
    recipe = recipe_from_values(merge(dump(small_recipe(tone_folder, mixup=1.0)), rejection), source="test")
    prepared = prepare(recipe, Progress())
    learner = new_learner(Learner, prepared, choose_hardware(recipe.training))
    rows, generator = prepared.split.train[:6], torch.Generator()
    plain, mixed = (
        learner._hear(rows, np.arange(4), mixture, epoch=0, generator=generator)[0]
        for mixture in (None, draw(6, alpha=1.0))
    )
    assert torch.equal(plain[6:], mixed[6:])
    assert not torch.equal(plain[:6], mixed[:6])


def test_mixed_clips_have_no_teacher():
    with pytest.raises(SettingsError, match=r"mixup: is 0\.2, but training\.teacher answers clips as they are"):
        Training(mixup=0.2, teacher="elsewhere")
