"""Speech Commands in small, partial copies, and the real recordings when they are at hand."""

import itertools
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sayso.audio import AudioFormat, decode
from sayso.config.schema import read
from sayso.data.clips import Clip
from sayso.data.corpus import Corpus
from sayso.data.datasets import DatasetConfig, speech_commands
from sayso.data.datasets.speech_commands import SpeechCommandsConfig
from sayso.data.splits import SplitSettings, draw_split
from sayso.data.splits.settings import SplitBy, ValidationBy
from sayso.data.unknown_words import list_for_recipe
from sayso.errors import DataError, DownloadError, SettingsError
from sayso.system.progress import Progress

real = pytest.mark.skipif(
    not (Path(os.environ.get("SAYSO_DATA", "")) / "speech_commands_v0.01").is_dir(),
    reason="set SAYSO_DATA to a folder that holds speech_commands_v0.01",
)
NOISE_SECONDS = 40
LISTED = ("train", "validation", "test")


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four words x 20 speakers as FLAC, two noise recordings, and lists that also name clips that are not here."""
    monkeypatch.setenv("SAYSO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SAYSO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(speech_commands, "MIRRORS", ("http://127.0.0.1:9/",))
    folder = tmp_path / "data" / "speech_commands_v0.01"
    for word in ("yes", "no", "bed", "cat"):
        (folder / word).mkdir(parents=True)
        for speaker in range(20):
            (folder / word / f"{speaker:08x}_nohash_0.flac").write_bytes(b"")
    (folder / "yes" / "._hidden.wav").write_bytes(b"")
    (folder / "LICENSE").write_text("CC BY")
    (folder / "_background_noise_").mkdir()
    (folder / "_background_noise_" / "README.md").write_text("noise")
    rng = np.random.default_rng(0)
    for name in ("pink.wav", "tap.flac"):
        noise = rng.normal(0, 3000, NOISE_SECONDS * 1000).astype(np.int16)
        soundfile.write(folder / "_background_noise_" / name, noise, 1000)
    for name, speakers in (("testing_list.txt", range(4)), ("validation_list.txt", range(4, 6))):
        lines = [
            f"{word}/{s:08x}_nohash_{take}.wav"
            for word in ("yes", "no", "bed", "cat")
            for s in speakers
            for take in (0, 1)
        ]
        (folder / name).write_text("\n".join(lines) + "\n")
    return folder


def spans(clips: tuple[Clip, ...], part: str | None) -> list[tuple[str, float, float]]:
    return [
        (clip.path, clip.start_seconds or 0.0, clip.end_seconds or 0.0)
        for clip in clips
        if clip.label == "silence" and clip.part == part
    ]


def overlapping(one: tuple[str, float, float], other: tuple[str, float, float]) -> bool:
    return one[0] == other[0] and one[1] < other[2] and other[1] < one[2]


def test_lists_are_matched_by_stem(copy: Path) -> None:
    listing = SpeechCommandsConfig().listing(Progress())
    assert Counter(clip.part for clip in listing.clips) == {"train": 56, "test": 16, "validation": 8}
    test = {Path(clip.path).name for clip in listing.clips if clip.part == "test"}
    assert test == {f"{speaker:08x}_nohash_0.flac" for speaker in range(4)}
    assert listing.clips[0] == Clip(str(copy / "bed" / "00000000_nohash_0.flac"), "bed", "00000000", "test")
    assert [Path(path).name for path in listing.noise] == ["pink.wav", "tap.flac"]
    assert listing.notes == (
        "official lists of 4 words: 16 of 32 test clips and 8 of 16 validation clips are here (a partial copy)",
    )


def test_words_are_chosen(copy: Path) -> None:
    clips = SpeechCommandsConfig(words=("yes", "no")).listing(Progress()).clips
    assert Counter(clip.label for clip in clips) == {"no": 20, "yes": 20}


def test_unknown_words_of_a_recipe_are_all_named(copy: Path) -> None:
    with pytest.raises(SettingsError, match=r"words\[0\]: no clips of 'yess'.*'yes'.*words\[1\]: no clips of 'bedd'"):
        SpeechCommandsConfig(words=("yess", "bedd")).listing(Progress())


def test_unknown_is_drawn_by_part(copy: Path) -> None:
    dataset = SpeechCommandsConfig(words=("yes", "no"), unknown_share=0.5)
    listing = dataset.listing(Progress())
    unknown = [clip for clip in listing.clips if clip.label == "unknown"]
    assert Counter(clip.part for clip in unknown) == {"train": 7, "test": 2, "validation": 1}
    assert {Path(clip.path).parent.name for clip in unknown} <= {"bed", "cat"}
    assert listing == dataset.listing(Progress())
    other = SpeechCommandsConfig(words=("yes", "no"), unknown_share=0.5, draw_seed=1).listing(Progress())
    assert other.clips != listing.clips
    assert any("7 train, 1 validation, 2 test" in note for note in listing.notes)


def test_words_to_reject_are_neither_chosen_nor_drawn_as_unknown(copy: Path) -> None:
    plain = list_for_recipe(SpeechCommandsConfig(words=("yes", "no"), unknown_share=2), Progress())
    listing = list_for_recipe(
        SpeechCommandsConfig(words=("yes", "no"), unknown_share=2, reject_words=("cat",)), Progress()
    )
    assert {Path(clip.path).parent.name for clip in plain.clips} == {"yes", "no", "bed", "cat"}
    assert {Path(clip.path).parent.name for clip in listing.clips} == {"yes", "no", "bed"}
    assert Counter((clip.label, clip.part) for clip in listing.unknown) == {
        ("cat", "train"): 14,
        ("cat", "validation"): 2,
        ("cat", "test"): 4,
    }
    every = list_for_recipe(SpeechCommandsConfig(reject_words=("cat", "bed")), Progress())
    assert {clip.label for clip in every.clips} == {"yes", "no"}
    assert len(every.unknown) == 40
    with pytest.raises(SettingsError, match=r"reject_words\[0\]: no clips of 'catt' in .*did you mean 'cat'"):
        list_for_recipe(SpeechCommandsConfig(words=("yes",), reject_words=("catt",)), Progress())
    with pytest.raises(SettingsError, match=r"reject_words\[0\]: 'yes' stands in words too"):
        read(DatasetConfig, {"kind": "speech_commands", "words": ["yes", "no"], "reject_words": ["yes"]})


def test_unknown_takes_no_clip_twice_and_says_when_there_are_no_more(copy: Path) -> None:
    listing = SpeechCommandsConfig(words=("yes", "no"), unknown_share=5).listing(Progress())
    paths = [clip.path for clip in listing.clips if clip.label == "unknown"]
    assert len(paths) == len(set(paths)) == 40
    assert any("there are no more" in note for note in listing.notes)


def test_silence_of_different_parts_shares_no_sample(copy: Path) -> None:
    listing = SpeechCommandsConfig(words=("yes", "no"), silence_share=10).listing(Progress())
    by_part = {part: spans(listing.clips, part) for part in ("train", "validation", "test")}
    # Two recordings of 40 s: 28 s of each train at half-second steps, 6 s each validate and test without overlap.
    assert {part: len(found) for part, found in by_part.items()} == {"train": 110, "validation": 12, "test": 12}
    for one, other in itertools.combinations(by_part, 2):
        assert not any(overlapping(a, b) for a in by_part[one] for b in by_part[other])
    for part in ("validation", "test"):
        assert not any(overlapping(a, b) for a, b in itertools.combinations(by_part[part], 2))
    assert all(start >= 0 and end <= NOISE_SECONDS for found in by_part.values() for _, start, end in found)


def test_few_seconds_of_silence_come_from_every_recording(copy: Path) -> None:
    listing = SpeechCommandsConfig(words=("yes", "no"), silence_share=0.5).listing(Progress())
    assert {path for path, _, _ in spans(listing.clips, "test")} == {
        str(copy / "_background_noise_" / name) for name in ("pink.wav", "tap.flac")
    }


def test_noise_for_mixing_is_not_what_tests_call_silence(copy: Path) -> None:
    listing = SpeechCommandsConfig(words=("yes", "no"), silence_share=1).listing(Progress())
    ends = {path: start for path, start, _ in reversed(spans(listing.clips, "validation"))}
    for cut, whole in zip(listing.noise, sorted(ends), strict=True):
        samples, rate = decode(Path(cut))
        assert len(samples) / rate <= ends[whole]
        np.testing.assert_array_equal(samples, decode(Path(whole))[0][: len(samples)])


def test_recordings_of_one_name_stay_two(copy: Path) -> None:
    folder = copy / "_background_noise_"
    samples, rate = soundfile.read(folder / "tap.flac")
    soundfile.write(folder / "pink.flac", samples, rate)
    listing = SpeechCommandsConfig(words=("yes", "no"), silence_share=1).listing(Progress())
    assert len({*listing.noise}) == 3
    assert sorted(Path(path).name for path in listing.noise) == ["pink-2.wav", "pink.wav", "tap.wav"]


@pytest.mark.parametrize("by", ["random", "speakers"])
@pytest.mark.parametrize("validation", ["auto", "none"])
def test_silence_is_tested_on_noise_that_no_other_part_hears_whatever_the_split(
    copy: Path, by: SplitBy, validation: ValidationBy
) -> None:
    settings = SplitSettings(by=by, validation=validation, validation_share=0.2)
    listing = SpeechCommandsConfig(words=("yes", "no"), silence_share=10).listing_for(settings, Progress())
    samples = np.zeros((len(listing.clips), 1000), np.int16)
    marks = tuple(map(str, range(len(samples))))
    corpus = Corpus(listing.clips, samples, AudioFormat(sample_rate=1000), fingerprints=marks)
    parts = draw_split(corpus, settings, seed=0)
    heard = {
        part: [span for any_part in LISTED for span in spans(tuple(listing.clips[row] for row in rows), any_part)]
        for part, rows in (("train", parts.train), ("validation", parts.validation), ("test", parts.test))
    }
    assert {part: len(found) for part, found in heard.items()} == (
        {"train": 110, "validation": 12, "test": 12}
        if validation == "auto"
        else {"train": 122, "validation": 0, "test": 12}
    )
    for one, other in itertools.combinations(heard, 2):
        assert not any(overlapping(a, b) for a in heard[one] for b in heard[other])
    mixed_seconds = {len(decode(Path(path))[0]) / 1000 for path in listing.noise}
    assert max(mixed_seconds) <= min(begin for _, begin, _ in heard["test"])
    assert not any("names no speaker" in note or "name no speaker" in note for note in parts.notes)


def test_without_lists_no_part_is_claimed(copy: Path) -> None:
    (copy / "testing_list.txt").unlink()
    (copy / "validation_list.txt").unlink()
    listing = SpeechCommandsConfig(words=("yes", "no"), unknown_share=1, silence_share=1).listing(Progress())
    assert {clip.part for clip in listing.clips if clip.label != "silence"} == {None}
    assert "'silence' is made of seconds of noise: 14 train, 3 validation, 3 test" in listing.notes
    assert Counter(clip.label for clip in listing.clips) == dict.fromkeys(("yes", "no", "unknown", "silence"), 20)
    assert "official parts are unknown" in listing.notes[0]


def test_settings_that_do_not_fit() -> None:
    with pytest.raises(SettingsError, match=r"unknown_share: needs `words`"):
        read(DatasetConfig, {"kind": "speech_commands", "unknown_share": 1})
    with pytest.raises(SettingsError, match="'yes' stands there 2 times"):
        read(DatasetConfig, {"kind": "speech_commands", "words": ["yes", "yes"]})


def test_silence_without_noise(copy: Path) -> None:
    for file in (copy / "_background_noise_").iterdir():
        file.unlink()
    with pytest.raises(DataError, match="silence_share needs noise recordings"):
        SpeechCommandsConfig(silence_share=1).listing(Progress())


def test_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAYSO_DATA", str(tmp_path))
    (tmp_path / "speech_commands_v0.01").mkdir()
    with pytest.raises(DataError, match="no word folders with sound files"):
        SpeechCommandsConfig().listing(Progress())


def test_offline_names_the_archive_and_the_variable(copy: Path) -> None:
    with pytest.raises(DownloadError, match=r"put speech_commands_v0\.02\.tar\.gz into .*`speech_commands_v0\.02/`"):
        SpeechCommandsConfig(version="v0.02").listing(Progress())


@real
def test_the_real_thing() -> None:
    listing = SpeechCommandsConfig().listing(Progress())
    names = {Path(path).stem for path in listing.noise}
    assert {"pink_noise", "running_tap"} <= names
    speakers_of = {part: {clip.speaker for clip in listing.clips if clip.part == part} for part in ("train", "test")}
    assert speakers_of["test"]
    assert not speakers_of["train"] & speakers_of["test"]


def test_noise_that_cannot_be_read_is_no_silence(copy: Path) -> None:
    whole = SpeechCommandsConfig(words=("yes", "no"), silence_share=1).listing(Progress())
    (copy / "_background_noise_" / "broken.wav").write_bytes(b"no sound")
    listing = SpeechCommandsConfig(words=("yes", "no"), silence_share=1).listing(Progress())
    assert [Path(path).name for path in listing.noise] == [Path(path).name for path in whole.noise]
    assert [clip.path for clip in listing.clips] == [clip.path for clip in whole.clips]
    told = [note for note in listing.notes if note not in whole.notes]
    assert len(told) == 1
    assert "noise recording skipped" in told[0]
    assert "broken.wav" in told[0]
