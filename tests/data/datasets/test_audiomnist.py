"""AudioMNIST from a small made-up copy of its layout: 60 folders of speakers, digits and repetitions in the names."""

import json
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sayso.audio import AudioFormat
from sayso.config.schema import read
from sayso.data.corpus import pack
from sayso.data.datasets import DatasetConfig, audiomnist
from sayso.data.datasets.audiomnist import AudioMnistConfig
from sayso.data.splits import SplitSettings, draw_split
from sayso.errors import DataError, DownloadError, SettingsError
from sayso.system.progress import Progress


def write_copy(folder: Path, *, speakers: int = 60, digits: str = "0123456789", repetitions: int = 1) -> Path:
    """Write the layout of the repository, every clip 10 ms long, at 48 kHz."""
    rng = np.random.default_rng(0)
    for number in range(1, speakers + 1):
        (folder / f"{number:02}").mkdir(parents=True)
        for digit in digits:
            for index in range(repetitions):
                path = folder / f"{number:02}" / f"{digit}_{number:02}_{index}.wav"
                soundfile.write(path, rng.integers(-9999, 9999, 480, dtype=np.int16), 48_000)
    people = {f"{number:02}": {"gender": "female", "age": "30"} for number in range(1, speakers + 1)}
    (folder / "audioMNIST_meta.txt").write_text(json.dumps(people))
    return folder


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """SAYSO_DATA and SAYSO_CACHE below an empty folder, and no network."""
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("SAYSO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SAYSO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(audiomnist, "DOWNLOAD", replace(audiomnist.DOWNLOAD, urls=("http://127.0.0.1:9/x",)))
    return tmp_path


def test_a_whole_copy_lists_every_speaker_and_tests_on_speakers_never_heard(places: Path) -> None:
    write_copy(places / "data" / "audiomnist" / "data", digits="07")
    dataset = AudioMnistConfig()
    listing = dataset.listing(Progress())
    assert len(listing.clips) == 120
    assert {clip.label for clip in listing.clips} == {"0", "7"}
    assert [clip.speaker for clip in listing.clips[::2]] == list(audiomnist.SPEAKERS)
    assert listing.notes == ("a partial copy: 120 of 30,000 clips are here",)

    corpus = pack(listing, AudioFormat(sample_rate=8000, clip_seconds=0.1), progress=Progress())
    split = draw_split(corpus, SplitSettings(), seed=0)
    parts = [{corpus.clips[row].speaker for row in split.rows(part)} for part in ("train", "validation", "test")]
    assert split.kind == "speakers"
    assert [len(part) for part in parts] == [43, 5, 12]
    assert len(set.union(*parts)) == 60


def test_clips_come_in_order_and_strangers_are_left_out(places: Path) -> None:
    folder = write_copy(places / "data" / "audiomnist" / "data", speakers=2, digits="3", repetitions=11)
    for name in ("3_01_x.wav", "3_02_0.wav", "notes.txt", "12_01_0.wav"):
        (folder / "01" / name).write_bytes(b"")
    clips = AudioMnistConfig(speakers=("01",)).listing(Progress()).clips
    assert [Path(clip.path).name for clip in clips] == [f"3_01_{index}.wav" for index in range(11)]
    assert {(clip.label, clip.speaker, clip.part) for clip in clips} == {("3", "01", None)}


@pytest.mark.parametrize("below", ["", "data", "AudioMNIST/data", "AudioMNIST-master/data"])
def test_it_is_found_however_it_was_put_there(below: str, places: Path) -> None:
    write_copy(places / "data" / "audiomnist" / below, speakers=1, digits="3")
    assert AudioMnistConfig().location() == places / "data" / "audiomnist" / below


def test_speakers_that_are_not_there(places: Path) -> None:
    write_copy(places / "data" / "audiomnist" / "data", speakers=2)
    with pytest.raises(DataError, match=r"no recordings of 03; files are named 01/7_01_12\.wav"):
        AudioMnistConfig(speakers=("03",)).listing(Progress())


def test_unknown_speakers_are_all_named() -> None:
    with pytest.raises(SettingsError, match=r"speakers\[0\].*'7', they are.*did you mean '07'.*speakers\[1\].*'61'"):
        read(DatasetConfig, {"kind": "audiomnist", "speakers": ["7", "61"]})
    with pytest.raises(SettingsError, match="put it in quotes"):
        read(DatasetConfig, {"kind": "audiomnist", "speakers": [7]})


def test_archive_put_in_place_is_unpacked(places: Path) -> None:
    assert AudioMnistConfig().location() is None
    source = write_copy(places / "source", speakers=1)
    archive = places / "cache" / "downloads" / audiomnist.DOWNLOAD.archive
    archive.parent.mkdir(parents=True)
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(source, "AudioMNIST-master/data")
    assert len(AudioMnistConfig().listing(Progress()).clips) == 10


def test_an_archive_of_something_else_says_so(places: Path) -> None:
    (places / "cache" / "downloads" / "audiomnist" / "data").mkdir(parents=True)
    with pytest.raises(DataError, match="one folder a speaker; remove it and run again"):
        AudioMnistConfig().listing(Progress())


def test_offline_names_the_archive_and_the_variable(places: Path) -> None:
    with pytest.raises(DownloadError, match=rf"put {audiomnist.DOWNLOAD.archive} into .*SAYSO_DATA.*`audiomnist/`"):
        AudioMnistConfig().listing(Progress())
