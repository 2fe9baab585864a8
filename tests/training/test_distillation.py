"""The loss of a model that has a teacher, and that the teacher hears the very clips."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from runs_made import small_prepared, small_recipe
from sayso.augment.gain import GainConfig
from sayso.classifier.module import Classifier
from sayso.errors import SettingsError
from sayso.features.waveform import WaveformConfig
from sayso.models.mlp import MlpConfig
from sayso.recipe.prepared import prepare
from sayso.system.progress import Progress
from sayso.training import Teacher, choose_hardware, fit
from sayso.training.learner import Learner, new_learner
from sayso.training.teacher import divergences, weigh_mean


def log_softmax(logits):
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def by_hand(own, theirs, temperature):
    own, theirs = log_softmax(own / temperature), log_softmax(theirs / temperature)
    return temperature**2 * (np.exp(theirs) * (theirs - own)).sum(axis=1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_the_divergence_is_what_a_hand_computes(temperature):
    own, theirs = np.random.default_rng(0).normal(size=(2, 5, 3))
    found = divergences(torch.from_numpy(own).float(), torch.from_numpy(theirs).float(), temperature=temperature)
    np.testing.assert_allclose(found.numpy(), by_hand(own, theirs, temperature), rtol=1e-4)


def test_words_weigh_in_the_divergence_as_in_the_usual_loss():
    values, targets, weights = torch.tensor([1.0, 2.0, 5.0]), torch.tensor([0, 1, 1]), torch.tensor([4.0, 1.0])
    assert weigh_mean(values, targets, weights).item() == pytest.approx((4 * 1 + 2 + 5) / 6)
    assert weigh_mean(values, targets, None).item() == pytest.approx(8 / 3)


@pytest.mark.parametrize("class_weights", ["none", "balanced"])
def test_a_step_mixes_both_losses(tone_folder, class_weights):
    next(tone_folder.glob("low/*.wav")).unlink()
    keys = {"teacher": "elsewhere", "teacher_weight": 0.3, "teacher_temperature": 3.0, "label_smoothing": 0.0}
    recipe = small_recipe(tone_folder, class_weights=class_weights, precision="float32", **keys)
    prepared = prepare(replace(recipe, augment=()), Progress())
    torch.manual_seed(5)
    teacher = Teacher(Classifier(prepared.recipe, prepared.corpus.labels), "")
    learner = new_learner(Learner, prepared, choose_hardware(prepared.recipe.training), teacher=teacher).eval()
    loss, logits, targets = learner.batch_loss(0, 0)
    rows = learner._batches(0)[0]
    theirs = teacher.answer(torch.from_numpy(prepared.corpus.samples[rows]).float() / 32768).numpy()
    own, targets = logits.double().numpy(), targets.numpy()
    weights = np.ones(3) if learner.weights is None else learner.weights.numpy()
    shares = weights[targets] / weights[targets].sum()
    usual = -log_softmax(own)[np.arange(len(rows)), targets]
    expected = (shares * (0.7 * usual + 0.3 * by_hand(own, theirs, 3.0))).sum()
    assert loss.item() == pytest.approx(expected, rel=1e-4)
    assert not any(parameter.grad is not None for parameter in teacher.classifier.parameters())
    loss.backward()
    assert not any(parameter.grad is not None for parameter in teacher.classifier.parameters())


class Echo(Teacher):
    """Answers with the beginning of what it hears."""

    @property
    def classes(self):
        return 40

    def answer_each(self, samples):
        return samples[:, None, 1000:1040].clone()


@pytest.mark.parametrize(("copies", "augment"), [(None, True), (2, True), (None, False)])
def test_the_teacher_hears_the_very_samples(tone_folder, copies, augment):
    recipe = replace(
        small_recipe(tone_folder),
        features=WaveformConfig(),
        model=MlpConfig(),
        augment=(GainConfig(most_db=20),) if augment else (),
    )
    prepared = prepare(
        replace(recipe, training=replace(recipe.training, copies=copies, teacher="elsewhere")), Progress()
    )
    teacher = Echo(Classifier(prepared.recipe, prepared.corpus.labels), "")
    learner = new_learner(Learner, prepared, choose_hardware(recipe.training), teacher=teacher)
    own, rows, heard = learner.classifier.features, prepared.split.train[[3, 1, 2]], []
    for epoch in range(2):
        generator = torch.Generator().manual_seed(epoch)
        device = torch.device("cpu")
        given = learner.sources.words.for_training(own, rows, epoch=epoch, generator=generator, device=device)
        torch.testing.assert_close(given.taught, given.features.flatten(1)[:, 1000:1040], rtol=0, atol=0)
        heard.append(given.taught)
    assert torch.equal(heard[0], heard[1]) is not augment


def test_a_recipe_with_a_teacher_is_not_trained_without_it(tone_folder, tmp_path):
    from sayso.runs.folder import RunFolder

    with pytest.raises(SettingsError, match=r"training\.teacher: is given, but is not at hand"):
        fit(small_prepared(tone_folder, teacher="elsewhere"), RunFolder(tmp_path))
