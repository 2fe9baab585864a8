"""Every network and representation as C, ten minutes of a stream, and a second opinion: slow."""

import subprocess

import numpy as np
import pytest
import torch

from c_made import HOP as MADE_HOP
from c_made import expected_logits, make_sound, make_stream_model, needs_compiler, run_program
from sayso.classifier.export import export
from sayso.classifier.module import Classifier
from sayso.classifier.streaming_export import export_streaming
from sayso.delivery.c import WORKING, export_c
from sayso.delivery.c.other import write_other_program
from sayso.errors import ModelError
from sayso.features import FEATURES
from sayso.models import MODELS
from sayso.recipe.recipe import recipe_from_values
from sayso.runtime.stream import Stream
from streams_made import HOP, LENGTH, RATE, sound

pytestmark = [pytest.mark.slow, needs_compiler]
SMALL = {"kind": "tc_resnet", "channels": [8, 10, 14, 20], "width": 1.0, "kernel": 5, "padding": "none"}
SETTINGS = {
    "luz_convnet": {"features": {"kind": "spectrogram"}},
    "dft": {"model": {"kind": "logistic"}},
    "waveform": {"model": {"kind": "logistic"}},
}


def make_model(folder, values):
    """Write the files of a network of random weights, whose logits move by about two."""
    torch.manual_seed(0)
    folder.mkdir()
    words = ("up", "down", "left")
    classifier = Classifier(recipe_from_values({"dataset": {"kind": "fsdd"}, **values}, source="test"), words).eval()
    classifier.features.fill()
    with torch.no_grad():
        heard = torch.from_numpy(np.lib.stride_tricks.sliding_window_view(sound(4), LENGTH)[::HOP].copy())
        classifier.normaliser.measure([classifier.features(heard)])
        classifier.temperature = float(classifier(heard).std(0).max() / 2)
        if isinstance(last := getattr(classifier.network, "last", None), torch.nn.Linear):
            last.bias -= classifier(heard).mean(0) * classifier.temperature
    clips = np.random.default_rng(0).integers(-9000, 9000, (3, LENGTH)).astype(np.int16)
    export(classifier, folder / "model.onnx", clips)
    export_streaming(classifier, folder / "model.onnx", clips)
    return classifier


def is_told(kind):
    return any(kind in parts.replace(",", "").split() for parts in WORKING)


@pytest.mark.parametrize("kind", MODELS.names())
def test_every_network_is_written_or_told_to_have_no_form(tmp_path, kind):
    values = {"features": {"kind": "mel", "centre": False}, "model": {"kind": kind}} | SETTINGS.get(kind, {})
    make_model(tmp_path / "model", values)
    if is_told(kind):
        assert export_c(tmp_path / "model", tmp_path / "c").measured.max_abs_difference <= 1e-4
    else:
        with pytest.raises(ModelError, match="has no form in C"):
            export_c(tmp_path / "model", tmp_path / "c")


@pytest.mark.parametrize("kind", FEATURES.names())
def test_every_representation_is_written_or_told_to_have_no_form(tmp_path, kind, monkeypatch):
    monkeypatch.setattr("sayso.delivery.c.other.is_here", lambda: False)
    make_model(
        tmp_path / "model", {"features": {"kind": kind}, "model": {"kind": "pooled_mlp"}} | SETTINGS.get(kind, {})
    )
    if is_told(kind):
        assert export_c(tmp_path / "model", tmp_path / "c").measured.max_abs_difference <= 1e-4
    else:
        with pytest.raises(ModelError, match="has no form in C"):
            export_c(tmp_path / "model", tmp_path / "c")


@pytest.mark.parametrize(
    ("model", "parameters", "limits"),
    [
        (SMALL, 10_000, {"float": (120_000, 32_000), "int8": (120_000, 32_000)}),
        ({"kind": "tc_resnet", "width": 1.0}, 100_000, {"float": (500_000, 64_000), "int8": (200_000, 64_000)}),
    ],
    ids=["small", "wide"],
)
def test_ten_minutes_of_a_stream_are_answered_alike_within_what_a_board_has(tmp_path, model, parameters, limits):
    stream = {"threshold": 0.6, "smoothing": 2, "refractory_seconds": 0.3}
    classifier = make_model(
        tmp_path / "model", {"features": {"kind": "mel", "centre": False}, "model": model, "stream": stream}
    )
    assert classifier.parameters_count < parameters
    parts = [sound(60, seed=seed) * 10 ** (seed % 4 / -4) for seed in range(10)]
    samples = np.round(np.clip(np.concatenate(parts), -1, 1) * 32767).astype(np.int16)
    assert len(samples) == 600 * RATE
    listener = Stream(tmp_path / "model")
    judged = listener.judge(samples)
    expected = [(each.detection.end, each.detection.word) for each in judged if each.detection]
    assert len(expected) >= 20
    for weights, (flash, memory) in limits.items():
        done = export_c(tmp_path / "model", tmp_path / weights, weights=weights)
        assert done.measured.flash_bytes <= flash
        assert done.measured.static_bytes + done.measured.stack_bytes <= memory
        hops, words = run_program(done.folder, samples)
        exact = expected_logits(tmp_path / "model" / "model.onnx", samples, HOP)
        assert np.abs(hops - exact).max() <= (1e-4 if weights == "float" else 0.05)
        if weights == "float":
            assert words == [(round(end, 3), word) for end, word in expected]


def test_another_compiler_gives_the_same_numbers(tmp_path):
    model = make_stream_model(tmp_path / "model", is_carried=False)
    done = export_c(model, tmp_path / "c")
    samples = make_sound(4)
    own, _ = run_program(done.folder, samples)
    second = write_other_program(model.read_bytes(), 1600)
    (done.folder / "sayso_model.c").write_text(second.text)
    subprocess.run(["make", "--silent", "clean"], cwd=done.folder, check=True)
    others, _ = run_program(done.folder, samples, flags="-Os")
    assert len(own) == (len(samples) - 1600) // MADE_HOP + 1
    assert np.abs(own - others).max() <= 1e-5
