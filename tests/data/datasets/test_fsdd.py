"""FSDD from a folder, from an archive put in place, and from the real recordings when they are at hand."""

import os
import tarfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sayso.config.schema import read
from sayso.data.datasets import DatasetConfig, fsdd
from sayso.data.datasets.fsdd import FsddConfig
from sayso.errors import DataError, DownloadError, SettingsError
from sayso.system.progress import Progress

real = pytest.mark.skipif(
    not (Path(os.environ.get("SAYSO_DATA", "")) / "fsdd" / "recordings").is_dir(),
    reason="set SAYSO_DATA to a folder that holds fsdd/recordings",
)


def write_clips(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        soundfile.write(folder / name, np.zeros(80, np.int16), 8000)
    return folder


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """SAYSO_DATA and SAYSO_CACHE below an empty folder, and no network."""
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("SAYSO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SAYSO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(fsdd, "DOWNLOAD", replace(fsdd.DOWNLOAD, urls=("http://127.0.0.1:9/x",)))
    return tmp_path


def test_label_speaker_and_part_come_from_the_name(places: Path) -> None:
    names = ("7_theo_4.wav", "7_theo_5.wav", "7_theo_10.wav", "0_lucas_0.wav")
    write_clips(places / "data" / "fsdd" / "recordings", *names, "readme.wav")
    clips = FsddConfig().listing(Progress()).clips
    assert [(Path(clip.path).name, clip.label, clip.speaker, clip.part) for clip in clips] == [
        ("0_lucas_0.wav", "0", "lucas", "test"),
        ("7_theo_4.wav", "7", "theo", "test"),
        ("7_theo_5.wav", "7", "theo", "train"),
        ("7_theo_10.wav", "7", "theo", "train"),
    ]


def test_partial_copy_is_said(places: Path) -> None:
    write_clips(places / "data" / "fsdd" / "recordings", "7_theo_4.wav", "7_lucas_4.wav")
    assert FsddConfig(speakers=("theo",)).listing(Progress()).notes == ("a partial copy: 1 of 500 clips are here",)


def test_speakers_that_are_not_there(places: Path) -> None:
    write_clips(places / "data" / "fsdd" / "recordings", "7_theo_4.wav")
    with pytest.raises(DataError, match="no recordings of lucas"):
        FsddConfig(speakers=("lucas",)).listing(Progress())


def test_unknown_speakers_are_all_named() -> None:
    with pytest.raises(SettingsError, match=r"speakers\[0\].*'thea'; did you mean 'theo'.*speakers\[2\].*'jack'"):
        read(DatasetConfig, {"kind": "fsdd", "speakers": ["thea", "theo", "jack"]})


def test_archive_put_in_place_is_unpacked(places: Path) -> None:
    assert FsddConfig().location() is None
    source = write_clips(places / "source", "7_theo_4.wav")
    archive = places / "cache" / "downloads" / fsdd.DOWNLOAD.archive
    archive.parent.mkdir(parents=True)
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(source, "free-spoken-digit-dataset-1.0.10/recordings")
    assert len(FsddConfig().listing(Progress()).clips) == 1
    assert FsddConfig().location() is not None


def test_offline_names_the_archive_and_the_variable(places: Path) -> None:
    with pytest.raises(DownloadError, match=rf"put {fsdd.DOWNLOAD.archive} into .*SAYSO_DATA.*`fsdd/`"):
        FsddConfig().listing(Progress())


@real
def test_the_real_thing() -> None:
    listing = FsddConfig().listing(Progress())
    assert Counter(clip.part for clip in listing.clips) == {"train": 2700, "test": 300}
    assert set(Counter((clip.speaker, clip.label) for clip in listing.clips).values()) == {50}
    assert listing.notes == ()
