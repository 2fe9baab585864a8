"""Words without recordings: read as they are typed, refused in one line, and made into a recipe."""

import importlib.util

import pytest

from conftest import write_tones
from sayso.data.voices.espeak import ACCENTS
from sayso.errors import SettingsError
from sayso.recipe.defaults import Wishes, suggest_for_words, suggest_recipe
from sayso.recipe.recipe import recipe_from_text, recipe_yaml
from sayso.recipe.source import find_recipe
from sayso.recipe.words import parse_words, read_words_file
from sayso.system.progress import Progress

pytestmark = pytest.mark.skipif(importlib.util.find_spec("espeakng_loader") is None, reason="needs the extra `voices`")


def test_words_are_read_as_they_are_typed():
    words = parse_words("lights on, lights off ,stop,", language="en")
    assert words.texts == {"lights on": "lights on", "lights off": "lights off", "stop": "stop"}
    assert words.languages == ACCENTS
    assert parse_words("0=zero,1 = one", language="en-gb").texts == {"0": "zero", "1": "one"}
    assert parse_words("ja,nein", language="de").languages == ("de",)


def test_a_file_has_a_word_a_line(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("# of the kitchen\nfirst=turn on, please\n\nsum=one = one\nstop\n", encoding="utf-8")
    assert read_words_file(path).texts == {"first": "turn on, please", "sum": "one = one", "stop": "stop"}


@pytest.mark.parametrize(
    ("text", "language", "says"),
    [
        ("", "en", "0 given, a recogniser needs at least two"),
        ("stop", "en", "1 given, a recogniser needs at least two"),
        (",".join(f"word{number}" for number in range(10_000)), "en", "10000 given, at most 500"),
        ("stop,go,stop", "en", "'stop' stands there 2 times"),
        ("stop,go=", "en", "'go=' is no label=text"),
        ("a=b=c,stop", "en", "'a=b=c' has more than one =; a text with such goes into a file, for --words-file"),
        ("stop,go", "", "--language: is empty, must name at least one"),
        ("stop,go", " , ", "--language: is empty, must name at least one"),
        ("two,too,go", "en", r"'two' and 'too' sound alike \(tu\)"),
        ("stop,go=...", "en", "'go' cannot be said: it gives no sound in en-us"),
        ("stop,日本", "en", "'日本' cannot be said: it is spelt out sign by sign"),
        ("halt,lights on", "de", r"'lights on' cannot be said: it is said in another language \(en\) in de"),
        ("stop,go", "xx", "no language 'xx'"),
        ("stop,a/b", "en", "'a/b' cannot name a folder"),
        ("stop,_None_of_these_", "en", "'_None_of_these_' cannot be a word: folders of that name hold other sounds"),
    ],
)
def test_words_that_cannot_be_used_are_one_line(text, language, says):
    with pytest.raises(SettingsError, match=says):
        parse_words(text, language=language)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read(tmp_path, content):
    path = tmp_path / "words.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"no such file|cannot be read as a text file"):
        read_words_file(path)


def test_a_file_of_words_that_cannot_be_used_is_named_with_its_option(tmp_path):
    path = tmp_path / "words.txt"
    for content, says in (("", "0 given"), ("stop\n" * 2, "'stop' stands there 2 times"), ("stop\ngo=\n", "'go=' is")):
        path.write_text(content)
        with pytest.raises(SettingsError, match=rf"^{path}: --words-file: {says}"):
            read_words_file(path)


def test_near_words_are_said():
    assert [*parse_words("go,no,stop").find_near()] == ["'go' and 'no' (ɡoʊ, noʊ)"]


@pytest.fixture
def few_voices(monkeypatch):
    monkeypatch.setattr("sayso.recipe.defaults._FEWEST_VOICES", 3)
    monkeypatch.setattr("sayso.recipe.defaults._MOST_VOICES", 3)


def test_the_recipe_of_words_is_whole_and_can_be_edited(few_voices):
    recipe = suggest_for_words(parse_words("yes,no"), ["training.epochs=7"], progress=Progress())
    assert (recipe.dataset.kind, recipe.features.kind, recipe.training.epochs) == ("synthetic", "speech_embedding", 7)
    assert [negatives.kind for negatives in recipe.rejection.negatives] == ["other_words"]
    assert recipe_from_text(recipe_yaml(recipe, comments=True), source="test") == recipe
    assert find_recipe(parse_words("yes,no"), progress=Progress())[0] == "words"


def test_phrases_get_longer_clips(few_voices):
    phrases = "one=turn on all the lights in the living room and the kitchen please, two=stop"
    assert suggest_for_words(parse_words(phrases), progress=Progress()).audio.clip_seconds > 2.5
    assert suggest_for_words(parse_words("yes,no"), progress=Progress()).audio.clip_seconds == 1.5


def test_the_program_takes_words(few_voices, program, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert program("init", "--words", "yes,no")[0] == 0
    assert "kind: synthetic" in (tmp_path / "words.yaml").read_text()
    for arguments in (["train", "a", "--words", "b,c"], ["train", "--words", "yes"], ["init"]):
        assert program(*arguments)[0] == 2


def with_speakers(folder, count):
    """The tones of so many speakers, as word/speaker/index.wav."""
    names = ("ann", "bob", "cas", "dee", "eve", "fay", "gus", "hal", "ida", "jon", "kay")[:count]
    for path in sorted(write_tones(folder, speakers=names, clips=2).glob("*/*.wav")):
        speaker, _, index = path.name.partition("_")
        (path.parent / speaker).mkdir(exist_ok=True)
        path.rename(path.parent / speaker / index)
    return folder


def test_few_recordings_get_voices_beside_them_and_each_speaker_is_left_out(tmp_path):
    recipe = suggest_recipe(with_speakers(tmp_path / "clips", 3), ["dataset.max_bad_share=0.5"], progress=Progress())
    assert recipe.split.by == "each_speaker"
    assert (recipe.dataset.kind, recipe.dataset.recordings.kind) == ("mixed", "folder")
    assert recipe.dataset.max_bad_share == 0.5
    (voices,) = recipe.dataset.training
    assert (voices.kind, voices.words, voices.texts) == ("synthetic", ("high", "low", "middle"), voices.words)
    assert recipe.rejection.negatives[0].wanted == ("high", "low", "middle")
    assert recipe_from_text(recipe_yaml(recipe), source="test") == recipe


def test_many_speakers_and_many_recordings_need_neither(tmp_path, monkeypatch):
    monkeypatch.setattr("sayso.recipe.defaults._FEW_RECORDINGS", 5)
    recipe = suggest_recipe(with_speakers(tmp_path / "clips", 11), progress=Progress())
    assert (recipe.split.by, recipe.dataset.kind) == ("auto", "folder")
    assert recipe.rejection.negatives


def test_words_that_voices_cannot_tell_apart_stay_without(tmp_path):
    folder = with_speakers(tmp_path / "clips", 3)
    (folder / "low").rename(folder / "two")
    (folder / "high").rename(folder / "too")
    recipe = suggest_recipe(folder, progress=Progress())
    assert recipe.dataset.kind == "folder"
    assert recipe.rejection.negatives == ()


def test_a_language_that_is_not_there_is_told_for_a_folder_too(tmp_path):
    with pytest.raises(SettingsError, match="--language: no language 'xx'"):
        suggest_recipe(with_speakers(tmp_path / "clips", 3), wishes=Wishes(language="xx"), progress=Progress())


def test_words_are_spoken_in_their_language(tmp_path):
    folder = with_speakers(tmp_path / "clips", 3)
    (folder / "low").rename(folder / "licht-an")
    (folder / "high").rename(folder / "nein")
    (folder / "middle").rename(folder / "ja")
    (voices,) = suggest_recipe(folder, wishes=Wishes(language="de"), progress=Progress()).dataset.training
    assert voices.languages == ("de",)
    assert voices.texts == ("ja", "licht an", "nein")


def test_without_voices_installed_only_recordings_train(tmp_path, monkeypatch):
    monkeypatch.setattr("sayso.recipe.defaults.is_installed", lambda: False)
    recipe = suggest_recipe(with_speakers(tmp_path / "clips", 3), progress=Progress())
    assert recipe.dataset.kind == "folder"
    assert recipe.rejection.negatives == ()


def test_looking_at_recordings_adds_and_says_nothing(tmp_path):
    said = []
    progress = Progress()
    progress.note = said.append
    folder = with_speakers(tmp_path / "clips", 3)
    recipe = suggest_recipe(folder, wishes=Wishes(recordings_alone=True), progress=progress)
    assert (recipe.dataset.kind, said) == ("folder", [])


def test_studies_that_divide_speakers_get_a_recipe_that_does_not(tmp_path):
    recipe = suggest_recipe(with_speakers(tmp_path / "clips", 3), wishes=Wishes(in_turn=False), progress=Progress())
    assert recipe.split.by == "auto"
