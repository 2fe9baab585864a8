"""Which model answers for which word, and that streams share what is open."""

import pytest

from sayso.errors import SettingsError
from sayso.runtime import Recognizer, StreamSettings
from sayso.serve.models import share_words
from streams_made import export_model, sound
from tone_model_made import make_tone_model


def test_a_word_of_two_models_is_told_and_the_first_answers_for_it(tmp_path):
    for name, words in (("a", ("up", "low")), ("b", ("low", "up"))):
        (tmp_path / name).mkdir()
        export_model(tmp_path / name, words)
    one, other, tones = tmp_path / "a" / "model.onnx", tmp_path / "b" / "model.onnx", tmp_path / "model.onnx"
    make_tone_model(tones)
    told = []
    served = share_words([(Recognizer(one), None), (Recognizer(tones), None)], told.append)
    assert [model.words for model in served] == [("up", "low"), ("high",)]
    assert told[0] == f"'low' is a word of {one} and of {tones}; the first answers for it"
    assert told[1].startswith(f"{tones}: listening by whole windows")
    assert served[0].version != served[1].version
    with pytest.raises(SettingsError, match=r"b/model.onnx has no word that an earlier model has not \(low, up\)"):
        share_words([(Recognizer(one), None), (Recognizer(other), None)], told.append)
    (alone,) = share_words([(Recognizer(one), None), (Recognizer(other), None)], told.append, leave_out=True)
    assert alone.recognizer.path == one
    assert told[-1].endswith(
        "b/model.onnx has no word that an earlier model has not (low, up): it answers by --http alone"
    )


def test_streams_of_one_model_share_what_is_open_and_nothing_of_what_they_hear(tmp_path):
    export_model(tmp_path)
    (model,) = share_words([(Recognizer(tmp_path / "model.onnx"), StreamSettings(threshold=0.45))], print)
    first, other = model.listen(), model.listen()
    assert first.form == "stateful"
    assert first._hops.scorer._file is other._hops.scorer._file
    # Turn by turn, each with a sound of its own.
    loud, faint = sound(3), 0.3 * sound(3, seed=1)
    for place in range(0, 48_000, 4000):
        first.feed(loud[place : place + 4000])
        other.feed(faint[place : place + 4000])
    for stream, heard in ((first, loud), (other, faint)):
        alone = model.listen()
        alone.feed(heard)
        assert stream.scores.tolist() == pytest.approx(alone.scores.tolist(), abs=1e-5)
    assert first.scores.tolist() != pytest.approx(other.scores.tolist(), abs=1e-3)
