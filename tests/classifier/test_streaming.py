"""The streaming form gives what the whole-clip form gives on each window, whatever the chunks."""

import itertools

import numpy as np
import onnx
import pytest
import torch

from sayso.audio import FULL_SCALE
from sayso.classifier.export import export
from sayso.classifier.module import Classifier
from sayso.classifier.streaming import make_streaming
from sayso.classifier.streaming_export import check_streaming, export_streaming
from sayso.errors import ModelError
from sayso.recipe.recipe import recipe_from_values
from sayso.runtime.stream_file import StreamFile

EMBEDDING = {
    "audio": {"clip_seconds": 1.422},
    "features": {"kind": "speech_embedding"},
    "model": {"kind": "pooled_mlp"},
}
SOUNDS = EMBEDDING | {"features": {"kind": "speech_embedding", "outputs": "sounds"}, "model": {"kind": "tc_resnet"}}
STAGE = EMBEDDING | {"model": {"kind": "bottleneck_cnn"}}
MEL = {"features": {"kind": "mel", "centre": False}}
UNPADDED = MEL | {"model": {"kind": "tc_resnet", "padding": "none", "kernel": 5}}
CASES = [
    (EMBEDDING, 1280),
    (EMBEDDING, 2560),
    (EMBEDDING | {"audio": {"clip_seconds": 1.5}}, 3840),
    (EMBEDDING | {"features": {"kind": "speech_embedding", "outputs": "last_two"}}, 1280),
    (SOUNDS, 1280),
    (SOUNDS | {"model": {"kind": "tc_resnet", "channels": [8, 12, 16], "kernel": 3, "padding": "none"}}, 1280),
    # Of a window that ends between two chunks' frames.
    (SOUNDS | {"audio": {"clip_seconds": 1.5}}, 1280),
    (SOUNDS | {"model": {"kind": "temporal_mlp"}}, 2560),
    (STAGE | {"features": {"kind": "speech_embedding", "outputs": "stage_3"}}, 1280),
    (STAGE | {"features": {"kind": "speech_embedding", "outputs": "stage_2"}}, 2560),
    (STAGE | {"features": {"kind": "speech_embedding", "outputs": "stage_1"}, "audio": {"clip_seconds": 1.0}}, 1280),
    (MEL, 1280),
    (MEL | {"audio": {"clip_seconds": 0.97}}, 800),
    ({"features": {"kind": "mfcc", "centre": False, "top_db": None}}, 1280),
    ({"features": {"kind": "spectrogram", "centre": False, "power": None, "scale": "linear"}}, 1600),
    # Layers over time, carried.
    (UNPADDED, 1280),
    (UNPADDED, 2560),
    (UNPADDED | {"audio": {"clip_seconds": 1.2}}, 1280),
    (UNPADDED | {"audio": {"clip_seconds": 0.97}, "normalise": "all"}, 2560),
    (MEL | {"model": {"kind": "tc_resnet", "padding": "none", "kernel": 3}}, 1280),
    (MEL | {"model": {"kind": "tc_resnet", "padding": "none", "kernel": 1}}, 1280),
    (MEL | {"model": {"kind": "tc_resnet", "padding": "none", "channels": [8, 12, 16]}}, 640),
    (EMBEDDING | {"model": {"kind": "temporal_mlp"}}, 1280),
    (EMBEDDING | {"model": {"kind": "temporal_mlp", "last_channels": 8}}, 1280),
    (EMBEDDING | {"model": {"kind": "temporal_mlp", "convolutions": 3}, "audio": {"clip_seconds": 1.422}}, 2560),
    (MEL | {"model": {"kind": "temporal_mlp", "kernel": 5}}, 1280),
    # A hop that holds no whole strides, and a window that is hardly longer than one.
    (UNPADDED, 640),
    (MEL | {"model": {"kind": "temporal_mlp", "kernel": 40}}, 3200),
]


def untrained(values):
    torch.manual_seed(0)
    recipe = recipe_from_values({"dataset": {"kind": "fsdd"}, **values}, source="test")
    return Classifier(recipe, ["a", "b", "c"]).eval()


def drawn_anew(classifier):
    """Make every number that is carried count: statistics that a training would have measured."""
    for name, values in classifier.named_buffers():
        if "running" in name or name.startswith("normaliser"):
            values.uniform_(0.5, 1.5)


