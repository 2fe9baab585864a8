"""Every feature and network leaves as ONNX and gives the same answer there."""

import itertools
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch

from sayso.audio import AudioFormat, to_float
from sayso.classifier import export as room
from sayso.classifier import graph
from sayso.classifier.module import Classifier
from sayso.errors import ModelError, SettingsError
from sayso.features import FEATURES
from sayso.models import MODELS
from sayso.recipe.recipe import recipe_from_values
from sayso.runtime import Recognizer

AUDIO = {"sample_rate": 8000, "clip_seconds": 0.5}
AUDIO_OF = {"speech_embedding": {"sample_rate": 16_000, "clip_seconds": 0.9}}
EXTRA = [
    ("spectrogram", {"power": None, "scale": "linear"}),
    ("spectrogram", {"power": 0.5}),
    ("spectrogram", {"scale": "db", "top_db": 80.0, "image": {"height": 64, "width": 64}}),
    ("spectrogram", {"power": None, "scale": "linear", "window_seconds": 0.3}),
    ("spectrogram", {"window_seconds": 0.3}),
    ("dft", {"power": None, "scale": "linear"}),
    ("mel", {"scale": "pcen"}),
    ("mfcc", {"deltas": 2, "lifter": 22.0}),
    ("speech_embedding", {"stride": 4, "outputs": "last_two"}),
]
LABELS = ("no", "yes", "日本", "a b")


def recipe(feature, model, keys=None, network=None):
    values = {
        "dataset": {"kind": "fsdd"},
        "audio": AUDIO_OF.get(feature, AUDIO),
        "features": {"kind": feature} | (keys or {}),
        "model": {"kind": model} | (network or {}),
    }
    return recipe_from_values(values, source="test")


def make(*parts):
    torch.manual_seed(0)
    classifier = Classifier(recipe(*parts), LABELS).eval()
    classifier.features.fill()
    generator = torch.Generator().manual_seed(1)
    features = classifier.features(torch.randn(16, classifier.audio.clip_samples, generator=generator) * 0.1)
    classifier.normaliser.measure([features])
    return classifier


def clips(count=9, audio=None):
    rng = np.random.default_rng(0)
    length = (audio or AudioFormat(**AUDIO)).clip_samples
    loudness = rng.uniform(10, 20000, (count, 1))
    made = (rng.standard_normal((count, length)) * loudness).clip(-32768, 32767).astype(np.int16)
    made[0] = 0
    return made


def exports(classifier, tmp_path):
    agreement = room.export(classifier, tmp_path / "model.onnx", clips(audio=classifier.audio))
    assert agreement.max_abs_difference <= agreement.limit
    assert agreement.clips == 9
    return Recognizer(tmp_path / "model.onnx")


# Its full size has thousands of steps to trace; the slow tests export that.
SMALLER = {"scattering": {"max_scale_log2": 4, "wavelets_per_octave": 1}}


@pytest.mark.parametrize("feature", FEATURES.names())
def test_every_feature_exports(feature, tmp_path):
    exports(make(feature, "logistic", SMALLER.get(feature)), tmp_path)


# Features and settings for the networks that mel, or their full size, does not suit.
PAIRINGS = {
    "bc_resnet": ("mel", {"hop_seconds": 0.03}, {}),
    "luz_convnet": ("spectrogram", {"hop_seconds": 0.005}, {"channels": [4, 4, 6, 6, 8]}),
    "gru": ("waveform", {}, {"hidden": 8, "frame_samples": 500, "pooling": "last"}),
}


@pytest.mark.parametrize("model", [name for name in MODELS.names() if name != "logistic"])
def test_every_network_exports(model, tmp_path):
    feature, keys, network = PAIRINGS.get(model, ("mel", {"n_mels": 12, "hop_seconds": 0.03}, {}))
    recognizer = exports(make(feature, model, keys, network), tmp_path)
    assert recognizer.logits(to_float(clips(1))).shape == (1, 4)
    assert recognizer.logits(to_float(clips(7))).shape == (7, 4)


@pytest.mark.slow
@pytest.mark.parametrize(("feature", "model"), list(itertools.product(FEATURES.names(), MODELS.names())))
def test_every_pair_exports(feature, model, tmp_path):
    try:
        recipe(feature, model)
    except SettingsError:
        pytest.skip("the network refuses the features")
    exports(make(feature, model), tmp_path)


