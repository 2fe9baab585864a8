"""What an answer costs: counted by torch, against counts by hand."""

import math

from runs_made import small_recipe
from sayso.classifier.cost import count_multiply_adds, measure_features
from sayso.classifier.module import Classifier
from sayso.config.overrides import merge
from sayso.config.schema import dump
from sayso.features import FEATURES
from sayso.recipe.recipe import recipe_from_values


def classifier_of(folder, features, model):
    values = merge(dump(small_recipe(folder)), {"features": None, "model": None})
    values |= {"features": {"kind": features}, "model": {"kind": model}}
    return Classifier(recipe_from_values(values, source="test"), ("high", "low", "middle"))


def test_two_layers_by_hand(tmp_path):
    products = 4000 * 128 + 128 * 3
    classifier = classifier_of(tmp_path, "waveform", "mlp")
    assert count_multiply_adds(classifier) == count_multiply_adds(classifier, features=False) == products


def test_a_fourier_transform_by_its_formula(tmp_path):
    classifier = classifier_of(tmp_path, "dft", "logistic")
    network = (4000 // 2 + 1) * 3
    assert count_multiply_adds(classifier, features=False) == network
    assert count_multiply_adds(classifier) - network == round(2.5 * 4000 * math.log2(4000) / 2)


def test_of_what_can_be_kept_layers_that_learn_count_and_those_before_them_do_not():
    counts: dict[object, int] = {}
    for trainable in ("none", 1, "all"):
        values = {
            "dataset": {"kind": "fsdd"},
            "audio": {"sample_rate": 16_000, "clip_seconds": 1.5},
            "features": {"kind": "speech_embedding", "trainable": trainable},
            "model": {"kind": "pooled_mlp"},
        }
        classifier = Classifier(recipe_from_values(values, source="test"), ["a", "b"])
        counts[trainable] = count_multiply_adds(classifier, features=False)
    # The representation's last layer has three frames of 96 channels under its kernel, and gives nine times 96 numbers.
    assert counts["none"] < counts[1] < counts["all"] < count_multiply_adds(classifier)
    assert counts[1] - counts["none"] >= 3 * 96 * 96 * 9


def test_samples_as_they_are_cost_a_hundred_times_a_spectrogram_in_bands():
    costs = {part.kind: measure_features(part) for part in FEATURES}
    assert None not in costs.values()
    waveform, mfcc = costs["waveform"], costs["mfcc"]
    assert (waveform.shape, waveform.network) == ((1, 1, 16_000), "tc_resnet")
    assert (mfcc.shape, mfcc.network) == ((1, 20, 101), "tc_resnet")
    assert 100 < waveform.multiply_adds / mfcc.multiply_adds < 150