@pytest.mark.parametrize(("values", "hop"), CASES)
def test_each_hop_is_the_answer_on_its_window(values, hop):
    classifier = untrained(values)
    drawn_anew(classifier)
    streaming = make_streaming(classifier, hop)
    length = classifier.audio.clip_samples
    rng = np.random.default_rng(0)
    stream = torch.from_numpy(rng.integers(-9000, 9000, length + 12 * hop).astype(np.float32) / FULL_SCALE)
    heard = torch.cat((torch.zeros(streaming.lead), stream))
    chunks = heard[: len(heard) // hop * hop].reshape(-1, hop)
    state = [torch.zeros(shape) for shape in streaming.state]
    found = []
    with torch.no_grad():
        expected = classifier(stream.unfold(0, length, hop))
        start = 0
        for count in itertools.cycle((1, 3, 2)):
            logits, *state = streaming(chunks[start : start + count], *state)
            found.append(logits)
            start += count
            if start >= len(chunks):
                break
    found = torch.cat(found)[streaming.first :]
    assert len(found) == len(expected) == 13
    limit = 1e-5 * max(1.0, float(expected.abs().max()))
    torch.testing.assert_close(found, expected, atol=limit, rtol=0)


@pytest.mark.parametrize(
    ("values", "hop"),
    [
        ({"features": {"kind": "mel"}}, 1280),
        (MEL, 1000),
        ({"features": {"kind": "mel", "centre": False, "scale": "pcen"}}, 1280),
        ({"features": {"kind": "mel", "centre": False, "scale": "db", "top_db": 60}}, 1280),
        ({"features": {"kind": "mfcc", "centre": False}}, 1280),
        ({"features": {"kind": "mfcc", "centre": False, "top_db": None, "deltas": 1}}, 1280),
        ({"features": {"kind": "scattering"}}, 1280),
        ({"level": "peak"} | MEL, 1280),
        (EMBEDDING, 1600),
        (EMBEDDING | {"features": {"kind": "speech_embedding", "floor": "clip_maximum"}}, 1280),
        (EMBEDDING | {"features": {"kind": "speech_embedding", "stride": 4}}, 1280),
    ],
)
def test_what_looks_at_the_whole_clip_has_no_such_form(values, hop):
    assert make_streaming(untrained(values), hop) is None


def test_a_graph_serves_again_with_other_weights(tmp_path, monkeypatch):
    clips = np.random.default_rng(0).integers(-9000, 9000, (3, 22_752)).astype(np.int16)
    # Its layers have two names in the form for streams.
    first, second = untrained(EMBEDDING), untrained(EMBEDDING)
    second.temperature = 2.0
    with torch.no_grad():
        for values in second.parameters():
            values.mul_(1.01)
    for name, classifier in (("first", first), ("second", second)):
        (tmp_path / name).mkdir()
        if name == "second":
            # Tracing would take seconds.
            monkeypatch.setattr("sayso.classifier.graph._traces", {})
            monkeypatch.setenv("SAYSO_GRAPHS", str(tmp_path / "graphs"))
            monkeypatch.setattr("sayso.classifier.graph._trace", None)
        like = [tmp_path / "first" / file for file in ("model.onnx", "stream.onnx")] if name == "second" else [None] * 2
        export(classifier, tmp_path / name / "model.onnx", clips, like=like[0])
        # It checks itself against the model beside it.
        export_streaming(classifier, tmp_path / name / "model.onnx", clips, like=like[1])
    assert (tmp_path / "first" / "stream.onnx").read_bytes() != (tmp_path / "second" / "stream.onnx").read_bytes()


def test_a_form_that_answers_otherwise_is_not_left(tmp_path):
    clips = np.random.default_rng(0).integers(-9000, 9000, (3, 16_000)).astype(np.int16)
    classifier = untrained(MEL)
    export(classifier, tmp_path / "model.onnx", clips)
    model = onnx.load(tmp_path / "model.onnx")
    bias = next(entry for entry in model.graph.initializer if entry.name == "network.last.bias")
    bias.CopyFrom(onnx.numpy_helper.from_array(np.ones(3, np.float32), bias.name))
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(ModelError, match="differ from those on its windows"):
        export_streaming(classifier, tmp_path / "model.onnx", clips)
    assert not (tmp_path / "stream.onnx").exists()


@pytest.mark.parametrize(
    ("values", "hop", "form"),
    [
        (UNPADDED, 1280, "layers over time carried"),
        (EMBEDDING | {"model": {"kind": "temporal_mlp"}}, 1280, "layers over time carried"),
        (MEL, 1280, "the network on a ring"),
        (UNPADDED, 640, "the network on a ring"),
    ],
)
def test_layers_over_time_are_carried_where_a_hop_holds_their_strides(values, hop, form):
    assert form in make_streaming(untrained(values), hop).form


def test_an_answer_waits_for_nothing_that_its_window_does_not_hold():
    classifier = untrained(UNPADDED)
    for hop in (1280, 2560):
        streaming = make_streaming(classifier, hop)
        # The last chunk that a window needs ends where the window ends, or earlier.
        assert (streaming.first + 1) * hop - streaming.lead <= classifier.audio.clip_samples


def test_the_file_of_carried_layers_answers_as_its_model(tmp_path):
    clips = np.random.default_rng(0).integers(-9000, 9000, (3, 16_000)).astype(np.int16)
    classifier = untrained(UNPADDED)
    drawn_anew(classifier)
    export(classifier, tmp_path / "model.onnx", clips)
    path = export_streaming(classifier, tmp_path / "model.onnx", clips)
    assert check_streaming(path, tmp_path / "model.onnx", clips) < 1e-5
    file = StreamFile(path, threads=1)
    assert "layers over time carried" in file.form
    # What each convolution still needs, instead of a window's features.
    assert sum(part.size for part in file.empty) < 98 * 40
    again = export_streaming(classifier, tmp_path / "model.onnx", clips, like=path)
    assert again == path
