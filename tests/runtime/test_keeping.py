"""Kept clips: in folders by word that a training reads, nothing written over, and a full disk is one line."""

import csv
import errno
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sayso.data.datasets import find_dataset
from sayso.errors import OutputError
from sayso.runtime import keeping
from sayso.runtime.keeping import KEPT_TABLE, Keeper, KeptClip
from sayso.system.progress import Progress

SAMPLES = np.arange(-800, 800, dtype=np.int16)


def clip(word="up", outcome="fired", score=0.91):
    return KeptClip(word, outcome, score, 0.7, SAMPLES, 16_000.0, 12.5)


def rows(folder):
    with (folder / KEPT_TABLE).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_clips_and_their_table_are_read_as_recordings(tmp_path):
    keeper = Keeper(tmp_path / "kept", print)
    for each in (clip("lights on"), clip("lights on", "near", 0.6), clip("lights off", "near", 0.55)):
        keeper.keep(each)
    assert keeper.kept == {"fired": 1, "near": 2}
    table = rows(tmp_path / "kept")
    assert [(row["label"], row["outcome"], row["score"], row["threshold"], row["stream_seconds"]) for row in table] == [
        ("lights on", "fired", "0.9100", "0.7", "12.500"),
        ("lights on", "near", "0.6000", "0.7", "12.500"),
        ("lights off", "near", "0.5500", "0.7", "12.500"),
    ]
    for row in table:
        samples, rate = soundfile.read(tmp_path / "kept" / row["path"], dtype="int16")
        np.testing.assert_array_equal(samples, SAMPLES)
        assert rate == 16_000
    for source in (tmp_path / "kept", tmp_path / "kept" / KEPT_TABLE):
        listing = find_dataset(str(source)).listing(Progress())
        found = {(Path(each.path).name, each.label) for each in listing.clips}
        assert found == {(Path(row["path"]).name, row["label"]) for row in table}
        assert {each.speaker for each in listing.clips} == {None}


def test_nothing_is_written_over(tmp_path, monkeypatch):
    class Stopped:
        @staticmethod
        def now():
            from datetime import datetime

            return datetime(2026, 11, 21, 10, 15)

    monkeypatch.setattr("sayso.runtime.keeping.datetime", Stopped)
    for _ in range(2):
        keeper = Keeper(tmp_path, print)
        for _ in range(2):
            keeper.keep(clip())
    stem = "20261121-101500-000-fired-0.91"
    paths = [row["path"] for row in rows(tmp_path)]
    assert paths == [f"up/{stem}.wav", f"up/{stem}-2.wav", f"up/{stem}-3.wav", f"up/{stem}-4.wav"]
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.wav")) == sorted(paths)


@pytest.mark.parametrize("fails", ["clip", "table"])
def test_a_full_disk_is_one_line_and_keeping_goes_on_when_there_is_room(tmp_path, monkeypatch, fails):
    told: list[str] = []
    keeper = Keeper(tmp_path, told.append)
    keeper.keep(clip())
    place, name = {"clip": (keeper, "_write"), "table": (keeping, "append_line")}[fails]
    way = getattr(place, name)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(place, name, full)
    keeper.keep(clip())
    keeper.keep(clip())
    assert len(list(tmp_path.rglob("*.wav"))) == len(rows(tmp_path)) == 1
    monkeypatch.setattr(place, name, way)
    keeper.keep(clip())
    assert len(list(tmp_path.rglob("*.wav"))) == len(rows(tmp_path)) == 2
    assert told == [
        f"cannot keep clips in {tmp_path}: No space left on device; listening goes on, and keeping is tried again",
        f"clips are kept in {tmp_path} again; 2 clips were not",
    ]


def test_a_place_that_cannot_be_used_is_told_at_the_start(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="a file stands where a folder is needed"):
        Keeper(tmp_path / "file", print)
    (tmp_path / KEPT_TABLE).write_text("name,price\napples,3\n")
    with pytest.raises(OutputError, match="is a table of something else"):
        Keeper(tmp_path, print)
    assert (tmp_path / KEPT_TABLE).read_text() == "name,price\napples,3\n"
