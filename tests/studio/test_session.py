"""`sayso record`: the studio's recorder in a terminal, by a stand-in for PortAudio."""

import builtins
import unicodedata

import numpy as np
import pytest

from conftest import one_line
from microphones_made import FakePortAudio, microphone
from sayso.audio import decode
from sayso.studio.recordings import Recordings
from sayso.studio.session import choose_words

RATE = 16_000


def said(hertz, seconds=3.0):
    """A word amid silence, in blocks as a microphone gives them."""
    time = np.arange(round(seconds * RATE)) / RATE
    tone = 0.3 * np.sin(2 * np.pi * hertz * time) * np.exp(-(((time - 0.9) / 0.15) ** 2))
    return [block[:, None] for block in np.array_split(tone.astype(np.float32), 150)]


@pytest.fixture
def fake(monkeypatch):
    return FakePortAudio(microphone("desk", rate=RATE)).install(monkeypatch)


@pytest.fixture
def record(program, monkeypatch, tmp_path, fake):
    """Run `sayso record` where a person types these lines and says words of these pitches."""

    def run(*arguments, typed, pitches=()):
        lines, asked = iter(typed), []
        fake.says = [[], *(said(each) if each else [np.zeros((4000, 1))] * 20 for each in pitches)]

        def answer(prompt):
            asked.append(prompt)
            try:
                return next(lines)
            except StopIteration:
                raise EOFError from None

        monkeypatch.setattr(builtins, "input", answer)
        code, out, err = program("record", *arguments, "--folder", tmp_path / "clips")
        return code, out, err, asked

    return run


def test_a_word_in_pieces_of_unicode_is_the_word(tmp_path):
    recordings = Recordings(tmp_path / "clips")
    pieces = unicodedata.normalize("NFD", "café")
    for _ in range(2):
        assert [word.word for word in choose_words(recordings, [pieces, "no"])] == ["café", "no"]


def takes(tmp_path):
    return [(take.label, take.speaker) for take in Recordings(tmp_path / "clips").takes()]


def test_words_are_asked_in_turn_and_land_as_files(record, tmp_path):
    code, out, _, asked = record(
        "yes", "no", "--speaker", "Ann", "--clips", 2, typed=[""] * 4, pitches=(300, 500, 330, 550)
    )
    assert code == 0
    assert [prompt.split("'")[1] for prompt in asked] == ["yes", "no", "yes", "no"]
    assert "4 clips kept in" in out
    assert takes(tmp_path) == [("no", "Ann")] * 2 + [("yes", "Ann")] * 2
    first = Recordings(tmp_path / "clips").takes()[-1]
    samples, rate = decode(tmp_path / "clips" / first.path)
    assert (rate, len(samples) / rate) == (RATE, pytest.approx(1.68, abs=0.01))
    assert first.take["settings"] == {"label": "desk", "sampleRate": RATE}


def test_a_person_who_comes_back_goes_on(record, tmp_path):
    record("yes", "no", "--speaker", "Ann", "--clips", 2, typed=["", "q"], pitches=(300,))
    _, out, _, asked = record("--clips", 2, typed=["Ann", "", "", ""], pitches=(500, 330, 550))
    assert asked[0] == "who speaks? "
    assert [prompt.split("'")[1] for prompt in asked[1:]] == ["no", "yes", "no"]
    assert "3 clips kept" in out
    assert len(takes(tmp_path)) == 4


def test_the_last_one_again_takes_its_place(record, tmp_path):
    _, out, _, _ = record("yes", "no", "--speaker", "Ann", "--clips", 1, typed=["", "r", ""], pitches=(None, 300, 500))
    assert "Nothing is to be heard in it. Type r to take it again." in out
    assert "2 clips kept" in out
    assert sorted(takes(tmp_path)) == [("no", "Ann"), ("yes", "Ann")]
    assert not any(take.take.get("remarks") for take in Recordings(tmp_path / "clips").takes())


def test_where_folders_are_not_called_as_was_typed_the_manifest_is_trained_from(record, tmp_path):
    _, out, _, _ = record("on/off", "--speaker", "Ann", "--clips", 1, typed=[""], pitches=(300,))
    assert f"sayso train {tmp_path / 'clips' / 'clips.jsonl'} learns" in out.replace("\n", " ")
    assert takes(tmp_path) == [("on/off", "Ann")]


def test_the_end_of_what_is_typed_ends_it(record, tmp_path):
    code, out, _, _ = record("yes", "--speaker", "Ann", typed=[])
    assert (code, "0 clips kept" in out) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--speaker", "Ann"), "has no words yet; name some"),
        (("yes", " "), "a word is empty"),
        (("yes", "--speaker", ""), "a speaker is empty"),
        (("yes", "--speaker", "Ann", "--device", "moon"), "no microphone is called 'moon'"),
    ],
)
def test_what_does_not_fit_is_one_line(record, arguments, told):
    code, _, err, _ = record(*arguments, typed=[])
    assert code == 2
    assert told in one_line(err)


def test_without_a_microphone_nobody_is_asked_anything(record, fake, tmp_path):
    fake.devices = []
    fake._initialize()
    code, _, err, asked = record("yes", typed=[])
    assert (code, asked) == (2, [])
    assert "there is no microphone; plug one in, or put recordings into" in one_line(err)
