"""Every feature and network leaves as ONNX and gives the same answer there."""

import itertools
import math
from dataclasses import dataclass, replace

import numpy as np
import onnx
import pytest
import torch

from sayso import export as room
from sayso.audio import AudioFormat, to_float
from sayso.classifier import Classifier
from sayso.errors import ModelError
from sayso.features import FEATURES, FeatureConfig
from sayso.models import MODELS, NetworkConfig
from sayso.recipe import recipe_from_values
from sayso.runtime import Recognizer
from sayso.schema import read

AUDIO = {"sample_rate": 8000, "clip_seconds": 0.5}
EXTRA = [
    ("spectrogram", {"power": None, "scale": "linear"}),
    ("spectrogram", {"power": 0.5}),
    ("spectrogram", {"scale": "db", "top_db": 80.0, "image": {"height": 64, "width": 64}}),
    ("spectrogram", {"power": None, "scale": "linear", "window_seconds": 0.3}),
    ("spectrogram", {"window_seconds": 0.3}),
    ("dft", {"power": None, "scale": "linear"}),
    ("mel", {"scale": "pcen"}),
    ("mfcc", {"deltas": 2, "lifter": 22.0}),
]
LABELS = ("no", "yes", "日本", "a b")


@dataclass(frozen=True, kw_only=True)
class Flat(NetworkConfig):
    """One linear layer on all numbers at once, for features that the network of a test cannot take."""

    def build(self, shape, classes):
        return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(math.prod(shape), classes))


def make(feature, model, keys=None):
    values = {
        "dataset": {"kind": "fsdd"},
        "audio": AUDIO,
        "features": {"kind": feature} | (keys or {}),
        "model": {"kind": model},
    }
    torch.manual_seed(0)
    classifier = Classifier(recipe_of(values), LABELS).eval()
    generator = torch.Generator().manual_seed(1)
    features = classifier.features(torch.randn(16, classifier.audio.clip_samples, generator=generator) * 0.1)
    classifier.normaliser.measure([features])
    return classifier


def recipe_of(values):
    recipe = recipe_from_values(values | {"features": {"kind": "mel"}}, source="test")
    features = read(FeatureConfig, values["features"])
    assert not list(features.misfits(recipe.audio))
    suits = not list(recipe.model.misfits(features.build(recipe.audio).shape))
    return replace(recipe, features=features, model=recipe.model if suits else Flat())


def clips(count=9):
    rng = np.random.default_rng(0)
    length = AudioFormat(**AUDIO).clip_samples
    loudness = rng.uniform(10, 20000, (count, 1))
    made = (rng.standard_normal((count, length)) * loudness).clip(-32768, 32767).astype(np.int16)
    made[0] = 0
    return made


def exports(classifier, tmp_path):
    agreement = room.export(classifier, tmp_path / "model.onnx", clips())
    assert agreement.max_abs_difference <= agreement.limit
    assert agreement.clips == 9
    return Recognizer(tmp_path / "model.onnx")


# Its full size has thousands of steps to trace; the slow tests export that.
SMALLER = {"scattering": {"max_scale_log2": 4, "wavelets_per_octave": 1}}


@pytest.mark.parametrize("feature", FEATURES.names())
def test_every_feature_exports(feature, tmp_path):
    exports(make(feature, "tc_resnet", SMALLER.get(feature)), tmp_path)


@pytest.mark.parametrize("model", [name for name in MODELS.names() if name != "tc_resnet"] or ["tc_resnet"])
def test_every_network_exports(model, tmp_path):
    recognizer = exports(make("mel", model), tmp_path)
    assert recognizer.logits(to_float(clips(1))).shape == (1, 4)
    assert recognizer.logits(to_float(clips(7))).shape == (7, 4)


@pytest.mark.slow
@pytest.mark.parametrize(("feature", "model"), list(itertools.product(FEATURES.names(), MODELS.names())))
def test_every_pair_exports(feature, model, tmp_path):
    exports(make(feature, model), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("feature", "keys"), EXTRA)
def test_other_settings_export(feature, keys, tmp_path):
    exports(make(feature, "tc_resnet", keys), tmp_path)


def test_the_file_says_what_it_is_and_disagreement_is_an_error(tmp_path, monkeypatch):
    classifier = make("mel", "tc_resnet")
    content = room._onnx_bytes(classifier)
    monkeypatch.setattr(room, "_onnx_bytes", lambda _: content)
    recognizer = exports(classifier, tmp_path)
    assert recognizer.labels == LABELS
    assert recognizer.audio == classifier.audio
    assert "kind: tc_resnet" in recognizer.recipe
    graph = onnx.load(tmp_path / "model.onnx").graph
    assert {node.domain for node in graph.node} == {""}
    assert not {node.op_type for node in graph.node} & {"STFT", "DFT"}

    with torch.no_grad():
        classifier.network.last.bias += 1e-2
    with pytest.raises(ModelError, match="differ from the trained model's by"):
        room.export(classifier, tmp_path / "other.onnx", clips())
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]
