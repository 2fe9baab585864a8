"""What words sound like, which sound alike, and the common words that are none of the wanted ones."""

import ctypes
import importlib.util
import platform
import re
from pathlib import Path

import numpy as np
import pytest

from sayso.data.datasets.other_words import OtherWordsConfig
from sayso.data.voices.espeak import Espeak
from sayso.data.voices.pronunciation import distance, find_alike, find_unsayable, pronounce
from sayso.data.voices.vocabulary import common_words, language_with_words, other_words
from sayso.errors import SettingsError
from sayso.system.progress import Progress

pytestmark = pytest.mark.skipif(importlib.util.find_spec("espeakng_loader") is None, reason="needs the extra `voices`")
WANTED = ("stop", "go", "left")


def test_pronunciations_have_neither_stress_nor_length_nor_spaces() -> None:
    assert pronounce(["two", "too", "lights on"], "en-us")[:2] == ["tu", "tu"]
    assert not set(pronounce(["lights on now"], "en-us")[0]) & set("ˈˌː ")


@pytest.mark.parametrize(
    ("text", "language", "why"),
    [
        ("...", "en-us", "gives no sound"),
        ("日本", "en-us", "is spelt out"),
        ("да", "en-us", "is spelt out"),
        ("lights on", "de", r"another language \(en\)"),
    ],
)
def test_texts_that_cannot_be_said(text: str, language: str, why: str) -> None:
    ((found, said),) = find_unsayable(["ja", text], language)
    assert found == text
    assert re.search(why, said)


def test_texts_that_can_be_said() -> None:
    assert not list(find_unsayable(["lights on", "don't", "TV", "naïve", "3"], "en-gb"))
    assert not list(find_unsayable(["Straße", "für"], "de"))


def test_words_that_sound_alike_do_so_in_every_accent() -> None:
    texts = {word: word for word in ("two", "too", "right", "write", "one", "won")}
    assert {pair[:2] for pair in find_alike(texts, ("en-us", "en-gb"))} == {("two", "too"), ("right", "write")}
    assert ("one", "won") in {pair[:2] for pair in find_alike(texts, ("en-us",))}


def test_a_language_that_is_not_there() -> None:
    with pytest.raises(SettingsError, match="no language 'en-uss'; did you mean 'en-us'"):
        pronounce(["two"], "en-uss")


@pytest.mark.parametrize(
    ("first", "second", "apart"), [("", "", 0), ("abc", "abx", 1), ("ab", "ba", 2), ("", "abc", 3)]
)
def test_distance(first: str, second: str, apart: int) -> None:
    assert distance(first, second) == distance(second, first) == apart


def test_other_words_leave_out_what_sounds_the_same_and_say_how_near_the_rest_is() -> None:
    words = other_words(("right", "go", "left"), language="en-us", without=["apple"])
    assert len(words) > 1000
    assert not {"write", "apple"} & {*words}
    assert words["goal"] == words["light"] == words["lift"] == 1
    assert words["yellow"] > 2
    assert {"apple", "write"} <= {*common_words("en")}


def test_some_clips_are_of_near_words(tmp_path: Path) -> None:
    near = {word for word, sounds in other_words(WANTED, language="en-us").items() if sounds <= 2}
    drawn = OtherWordsConfig(wanted=WANTED, near_share=0.5, clips=400)._spoken(np.random.default_rng(0))
    assert len(drawn) == 400
    assert sum(word in near for word in drawn) == 200
    assert not set(OtherWordsConfig(wanted=WANTED, near_share=0)._spoken(np.random.default_rng(0))) & near


@pytest.mark.parametrize("language", ["en", "de"])
def test_word_lists_are_sorted_and_hold_no_word_twice(language: str) -> None:
    words = common_words(language)
    assert list(words) == sorted(set(words))
    assert len(words) > 500
    assert not list(find_unsayable(words, language))[30:]  # of German words some are English too


def test_other_languages_take_english_words() -> None:
    assert [language_with_words(language) for language in ("de", "en-029", "fi")] == ["de", "en", "en"]


def test_other_words_are_spoken_once_and_the_same_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    dataset = OtherWordsConfig(wanted=WANTED, clips=30, voices=5)
    assert dataset.location() is None
    first = dataset.listing(Progress()).clips
    assert 25 <= len(first) <= 30  # a voice may swallow a word
    assert len({clip.speaker for clip in first}) == 5
    sounds = [Path(clip.path).read_bytes() for clip in first]
    monkeypatch.setenv("SAYSO_CACHE", str(tmp_path))
    assert [Path(clip.path).read_bytes() for clip in dataset.listing(Progress()).clips] == sounds


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries keep one row of random numbers")
def test_what_others_draw_in_the_process_changes_no_breathy_voice_nor_does_speaking_theirs() -> None:
    library = ctypes.CDLL(None)

    def drawn_and_spoken(each: int) -> tuple[list[int], list[bytes]]:
        library.srand(7)
        engine, numbers, sounds = Espeak(), list[int](), list[bytes]()
        for variant in ("Reed", "caleb"):
            numbers += [library.rand() for _ in range(each)]
            engine.choose("en-us", variant)
            sounds.append(engine.say("right now", rate=160, pitch=50, intonation=50).tobytes())
        return numbers, sounds

    library.srand(7)
    theirs = [library.rand() for _ in range(6)]
    assert drawn_and_spoken(each=3) == (theirs, drawn_and_spoken(each=0)[1])


def test_names_of_folders_in_odd_bytes_are_spelt() -> None:
    engine = Espeak()
    engine.choose("en-us", "")
    assert engine.spell("yes\udcfe").startswith(engine.spell("yes"))
    assert len(engine.say("yes\udcfe", rate=160, pitch=50, intonation=50))
