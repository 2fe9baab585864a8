"""Names of words and people, and of their folders."""

import unicodedata
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.errors import SettingsError
from sayso.studio.names import free_folder_name, read_name


@given(st.text(), st.sampled_from(["word", "speaker"]))
def test_any_name_gets_a_folder_directly_below_or_is_refused(text, what):
    try:
        name = read_name(text, what=what)
    except SettingsError:
        return
    folder = free_folder_name(name, [], what=what)
    assert PurePosixPath("/root", folder).parent == PurePosixPath("/root")
    assert folder == folder.strip()
    assert folder not in (".", "..")
    assert not folder.startswith((".", "~"))
    assert not set(folder) & set('/\\:*?"<>|\0\n')
    assert len(folder.encode()) <= 100


@given(st.lists(st.text(alphabet="ab/_.:", min_size=1, max_size=4), max_size=8))
def test_no_two_names_share_a_folder(texts):
    taken = []
    for text in texts:
        taken.append(free_folder_name(read_name(text, what="word"), taken, what="word"))
    assert len({folder.casefold() for folder in taken}) == len(taken)


@pytest.mark.parametrize("name", ["да", "はい", "نعم", "øl", "lights on", "don't", "0"])
def test_words_of_any_script_keep_their_names(name):
    assert free_folder_name(read_name(name, what="word"), [], what="word") == name


def test_an_accent_is_the_same_however_it_is_typed():
    assert read_name(unicodedata.normalize("NFD", "café"), what="word") == "café"


@pytest.mark.parametrize("name", ["test", "Training", "raw", "CON", "_background_noise_", "..", "?"])
def test_names_that_mean_something_else_to_a_data_set_or_a_system_are_not_used_plain(name):
    assert free_folder_name(name, [], what="speaker").startswith("speaker-")


@pytest.mark.parametrize(
    ("text", "told"), [("", "empty"), (" \t", "empty"), ("a" * 101, "too long"), ("a\0b", "signs"), ("None", "nothing")]
)
def test_what_is_no_name_is_refused_in_one_sentence(text, told):
    with pytest.raises(SettingsError, match=told):
        read_name(text, what="word")
