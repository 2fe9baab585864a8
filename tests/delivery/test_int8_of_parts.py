"""Every representation stays in float and every network with layers becomes int8; the form for streams, too."""

import itertools

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from sayso.audio import to_float
from sayso.classifier.export import export
from sayso.classifier.module import Classifier
from sayso.data.clips import Clip
from sayso.data.corpus import Corpus
from sayso.delivery import int8_stream as room
from sayso.delivery.int8_stream import stream_as_int8
from sayso.delivery.model_bytes import with_metadata
from sayso.delivery.quantisation import quantise, quantised_share, weight_bytes
from sayso.errors import SettingsError
from sayso.features import FEATURES
from sayso.models import MODELS
from sayso.recipe.recipe import recipe_from_values
from sayso.runtime import Recognizer
from sayso.runtime.hops import Stateful, Windows, score_stream
from sayso.runtime.stream import Stream
from sayso.runtime.stream_file import StreamFile
from streams_made import HOP, LENGTH, RATE, WORDS, export_model

AUDIO = {"sample_rate": 8000, "clip_seconds": 0.5}
AUDIO_OF = {"speech_embedding": {"sample_rate": 16_000, "clip_seconds": 0.9}}
KINDS = [[part.kind for part in parts] for parts in (FEATURES, MODELS)]
# Of a network's numbers at least so many are in layers that become int8, and at most so much of its bytes is left.
SHARES = {kind: (0.9, 0.4) for kind in KINDS[1]}
# Their first convolution hears one channel, and stays in float; of the smaller one much is norms between layers.
SHARES |= {"ds_cnn": (0.8, 0.5), "bc_resnet": (0.6, 0.7)}
# Whatever fits mel or pictures of sound; every other representation with two networks, of which one always fits.
PAIRS = sorted(
    {*itertools.product(KINDS[0], ("tc_resnet", "logistic")), *itertools.product(("mel", "spectrogram"), KINDS[1])}
)


def untrained(feature, model):
    values = {
        "dataset": {"kind": "fsdd"},
        "audio": AUDIO_OF.get(feature, AUDIO),
        "features": {"kind": feature},
        "model": {"kind": model},
    }
    try:
        recipe = recipe_from_values(values, source="test")
    except SettingsError as error:
        pytest.skip(str(error))  # a network that does not fit these features
    torch.manual_seed(0)
    classifier = Classifier(recipe, ["a", "b", "c"])
    classifier.features.fill()
    return classifier.eval()


def settle(network, features):
    """Have batch norms know what they hear, as in a trained network; else clips are hardly told apart."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.momentum = 1.0
    network.train()(features)
    network.eval()


def numbers_of(model):
    graph = onnx.load_from_string(model).graph
    return {entry.name: onnx.numpy_helper.to_array(entry) for entry in graph.initializer}


@pytest.mark.slow
@pytest.mark.parametrize(("feature", "model"), PAIRS)
def test_front_ends_stay_in_float_and_networks_become_int8(feature, model, tmp_path):
    classifier = untrained(feature, model)
    levels = np.linspace(100, 6000, 40)[:, None]
    clips = np.random.default_rng(0).standard_normal((40, classifier.audio.clip_samples)) * levels
    clips = clips.astype(np.int16)
    heard = to_float(clips)
    with torch.no_grad():
        features = classifier.features(torch.from_numpy(heard))
        classifier.normaliser.measure([features])
        settle(classifier.network, classifier.normaliser(features))
    export(classifier, tmp_path / "model.onnx", clips[:4])
    whole = (tmp_path / "model.onnx").read_bytes()
    if model == "gru":
        assert quantised_share(whole) < 0.5
        return
    least, most = SHARES[model]
    assert quantised_share(whole) > least
    made = quantise(whole, ({"samples": heard[at : at + 10]} for at in range(0, 40, 10)))
    assert weight_bytes(made, of=whole) < most * weight_bytes(whole, of=whole)
    before, after = map(numbers_of, (whole, made))
    networks = ("network.", *(f"{name}." for name in classifier.networks))
    front = {name for name in before if name.startswith("features.") and not name.startswith(networks)}
    assert {name for name in front if not np.array_equal(after[name], before[name])} == set()
    (tmp_path / "int8.onnx").write_bytes(made)
    expected = Recognizer(tmp_path / "model.onnx").logits(heard)
    found = Recognizer(tmp_path / "int8.onnx").logits(heard)
    # Of random weights on noise; a trained network on speech is off by a hundredth.
    assert alike(found, expected) > 0.8


def alike(found, expected):
    """How far the answers of one go with those of the other; 1: all the way."""
    mean = expected.mean(axis=0)
    return np.corrcoef((found - mean).ravel(), (expected - mean).ravel())[0, 1]


def tones(count):
    """Clips of tones that come and go, each of its own pitch and level, int16 (count, LENGTH)."""
    rng, time = np.random.default_rng(0), np.arange(LENGTH) / RATE
    pitches_hz, levels = np.geomspace(100, 6000, count), rng.permuted(np.linspace(600, 30_000, count))
    waves = np.sin(2 * np.pi * pitches_hz[:, None] * time) * np.sin(np.pi * time / time[-1])
    return (levels[:, None] * waves).astype(np.int16)


@pytest.mark.slow
def test_the_form_for_streams_becomes_int8_beside_its_model(tmp_path, monkeypatch):
    in_float, stream, samples = export_model(tmp_path), tmp_path / "stream.onnx", tones(40)
    model = Recognizer(in_float)
    words = [WORDS[place] for place in model.logits(to_float(samples)).argmax(axis=1)]
    clips = tuple(Clip(f"{place}.wav", word) for place, word in enumerate(words))
    corpus, rows = Corpus(clips, samples, model.audio), np.arange(40)
    folder = tmp_path / "int8"
    folder.mkdir()
    made = folder / "model.onnx"
    made.write_bytes(quantise(in_float.read_bytes(), [{"samples": to_float(samples)}]))
    monkeypatch.setattr(room, "_time_a_hop", lambda *given: (2.0, 1.0))
    assert stream_as_int8(stream, made, corpus, rows, rows, 100) == ""
    assert Stream(made).form == "stateful"
    heard = samples[5:13].ravel()
    expected = score_stream(Windows(model, HOP), heard)
    found = score_stream(Stateful(StreamFile(folder / "stream.onnx", threads=1)), heard)[: len(expected)]
    assert np.abs(found - expected).max() > 0
    assert alike(found, expected) > 0.9
    for times, limit, why in (((1.0, 2.0), 100, "a hop takes 2.00 ms instead of 1.00"), ((2.0, 1.0), -1, "it loses")):
        monkeypatch.setattr(room, "_time_a_hop", lambda *given, times=times: times)
        assert why in stream_as_int8(stream, made, corpus, rows, rows, limit)
        assert Stream(made).form == "windows"
    stream.write_bytes(with_metadata(stream.read_bytes(), {"networks": "[]"}))
    assert "as an earlier Sayso made it" in stream_as_int8(stream, made, corpus, rows, rows, 100)
    stream.unlink()
    assert stream_as_int8(stream, made, corpus, rows, rows, 100) == ""
