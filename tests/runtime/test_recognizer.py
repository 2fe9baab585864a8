"""Answering from a file: right, without torch, and with one line for every file that is not a model."""

import json
import subprocess
import sys

import numpy as np
import onnx
import pytest
import soundfile
from onnx import TensorProto, helper

from sayso.audio import RESAMPLER
from sayso.errors import AudioError, ModelError, SettingsError
from sayso.runtime import FORMAT_VERSION, Recognizer

RATE = 8000


def loudness_model(path, **changes):
    """A model made by hand: logits are the mean of the clip, and its negative."""
    samples = helper.make_tensor_value_info("samples", TensorProto.FLOAT, ["batch", RATE])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2])
    weights = np.stack((np.ones(RATE), -np.ones(RATE)), axis=1).astype(np.float32) / RATE
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["samples", "weights"], ["logits"])],
        "hand",
        [samples],
        [logits],
        [helper.make_tensor("weights", TensorProto.FLOAT, weights.shape, weights.tobytes(), raw=True)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    metadata = {
        "format_version": str(FORMAT_VERSION),
        "labels": json.dumps(["up", "down"]),
        "audio": json.dumps({"sample_rate": RATE, "clip_seconds": 1.0, "fit": "centre"}),
        "resampler": RESAMPLER,
        "recipe": "dataset: {kind: fsdd}",
    } | changes
    helper.set_model_props(model, {key: value for key, value in metadata.items() if value is not None})
    onnx.save(model, path)
    return path


@pytest.fixture
def recognizer(tmp_path):
    return Recognizer(loudness_model(tmp_path / "model.onnx"))


def test_it_names_words_with_probabilities(recognizer):
    answers = recognizer.predict(np.full(RATE, 0.5, np.float32), top=2)
    assert [answer.label for answer in answers] == ["up", "down"]
    assert answers[0].probability == pytest.approx(1 / (1 + np.exp(-1.0)))
    assert sum(answer.probability for answer in answers) == pytest.approx(1)


def test_files_and_samples_give_the_same_answer(recognizer, tmp_path):
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, 22_050).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", samples, 22_050, subtype="FLOAT")
    assert recognizer.predict(tmp_path / "a.wav") == recognizer.predict(samples, sample_rate=22_050)


def test_many_are_as_one_by_one(recognizer):
    rng = np.random.default_rng(0)
    sounds = [rng.uniform(-1, 1, rng.integers(100, 20_000)).astype(np.float32) for _ in range(130)]
    together = recognizer.predict_many(sounds)
    assert len(together) == 130
    for index in (0, 63, 64, 129):
        alone = recognizer.predict(sounds[index])
        assert alone[0].label == together[index][0].label
        assert alone[0].probability == pytest.approx(together[index][0].probability, rel=1e-5)


def test_no_sounds_no_answers(recognizer):
    assert recognizer.predict_many([]) == []


@pytest.mark.parametrize("top", [0, -1])
def test_no_words_cannot_be_asked_for(top, recognizer):
    for sounds in ([np.zeros(RATE, np.float32)], []):
        with pytest.raises(SettingsError, match=f"top: is {top}, must be 1 or more"):
            recognizer.predict_many(sounds, top=top)


def test_a_file_that_is_no_sound(recognizer, tmp_path):
    (tmp_path / "a.wav").write_text("hello")
    with pytest.raises(AudioError, match=r"a\.wav"):
        recognizer.predict(tmp_path / "a.wav")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format_version": "99"}, "format_version 99, this Sayso reads"),
        ({"format_version": None}, "not one that Sayso exported"),
        ({"temperature": "hot"}, "damaged"),
        ({"labels": "["}, "damaged"),
        ({"labels": None}, "damaged"),
        ({"audio": "{}x"}, "damaged"),
        ({"audio": json.dumps({"sample_rate": -1})}, "damaged"),
        ({"resampler": "other"}, "resampler 'other'"),
    ],
)
def test_models_that_are_not_for_us(changes, says, tmp_path):
    with pytest.raises(ModelError, match=says):
        Recognizer(loudness_model(tmp_path / "model.onnx", **changes))


def test_files_that_are_no_models(tmp_path):
    (tmp_path / "a.onnx").write_text("hello")
    for name, says in (("a.onnx", "not a model"), ("b.onnx", "no such model")):
        with pytest.raises(ModelError, match=says):
            Recognizer(tmp_path / name)


def test_answering_needs_neither_torch_nor_matplotlib_nor_recipes(tmp_path):
    model = loudness_model(tmp_path / "model.onnx")
    soundfile.write(tmp_path / "a.wav", np.zeros(RATE, np.float32), RATE)
    script = (
        "import sys\n"
        "from sayso.runtime import Recognizer\n"
        f"print(Recognizer({str(model)!r}).predict({str(tmp_path / 'a.wav')!r})[0].label)\n"
        "outside = {'torch', 'matplotlib', 'scipy', 'yaml', 'lightning', 'sayso.recipe.recipe'} & set(sys.modules)\n"
        "assert not outside, outside\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "up"


@pytest.mark.parametrize(
    ("samples", "rate", "says"),
    [
        (np.full(100, np.nan, np.float32), None, "NaN"),
        (np.zeros(0, np.float32), None, "at least one"),
        (np.zeros(100, np.float32), 0, "sample_rate is 0"),
    ],
)
def test_samples_that_cannot_be_answered_on(samples, rate, says, recognizer):
    with pytest.raises(AudioError, match=says):
        recognizer.predict(samples, sample_rate=rate)


def test_int16_samples_are_the_same_sound(recognizer):
    samples = np.random.default_rng(0).integers(-9000, 9000, RATE).astype(np.int16)
    assert recognizer.predict(samples) == recognizer.predict(samples.astype(np.float32) / 32768)
