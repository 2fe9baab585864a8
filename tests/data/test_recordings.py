"""Data sets as a person opens them from Python."""

import pytest

import sayso
from sayso.errors import DataError, SettingsError


def test_a_folder_of_clips(tone_folder):
    tones = sayso.dataset(tone_folder, speaker="pattern", speaker_pattern=r"/(?P<speaker>[a-z]+)_\d")
    assert tones.here
    assert str(tones) == "folder: 36 clips of 3 words, 4 speakers"
    clip = next(clip for clip in tones.clips if clip.speaker == "ann")
    assert clip.label in clip.path
    assert tones.clips is tones.clips


def test_what_is_not_here_is_not_fetched_before_it_is_asked_for(monkeypatch):
    monkeypatch.delenv("SAYSO_DATA", raising=False)
    assert not sayso.dataset("fsdd").here


def test_settings_are_those_of_a_recipe():
    some = sayso.dataset("fsdd", speakers=["theo"])
    assert some.settings.kind == "fsdd"
    assert some.settings.speakers == ("theo",)
    with pytest.raises(SettingsError, match="did you mean 'theo'"):
        sayso.dataset("fsdd", speakers=["teo"])
    with pytest.raises(SettingsError, match="did you mean 'fsdd'"):
        sayso.dataset("fsd")
    with pytest.raises((DataError, SettingsError), match="nowhere"):
        _ = sayso.dataset("./nowhere").clips
