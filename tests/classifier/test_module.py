"""The module that is trained, saved and exported."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from runs_made import prepared_by, small_prepared, small_recipe
from sayso.audio import to_float
from sayso.classifier.checkpoint import load_model, save_model
from sayso.classifier.export import export
from sayso.classifier.inference import embed_rows, logits_of_rows, represent
from sayso.classifier.module import Classifier, Normaliser, samples_from_int16
from sayso.classifier.streaming import make_streaming
from sayso.errors import ModelError

LABELS = ("high", "low", "middle")


@pytest.fixture
def classifier(tone_folder):
    torch.manual_seed(0)
    return Classifier(small_recipe(tone_folder), LABELS).eval()


def test_saved_and_loaded_it_answers_with_the_same_bits(classifier, tmp_path):
    classifier.normaliser.mean.normal_()
    save_model(tmp_path / "m.safetensors", classifier)
    loaded = load_model(tmp_path / "m.safetensors")
    samples = torch.randn(3, classifier.audio.clip_samples)
    assert torch.equal(loaded(samples), classifier(samples))
    assert loaded.labels == LABELS
    assert loaded.recipe == classifier.recipe


@pytest.mark.parametrize("damage", ["missing", "cut", "text", "foreign", "version"])
def test_models_that_cannot_be_read(damage, classifier, tmp_path):
    path = tmp_path / "m.safetensors"
    save_model(path, classifier)
    match damage:
        case "missing":
            path.unlink()
        case "cut":
            path.write_bytes(path.read_bytes()[:300])
        case "text":
            path.write_text("hello")
        case "foreign":
            save_file({"x": torch.ones(2)}, path)
        case _:
            save_file({"x": torch.ones(2)}, path, metadata={"sayso": json.dumps({"format_version": 99})})
    with pytest.raises(ModelError, match=r"m\.safetensors") as caught:
        load_model(path)
    assert "\n" not in str(caught.value)


def test_level_peak_makes_loudness_count_for_nothing(tone_folder, tmp_path):
    recipe = replace(small_recipe(tone_folder), level="peak")
    classifier = Classifier(recipe, LABELS).eval()
    clips = np.random.default_rng(0).integers(-9999, 9999, (2, classifier.audio.clip_samples), np.int16)
    quiet, loud = (torch.from_numpy(to_float(clips // 4 * step)) for step in (1, 4))
    torch.testing.assert_close(classifier(quiet), classifier(loud))
    assert not torch.allclose(Classifier(small_recipe(tone_folder), LABELS).eval()(quiet), classifier(quiet))
    silence = torch.zeros(1, classifier.audio.clip_samples)
    assert classifier(silence).isfinite().all()
    assert export(classifier, tmp_path / "m.onnx", clips).clips == 2


def test_an_answer_of_several_speeds_is_the_mean_of_theirs(tone_folder, tmp_path):
    recipe = replace(small_recipe(tone_folder), test_time_speeds=(0.9, 1, 1.1))
    torch.manual_seed(0)
    several = Classifier(recipe, LABELS).eval()
    clips = np.random.default_rng(0).integers(-9999, 9999, (3, several.audio.clip_samples), np.int16)
    samples = torch.from_numpy(to_float(clips))
    each = [several.answer_as_it_is(play(samples)) for play in several.speeds]
    torch.testing.assert_close(several(samples), torch.stack(each).mean(dim=0))
    assert torch.equal(several.speeds[1](samples), samples)
    assert not torch.allclose(each[0], each[2])
    assert set(several.state_dict()) == set(Classifier(small_recipe(tone_folder), LABELS).state_dict())
    assert export(several, tmp_path / "m.onnx", clips).clips == 3
    assert make_streaming(several, recipe.stream.hop_samples(several.audio.sample_rate)) is None


def test_what_is_known_of_clips_serves_their_own_speed_alone(tone_folder):
    prepared = small_prepared(tone_folder)
    prepared = prepared_by(replace(prepared.recipe, test_time_speeds=(0.9, 1.1)), prepared)
    torch.manual_seed(0)
    several = Classifier(prepared.recipe, prepared.corpus.labels).eval()
    rows = np.arange(5)
    before = logits_of_rows(several, prepared.corpus, rows), embed_rows(several, prepared.corpus, rows)
    several.kept = represent(several, prepared.corpus)
    after = logits_of_rows(several, prepared.corpus, rows), embed_rows(several, prepared.corpus, rows)
    np.testing.assert_allclose(after[0], before[0])
    np.testing.assert_allclose(after[1], before[1], rtol=1e-4, atol=1e-5)
    assert len(after[1]) == 5
    assert len(embed_rows(several, prepared.corpus, rows[:0])) == 0


@pytest.mark.parametrize(("by", "size"), [("bin", (2, 5, 1)), ("all", (1, 1, 1))])
def test_normaliser_brings_training_features_to_mean_0_and_deviation_1(by, size):
    features = torch.randn(50, 2, 5, 7, generator=torch.Generator().manual_seed(0)) * 3 + 5
    normaliser = Normaliser((2, 5, 7), by=by)
    normaliser.measure([features[:20], features[20:]])
    out = normaliser(features)
    dimensions = (0, 3) if by == "bin" else (0, 1, 2, 3)
    assert tuple(normaliser.mean.shape) == size
    np.testing.assert_allclose(out.mean(dimensions), 0, atol=1e-5)
    np.testing.assert_allclose(out.std(dimensions, correction=0), 1, atol=1e-5)


def test_normaliser_leaves_bins_that_never_change_alone():
    normaliser = Normaliser((1, 2, 3), by="bin")
    normaliser.measure([torch.tensor([[[[4.0, 4, 4], [1, 2, 3]]]])])
    assert torch.isfinite(normaliser(torch.zeros(1, 1, 2, 3))).all()
    assert normaliser.deviation[0, 0] == 1


def test_normaliser_brings_bins_of_any_size_to_deviation_1():
    """Linear features of quiet clips are millionths, and vary by as much."""
    values = torch.randn(50, 1, 1, 7).expand(-1, -1, 3, -1) * 0.3 + 1
    features = values * torch.tensor([1e-9, 1e-3, 1e6])[:, None]
    normaliser = Normaliser((1, 3, 7), by="bin")
    normaliser.measure([features])
    np.testing.assert_allclose(normaliser(features).std((0, 3), correction=0), 1, rtol=1e-3)


def test_normaliser_none_passes_features_through():
    normaliser = Normaliser((1, 2, 3), by="none")
    normaliser.measure([torch.randn(4, 1, 2, 3)])
    features = torch.randn(2, 1, 2, 3)
    assert torch.equal(normaliser(features), features)


def test_training_and_answering_see_the_same_samples():
    samples = np.arange(-32768, 32768, 7, dtype=np.int16)[None]
    assert np.array_equal(samples_from_int16(torch.from_numpy(samples)).numpy(), to_float(samples))


def test_what_enters_the_last_layer_gives_the_logits(classifier, tone_folder):
    corpus = small_prepared(tone_folder).corpus
    rows = np.array([0, 5, 3])
    entered = embed_rows(classifier, corpus, rows)
    last = classifier.network.last
    expected = torch.from_numpy(entered) @ last.weight.detach().T + last.bias.detach()
    assert np.allclose(expected.numpy(), logits_of_rows(classifier, corpus, rows), atol=1e-5)


def test_a_network_without_a_last_layer_is_known_by_its_logits(classifier, tone_folder):
    corpus = small_prepared(tone_folder).corpus
    classifier.network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyBatchNorm1d())
    rows = np.array([0, 1])
    assert np.array_equal(embed_rows(classifier, corpus, rows), logits_of_rows(classifier, corpus, rows))
