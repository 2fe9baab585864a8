"""The sound of a client, whatever its form, is heard as a stream hears it."""

import numpy as np
import pytest

from sayso.audio import quantise
from sayso.errors import AudioError
from sayso.runtime import Recognizer, Stream
from sayso.serve.hearing import Hearing, SoundForm
from sayso.serve.models import share_words
from tone_model_made import make_tone_model, recording

SAID = [("low", 2.0), ("high", 4.0)]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    path = make_tone_model(tmp_path_factory.mktemp("tones") / "model.onnx")
    return share_words([(Recognizer(path), None)], lambda text: None)


def raw(samples, form):
    """Samples as a client sends them: in every channel."""
    bits = 8 * form.width
    whole = np.rint(np.repeat(samples[:, None], form.channels, axis=1) * (2 ** (bits - 1) - 1)).astype("<i8")
    if form.width == 1:
        whole += 128
    return np.ascontiguousarray(whole).view(np.uint8).reshape(-1, 8)[:, : form.width].tobytes()


def heard(models, data, form, *, words=("low", "high"), begin=0):
    hearing = Hearing(models, words, form=form, begin=begin, tell=pytest.fail)
    found = [each for piece in hearing.cut(data) for each in hearing.hear(piece)]
    return [*found, *hearing.finish()]


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_form_of_sound_is_heard(models, rate, width, channels):
    samples = recording(6, SAID, rate=rate)
    form = SoundForm(rate, width, channels)
    stream = Stream(models[0].recognizer, sample_rate=rate)
    expected = [*stream.feed(quantise(samples)), *stream.flush()]
    assert [each.word for each in expected] == ["low", "high"]
    found = heard(models, raw(samples, form), form)
    assert [each.word for each in found] == ["low", "high"]
    assert [each.milliseconds for each in found] == [round(1000 * each.end) for each in expected]
    assert [each.score for each in found] == pytest.approx([each.score for each in expected], abs=0.02)


def test_words_that_are_not_asked_for_are_not_told(models):
    form = SoundForm(16_000, 2, 1)
    data = raw(recording(6, SAID), form)
    assert [each.word for each in heard(models, data, form, words=("high",))] == ["high"]
    assert heard(models, data, form, words=()) == []


def test_times_are_those_of_the_clients_clock(models):
    form = SoundForm(16_000, 2, 1)
    data = raw(recording(6, SAID), form)
    plain = [each.milliseconds for each in heard(models, data, form)]
    assert [each.milliseconds for each in heard(models, data, form, begin=70_000)] == [70_000 + each for each in plain]
    hearing = Hearing(models, ("low", "high"), form=form, begin=0, tell=pytest.fail)
    found = hearing.hear(data[: 3 * 32_000])
    hearing.set_clock(13_000)  # ten seconds were lost on the way
    found += hearing.hear(data[3 * 32_000 :])
    assert [each.milliseconds for each in found] == [plain[0], plain[1] + 10_000]
    assert hearing.count == 2
    assert hearing.seconds == 6


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ((0, 2, 1), "sample_rate is 0"),
        ((16_000, 5, 1), "width is 5"),
        ((16_000, 2, 65), "channels is 65, must be 1 to 64"),
    ],
)
def test_what_is_no_sound_is_refused(form, message):
    with pytest.raises(AudioError, match=message):
        SoundForm(*form)


def test_half_a_sample_is_refused(models):
    hearing = Hearing(models, ("low",), form=SoundForm(16_000, 2, 2), begin=0, tell=pytest.fail)
    with pytest.raises(AudioError, match="1,281 bytes of sound are no whole number of samples of 2 x 2 bytes"):
        list(hearing.cut(bytes(1281)))
