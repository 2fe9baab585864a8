"""A folder that people record into: what was acknowledged stays, whatever happens, and `sayso train` reads it."""

import errno
import json
import os
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sayso.audio import decode
from sayso.data.datasets.folder import FolderConfig
from sayso.errors import DataError, OutputError, SettingsError
from sayso.studio.recordings import Recordings
from sayso.studio.takes import MANIFEST
from sayso.system.progress import Progress

RATE = 16_000


def tone(hertz=300.0, seconds=0.5):
    time = np.arange(round(seconds * RATE)) / RATE
    return (0.3 * np.sin(2 * np.pi * hertz * time) * np.hanning(len(time))).astype(np.float32)


@pytest.fixture
def recordings(tmp_path):
    made = Recordings(tmp_path / "clips")
    made.set_words([("yes", ""), ("no", "")])
    return made


def files_of(recordings):
    return sorted(
        path.relative_to(recordings.folder).as_posix() for path in recordings.folder.rglob("*.*") if path.is_file()
    )


def listed(path):
    return FolderConfig(path=str(path)).listing(Progress())


def test_a_clip_is_an_ordinary_file_by_word_and_speaker(recordings):
    take = recordings.add("yes", "Ann", tone(), RATE, facts={"settings": {"autoGainControl": False}})
    samples, rate = decode(recordings.folder / take.path)
    assert (take.path.split("/")[:2], rate) == (["yes", "Ann"], RATE)
    assert np.abs(samples - tone()).max() < 1 / 32768
    [clip] = listed(recordings.folder).clips
    assert (clip.label, clip.speaker) == ("yes", "Ann")
    [line] = (recordings.folder / MANIFEST).read_text().splitlines()
    assert json.loads(line)["take"]["settings"] == {"autoGainControl": False}


def test_another_program_sees_clips_at_once_and_a_new_start_finds_them(recordings):
    take = recordings.add("no", "Ann", tone(), RATE, facts={})
    assert Recordings(recordings.folder).takes() == [take]
    assert [word.word for word in Recordings(recordings.folder).words()] == ["yes", "no"]


def test_two_at_once_never_overwrite_each_other(recordings):
    others = [recordings, Recordings(recordings.folder)]
    threads = [
        threading.Thread(target=lambda each=each: [each.add("yes", "Ann", tone(), RATE, facts={}) for _ in range(20)])
        for each in others * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    takes = recordings.takes()
    assert len(takes) == 80 == len((recordings.folder / MANIFEST).read_text().splitlines())
    assert all((recordings.folder / take.path).stat().st_size for take in takes)


@pytest.mark.parametrize("full", [".flac", MANIFEST])
def test_a_full_disk_loses_no_clip_that_was_acknowledged(recordings, monkeypatch, full):
    kept = recordings.add("yes", "Ann", tone(), RATE, facts={})
    before = files_of(recordings), (recordings.folder / MANIFEST).read_bytes()
    sync = os.fsync

    def fill(handle):
        if Path(f"/proc/self/fd/{handle}").readlink().name.endswith(full):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(handle)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fill)
        with pytest.raises(OutputError, match="the disk is full, so this clip was not saved; free some space"):
            recordings.add("yes", "Ann", tone(), RATE, facts={})
    assert (files_of(recordings), (recordings.folder / MANIFEST).read_bytes()) == before
    again = recordings.add("yes", "Ann", tone(), RATE, facts={})
    assert recordings.takes() == sorted([kept, again], key=lambda take: take.path)


def test_a_line_that_a_crash_left_unfinished_costs_nothing_else(recordings):
    first = recordings.add("yes", "Ann", tone(), RATE, facts={})
    with (recordings.folder / MANIFEST).open("a") as file:
        file.write('{"path": "yes/Ann/half')
    second = recordings.add("yes", "Ann", tone(), RATE, facts={"remarks": ["quiet"]})
    assert [take.take.get("remarks") for take in recordings.takes()].count(["quiet"]) == 1
    assert {take.path for take in recordings.takes()} == {first.path, second.path}


def test_a_clip_of_which_a_crash_left_no_line_is_there_all_the_same(recordings):
    take = recordings.add("yes", "Ann", tone(), RATE, facts={})
    (recordings.folder / MANIFEST).unlink()
    [found] = Recordings(recordings.folder).takes()
    assert (found.path, found.label, found.speaker) == (take.path, "yes", "Ann")


