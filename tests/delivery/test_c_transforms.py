"""Transforms of real exports, read again for C: where frames fold, at odd sizes, and where no energies are taken."""

import numpy as np
import pytest

from c_made import make_stream_model, needs_compiler
from sayso.classifier.export import export
from sayso.classifier.module import Classifier
from sayso.classifier.streaming_export import export_streaming
from sayso.delivery.c import export_c
from sayso.recipe.recipe import recipe_from_values

BANDS = {"kind": "mel", "n_mels": 8}


def exported(folder, features, model, *, streams=False, rate=8000, seconds=0.4):
    audio = {"sample_rate": rate, "clip_seconds": seconds}
    values = {"dataset": {"kind": "fsdd"}, "audio": audio, "features": features, "model": model}
    classifier = Classifier(recipe_from_values(values, source="test"), ["up", "down"]).eval()
    classifier.features.fill()
    shape = (3, classifier.audio.clip_samples)
    clips = np.random.default_rng(0).integers(-3000, 3000, shape).astype(np.int16)
    export(classifier, folder / "model.onnx", clips)
    if streams:
        export_streaming(classifier, folder / "model.onnx", clips)
    return folder / "model.onnx"


@needs_compiler
@pytest.mark.parametrize(
    ("features", "is_transform"),
    [
        (BANDS, True),
        (BANDS | {"hop_seconds": 81 / 8000}, True),
        (BANDS | {"window_seconds": 201 / 8000, "centre": False}, True),
        ({"kind": "spectrogram", "centre": False}, True),
        ({"kind": "spectrogram", "centre": False, "power": None, "scale": "linear"}, False),
    ],
)
def test_energies_alone_become_a_fast_transform(tmp_path, features, is_transform):
    done = export_c(exported(tmp_path, features, {"kind": "pooled_mlp"}), tmp_path / "c")
    assert (done.program.front_end is not None) == is_transform
    assert done.measured.max_abs_difference < 1e-5


@needs_compiler
def test_convolutions_of_streams_become_int8(tmp_path):
    network = {"kind": "temporal_mlp", "channels": 64, "convolutions": 2, "kernel": 5, "hidden": 16}
    model = exported(tmp_path, BANDS | {"centre": False}, network, streams=True)
    sizes = [export_c(model, tmp_path / weights, weights=weights).measured.flash_bytes for weights in ("float", "int8")]
    own = 64 * 5 * (8 + 64)  # numbers of the convolutions, each a byte instead of four
    assert sizes[0] - sizes[1] > 3 * own


@needs_compiler
def test_the_pretrained_networks_first_stage_carries_on_in_c(tmp_path):
    features = {"kind": "speech_embedding", "outputs": "stage_1", "trainable": "all"}
    model = exported(tmp_path, features, {"kind": "bottleneck_cnn"}, streams=True, rate=16_000, seconds=0.9)
    done = export_c(model, tmp_path / "c")
    assert done.graph == "stream.onnx"
    assert done.program.front_end is not None
    assert done.measured.max_abs_difference < 1e-4


@needs_compiler
def test_samples_made_louder_before_their_transform_are_heard_so(tmp_path):
    path = make_stream_model(tmp_path / "model", is_carried=False, gain=3.0)
    done = export_c(path, tmp_path / "c")
    assert done.program.front_end is not None
    assert done.measured.max_abs_difference < 1e-5