OTHER_NETWORKS = [
    ("luz_convnet", "spectrogram", {"hop_seconds": 0.005, "power": None, "scale": "linear"}, {}),
    ("digit_cnn", "spectrogram", {"image": {"height": 64, "width": 64}}, {"dropout": 0.5}),
    ("gru", "mel", {}, {"layers": 1, "bidirectional": False, "pooling": "last"}),
    ("gru", "waveform", {}, {}),
    ("feed_forward", "dft", {}, {"hidden": [], "batch_norm": False}),
]


@pytest.mark.slow
@pytest.mark.parametrize(("model", "feature", "keys", "network"), OTHER_NETWORKS)
def test_other_networks_export(model, feature, keys, network, tmp_path):
    exports(make(feature, model, keys, network), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("feature", "keys"), EXTRA)
def test_other_settings_export(feature, keys, tmp_path):
    exports(make(feature, "logistic", keys), tmp_path)


def test_the_file_says_what_it_is_and_disagreement_is_an_error(tmp_path, monkeypatch):
    classifier = make("mel", "tc_resnet")
    content = room._graph_made(classifier, room._metadata(classifier))
    monkeypatch.setattr(room, "_graph_made", lambda *_: content)
    recognizer = exports(classifier, tmp_path)
    assert recognizer.labels == LABELS
    assert recognizer.audio == classifier.audio
    assert "kind: tc_resnet" in recognizer.recipe
    nodes = onnx.load(tmp_path / "model.onnx").graph.node
    assert {node.domain for node in nodes} == {""}
    assert not {node.op_type for node in nodes} & {"STFT", "DFT"}

    with torch.no_grad():
        classifier.network.last.bias += 1e-2
    with pytest.raises(ModelError, match="differ from the trained model's by"):
        room.export(classifier, tmp_path / "other.onnx", clips())
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]


@pytest.mark.usefixtures("graphs")
@pytest.mark.parametrize("raised", [torch.onnx.OnnxExporterError, AttributeError])
def test_ctrl_c_is_no_error_of_the_export(raised, tmp_path, monkeypatch):
    def stopped(*_, **__):
        try:
            try:
                raise KeyboardInterrupt
            except KeyboardInterrupt:
                raise AttributeError("module 'torch._dynamo' has no attribute 'exc'")  # noqa: B904 - as torch does it
        except AttributeError as error:
            raise raised("cannot be exported") from error

    monkeypatch.setattr(torch.onnx, "export", stopped)
    with pytest.raises(KeyboardInterrupt):
        room.export(make("mel", "logistic"), tmp_path / "model.onnx", clips())
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("graphs")
def test_classifiers_that_differ_in_their_numbers_alone_are_traced_once(tmp_path, monkeypatch):
    traced = []
    trace = graph._trace
    monkeypatch.setattr(graph, "_trace", lambda *parts: traced.append(parts) or trace(*parts))
    first, second = (make("mel", "tc_resnet", {"n_mels": 12}, {"channels": [4, 6, 8], "width": 1}) for _ in range(2))
    with torch.no_grad():
        for tensor in (*second.parameters(), *second.network.buffers()):
            tensor.copy_(tensor * 1.5)
    second.temperature = 2.0
    answers = [exports(each, tmp_path).logits(to_float(clips())) for each in (first, second, first)]
    assert len(traced) == 1
    assert np.array_equal(answers[0], answers[2])
    assert np.abs(answers[0] - answers[1]).max() > 1e-2
    exports(make("mel", "tc_resnet", {"n_mels": 12, "area_norm": True}, {"channels": [4, 6, 8], "width": 1}), tmp_path)
    assert len(traced) == 2


@pytest.mark.usefixtures("graphs")
def test_a_graph_that_answers_at_several_speeds_serves_again_where_a_word_is_added(tmp_path, monkeypatch):
    made = replace(recipe("mel", "pooled_mlp", {"n_mels": 12}), test_time_speeds=(0.5, 0.9, 1.0, 2.0))
    few, more = (Classifier(made, words).eval() for words in (LABELS, (*LABELS, "more")))
    before = exports(few, tmp_path).path
    monkeypatch.setattr(graph, "_trace", None)
    samples = clips()
    room.export(more, tmp_path / "more.onnx", samples, like=before)
    given = Recognizer(tmp_path / "more.onnx").logits(to_float(samples))
    with torch.no_grad():
        expected = more(torch.from_numpy(to_float(samples))).numpy()
    np.testing.assert_allclose(given, expected, atol=1e-4 * np.abs(expected).max())
    assert given.shape == (9, 5)


@pytest.mark.usefixtures("graphs")
def test_few_traces_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(graph, "_TRACES_KEPT", 1)
    for feature in ("waveform", "dft"):
        exports(make(feature, "logistic"), tmp_path)
        assert len(graph._traces) == 1
