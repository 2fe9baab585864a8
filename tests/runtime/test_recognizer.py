"""Answering from a file: right, without torch, and with one line for every file that is not a model."""

import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from models_made import RATE, loudness_model
from sayso.errors import AudioError, ModelError, SettingsError, SoundWarning
from sayso.runtime import Recognizer


@pytest.fixture
def recognizer(tmp_path):
    return Recognizer(loudness_model(tmp_path / "model.onnx"))


def test_it_names_words_with_probabilities(recognizer):
    answers = recognizer.predict(np.full(RATE, 0.5, np.float32), top=2)
    assert [answer.label for answer in answers] == ["up", "down"]
    assert answers[0].probability == pytest.approx(1 / (1 + np.exp(-1.0)))
    assert sum(answer.probability for answer in answers) == pytest.approx(1)


def test_the_folder_of_a_run_is_its_model_and_a_run_without_says_what_to_do(recognizer, tmp_path):
    assert Recognizer(tmp_path).path == recognizer.path
    recognizer.path.unlink()
    with pytest.raises(ModelError, match=r"model\.onnx: no such model file; train one with `sayso train`"):
        Recognizer(tmp_path)
    (tmp_path / "recipe.yaml").touch()
    with pytest.raises(ModelError, match=r"has no model\.onnx; if its training was stopped, `sayso train --resume"):
        Recognizer(tmp_path)


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


# ---- sound as numbers


def quarter_sine(rate=11_025):
    return 0.25 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate) + 0.1


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", ">f4", ">f8", "list of floats", "tuple of floats"])
@pytest.mark.parametrize("rate", [RATE, 11_025])
def test_floats_of_any_width_are_one_sound(kind, rate, recognizer):
    wave = quarter_sine(rate)
    sound = {"list of floats": wave.tolist(), "tuple of floats": tuple(wave)}.get(kind)
    sound = wave.astype(kind) if sound is None else sound
    answer, wanted = (recognizer.predict(each, sample_rate=rate)[0] for each in (sound, wave.astype(np.float32)))
    assert answer.label == wanted.label == "up"
    assert answer.probability == pytest.approx(wanted.probability, abs=1e-5)
    assert wanted.probability == pytest.approx(1 / (1 + np.exp(-0.2)), abs=1e-3)


@pytest.mark.parametrize("kind", ["<i2", ">i2", "list of int16", "list of whole numbers"])
@pytest.mark.parametrize("rate", [RATE, 11_025])
def test_int16_of_any_byte_order_is_one_sound(kind, rate, recognizer):
    samples = np.rint(32768 * quarter_sine(rate)).astype(np.int16)
    sound = {"list of int16": list(samples), "list of whole numbers": samples.tolist()}.get(kind)
    sound = samples.astype(kind) if sound is None else sound
    assert recognizer.predict(sound, sample_rate=rate) == recognizer.predict(samples, sample_rate=rate)
    assert recognizer.predict(sound, sample_rate=rate)[0].probability == pytest.approx(1 / (1 + np.exp(-0.2)), abs=1e-3)


@pytest.mark.parametrize(
    ("sound", "says"),
    [
        (np.zeros(100, np.uint8), "samples are uint8, must be float in [-1, 1] or int16"),
        (np.zeros(100, np.int32), "samples are int32"),
        (np.zeros(100, np.int64), "samples are int64"),
        (np.zeros(100, np.uint16), "samples are uint16"),
        (np.zeros(100, bool), "samples are bool"),
        (np.zeros(100, complex), "samples are complex128"),
        (np.array(["a"]), "samples are str"),
        (np.array([0.1, None]), "samples are object"),
        (["a", "b"], "samples are str"),
        ([0.1, [0.2]], "samples are a list that is no array of numbers"),
        ([0, 40_000], "samples are whole numbers from 0 to 40,000"),
        ([], "samples have shape (0,)"),
        (np.zeros((2, 100), np.float32), "samples have shape (2, 100)"),
        (np.zeros((100, 1), np.float32), "samples have shape (100, 1)"),
        (np.float32(0.5), "samples have shape ()"),
        (b"RIFF", "samples are a bytes"),
        (None, "samples are a NoneType"),
        (7, "samples are a int"),
        ({"samples": [0.1]}, "samples are a dict"),
    ],
)
def test_what_is_no_sound_is_named(sound, says, recognizer):
    with pytest.raises(AudioError) as caught:
        recognizer.predict(sound)
    assert str(caught.value).startswith(says)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("rate", [0, -8000, np.nan, np.inf, "16000", True, [8000], 1e9, np.int16(3)])
def test_rates_that_are_none(rate, recognizer):
    with pytest.raises(AudioError, match=r"sample_rate is .*, must be 1000 to 768000 Hz"):
        recognizer.predict(np.zeros(100, np.float32), sample_rate=rate)


@pytest.mark.parametrize("rate", [11_025, 11_025.0, np.int32(11_025), np.float64(11_025)])
def test_rates_of_any_kind_of_number(rate, recognizer):
    wave = quarter_sine().astype(np.float32)
    assert recognizer.predict(wave, sample_rate=rate) == recognizer.predict(wave, sample_rate=11_025)


@pytest.mark.parametrize("peak", [2.01, 300.0, -12_034.0])
def test_floats_on_another_scale_are_refused_with_their_peak(peak, recognizer):
    wave = quarter_sine()
    wave[7] = peak
    says = rf"samples reach {abs(peak):,.5g}, floats must lie in \[-1, 1\]; divide those of int16 by 32768 first"
    with pytest.raises(AudioError, match=says):
        recognizer.predict(wave, sample_rate=11_025)


def test_what_overshoots_is_clipped_and_said(recognizer):
    wave = np.full(RATE, 0.5, np.float32)
    wave[:3] = 1.9
    with pytest.warns(SoundWarning, match=r"samples: 3 samples lie outside \[-1, 1\] and will be clipped"):
        answer = recognizer.predict(wave)
    assert answer == recognizer.predict(np.clip(wave, -1, 1))


def test_one_path_is_not_many_sounds(recognizer):
    with pytest.raises(AudioError, match="sounds is one path"):
        recognizer.predict_many("a.wav")


def test_of_a_silent_file_it_is_said_that_no_word_can_be_there(recognizer, tmp_path):
    soundfile.write(tmp_path / "still.wav", np.zeros(RATE), RATE)
    with pytest.warns(SoundWarning, match=r"still\.wav: is digital silence"):
        recognizer.predict(tmp_path / "still.wav")


def test_of_a_long_file_it_is_said_how_much_was_heard(recognizer, tmp_path):
    for seconds in (2.0, 2.1):
        soundfile.write(tmp_path / f"{seconds}.wav", np.full(round(seconds * RATE), 0.5), RATE)
    recognizer.predict(tmp_path / "2.0.wav")  # what is told there is an error
    with pytest.warns(SoundWarning, match=r"heard 1 of its 2\.1 s; `sayso spot` finds words in long files"):
        recognizer.predict(tmp_path / "2.1.wav")