def test_a_name_that_no_folder_has_keeps_noise_and_deeper_clips_in_the_training(recordings):
    recordings.set_words([("yes", ""), ("on/off", "")])
    for word in ("yes", "on/off"):
        recordings.add(word, "Ann", tone(), RATE, facts={})
    for place in ("_background_noise_/hum.wav", "yes/Ben/monday/1.wav", "_training_only_/yes/Cas/tuesday/2.wav"):
        (recordings.folder / place).parent.mkdir(parents=True)
        soundfile.write(recordings.folder / place, tone(), RATE)
    found = listed(recordings.training_source())
    assert [Path(path).name for path in found.noise] == ["hum.wav"]
    said = sorted((clip.label, clip.speaker, clip.part) for clip in found.clips)
    assert said == [("on/off", "Ann", None), ("yes", "Ann", None), ("yes", "Ben", None), ("yes", "Cas", "train")]
    assert len(recordings.takes()) == 2


def test_words_and_people_keep_what_was_typed_whatever_their_folders_are_called(recordings):
    recordings.set_words([("on/off", ""), ("on_off", ""), ("да", "da"), ("..", "dots")])
    for word in ("on/off", "on_off", "да", ".."):
        recordings.add(word, "../Änn", tone(), RATE, facts={})
    source = recordings.training_source()
    assert source == recordings.folder / MANIFEST
    clips = listed(source).clips
    assert {clip.label for clip in clips} == {"on/off", "on_off", "да", ".."}
    assert {clip.speaker for clip in clips} == {"../Änn"}
    assert all(Path(clip.path).resolve().is_relative_to(recordings.folder) for clip in clips)
    assert [word.word for word in recordings.words()] == ["on/off", "on_off", "да", ".."]


def test_plain_names_train_from_the_folder_itself_and_clips_of_other_origin_count(recordings):
    take = recordings.add("yes", "Ann", tone(), RATE, facts={})
    other = recordings.folder / "maybe" / "Ben" / "1.flac"
    other.parent.mkdir(parents=True)
    other.write_bytes((recordings.folder / take.path).read_bytes())
    assert recordings.training_source() == recordings.folder
    assert [word.word for word in recordings.words()] == ["yes", "no", "maybe"]
    assert {(take.label, take.speaker) for take in recordings.takes()} == {("yes", "Ann"), ("maybe", "Ben")}


def test_a_speaker_called_like_a_part_still_trains(recordings):
    for word in ("yes", "no"):
        recordings.add(word, "test", tone(), RATE, facts={})
        recordings.add(word, "raw", tone(), RATE, facts={})
    clips = listed(recordings.training_source()).clips
    assert {(clip.speaker, clip.part) for clip in clips} == {("test", None), ("raw", None)}


def test_a_removed_clip_is_gone_and_nothing_outside_can_be(recordings):
    take = recordings.add("yes", "Ann", tone(), RATE, facts={})
    outside = recordings.folder.parent / "secret.flac"
    outside.write_bytes(b"mine")
    for path in ("../secret.flac", str(outside), "yes/../../secret.flac", MANIFEST, "yes/Ann", "", "studio.json"):
        with pytest.raises(DataError, match="no such clip"):
            recordings.remove(path)
        with pytest.raises(DataError, match="no such clip"):
            recordings.find(path)
    recordings.remove(take.path)
    assert recordings.takes() == []
    assert outside.read_bytes() == b"mine"
    assert (recordings.folder / MANIFEST).read_text() == ""


@pytest.mark.parametrize(
    ("words", "told"),
    [([("a", ""), ("A", "")], "stands there twice"), ([("", "")], "empty"), ([("no", "")], "'yes' has clips")],
)
def test_words_that_do_not_fit_change_nothing(recordings, words, told):
    recordings.add("yes", "Ann", tone(), RATE, facts={})
    with pytest.raises(SettingsError, match=told):
        recordings.set_words(words)
    assert [word.word for word in recordings.words()] == ["yes", "no"]


def test_a_clip_of_no_word_is_refused(recordings):
    with pytest.raises(SettingsError, match="none of the words"):
        recordings.add("maybe", "Ann", tone(), RATE, facts={})


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"words": [{"word": 1}], "speakers": []}',
        '{"words": [{"word": "a", "spoken": "", "folder": "../x"}], "speakers": []}',
    ],
)
def test_a_damaged_list_of_words_is_told(recordings, text):
    (recordings.folder / "studio.json").write_text(text)
    with pytest.raises(DataError, match="is damaged; remove it"):
        recordings.words()
