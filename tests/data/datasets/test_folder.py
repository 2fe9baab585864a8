"""Own recordings in folders, and every way they can be wrong."""

import unicodedata
from pathlib import Path

import pytest

from folders_made import listing_of, rows, touch
from sayso.config.schema import read
from sayso.data.datasets import DatasetConfig
from sayso.data.datasets.folder import FolderConfig
from sayso.data.datasets.folder.found import EXTENSIONS
from sayso.errors import DataError, SettingsError


def test_one_folder_a_word(tmp_path: Path) -> None:
    touch(
        tmp_path, "yes/1.wav", "yes/2.FLAC", "no/1.mp3", ".git/x.wav", "no/.hidden.wav", "no/notes.txt", "empty/.keep"
    )
    touch(tmp_path, "_background_noise_/street.wav", "_background_noise_/README.md", "loose.wav")
    listing = listing_of(tmp_path)
    assert rows(listing, tmp_path) == [
        ("no/1.mp3", "no", None),
        ("yes/1.wav", "yes", None),
        ("yes/2.FLAC", "yes", None),
    ]
    assert listing.noise == (str(tmp_path / "_background_noise_" / "street.wav"),)
    assert listing.notes == (
        "no sound files in: empty; these are not words then",
        "1 sound file lies beside the word folders: left out",
        "left out, not known as sound or too deep: 1 .md, 1 .txt",
        "hidden, left out: .git, no/.hidden.wav",
    )


def test_common_formats_are_known() -> None:
    import soundfile

    endings = {name.lower() for name in soundfile.available_formats()}
    assert {"wav", "flac", "ogg", "mp3", "aiff"} <= EXTENSIONS & endings


def test_labels_in_any_script_and_one_spelling(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "café au lait")
    touch(tmp_path, f"{decomposed}/1.wav", "да/1.wav", "はい/1.wav")
    assert {clip.label for clip in listing_of(tmp_path).clips} == {"café au lait", "да", "はい"}
    assert all(Path(clip.path).exists() for clip in listing_of(tmp_path).clips)


def test_words_that_differ_only_in_case_or_spaces_are_noted(tmp_path: Path) -> None:
    touch(tmp_path, "Yes/1.wav", "yes/1.wav", "yes/2.wav", "lights on/1.wav", "lights-on/1.wav", "no/1.wav")
    listing = listing_of(tmp_path)
    assert len({clip.label for clip in listing.clips}) == 5
    assert listing.notes == (
        "words that differ only in case, spaces or hyphens are taken for different ones: "
        "'Yes' (1 clip) and 'yes' (2 clips); 'lights on' (1 clip) and 'lights-on' (1 clip)",
    )


def test_speakers_from_sub_folders(tmp_path: Path) -> None:
    touch(tmp_path, "yes/anna/1.wav", "yes/ben/1.wav", "no/anna/1.wav", "no/1.wav", "no/anna/deep/1.wav")
    listing = listing_of(tmp_path)
    assert [speaker for _, _, speaker in rows(listing, tmp_path)] == [None, "anna", "anna", "anna", "ben"]
    deep = "1 clip lies more than one folder below the word, such as no/anna/deep/1.wav; the {} of these folders is the"
    assert listing.notes == (
        f"{deep.format('first')} speaker",
        "no speaker is known for 1 of 5 clips, such as no/1.wav (dataset.speaker: auto)",
    )
    by_folder = listing_of(tmp_path, speaker="folder")
    assert [speaker for _, _, speaker in rows(by_folder, tmp_path)] == [None, "anna", "deep", "anna", "ben"]
    assert by_folder.notes[0] == f"{deep.format('last')} speaker"
    assert {clip.speaker for clip in listing_of(tmp_path, speaker="none").clips} == {None}


def test_speakers_from_names_of_the_speech_commands_kind(tmp_path: Path) -> None:
    touch(tmp_path, "yes/anna_nohash_0.wav", "no/ben_nohash_1.wav")
    assert [speaker for _, _, speaker in rows(listing_of(tmp_path), tmp_path)] == ["ben", "anna"]
    assert {clip.speaker for clip in listing_of(tmp_path, speaker="folder").clips} == {None}


@pytest.mark.parametrize("speaker", ["auto", "pattern"])
def test_speakers_from_a_pattern(tmp_path: Path, speaker: str) -> None:
    touch(tmp_path, "yes/anna-1.wav", "no/ben-1.wav", "no/strange.wav")
    listing = listing_of(tmp_path, speaker=speaker, speaker_pattern=r"/(?P<speaker>\w+)-\d+\.wav")
    assert [speaker for _, _, speaker in rows(listing, tmp_path)] == ["ben", None, "anna"]
    assert "such as no/strange.wav (dataset.speaker: pattern)" in listing.notes[0]


def test_names_that_look_like_speakers_are_noted_with_the_pattern_that_reads_them(tmp_path: Path) -> None:
    touch(tmp_path, "yes/anna-1.flac", "yes/ben 2.flac", "no/anna-1.flac", "no/ben_12.flac")
    listing = listing_of(tmp_path)
    [note] = listing.notes
    assert {clip.speaker for clip in listing.clips} == {None}
    assert note.startswith("files are named as if they told who speaks (anna, ben), such as anna-1.flac: ")
    told = listing_of(tmp_path, speaker_pattern=note.partition("speaker_pattern='")[2].rstrip("'"))
    assert [speaker for _, _, speaker in rows(told, tmp_path)] == ["anna", "ben", "anna", "ben"]


@pytest.mark.parametrize(
    "files",
    [("yes/yes-1.wav", "no/no-1.wav"), ("yes/take1.wav", "no/take1.wav"), ("yes/a1.wav", "no/a1.wav", "no/b.wav")],
)
def test_names_that_do_not_are_not(tmp_path: Path, files: tuple[str, ...]) -> None:
    touch(tmp_path, *files)
    assert listing_of(tmp_path).notes == ()


def test_python_s_remarks_on_a_pattern_are_left_out() -> None:
    assert list(FolderConfig(path="clips", speaker_pattern="(?P<speaker>[[a-z]+)").faults()) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"speaker_pattern": "("}, "is no regular expression"),
        ({"speaker_pattern": "(?P<speaker>a{99999999999})"}, "is no regular expression"),
        ({"speaker_pattern": "(.*)"}, "has no group named speaker"),
        ({"speaker": "pattern"}, "speaker_pattern: is missing"),
        ({"speaker": "none", "speaker_pattern": "(?P<speaker>.)"}, "has no effect"),
        ({"path": ""}, "path: is empty"),
    ],
)
def test_settings_that_do_not_fit(settings: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read(DatasetConfig, {"kind": "folder", "path": "x", **settings})


def test_official_parts(tmp_path: Path) -> None:
    touch(tmp_path, "yes/1.flac", "yes/2.flac", "no/1.flac", "no/anna/2.flac")
    (tmp_path / "testing_list.txt").write_text("yes/1.wav\nno/anna/2.wav\nno/gone.wav\n")
    (tmp_path / "validation_list.txt").write_text("no/1.wav\n")
    listing = listing_of(tmp_path)
    assert [clip.part for clip in listing.clips] == ["validation", "test", "test", "train"]
    assert "name 4 clips; here of them: 3" in listing.notes[0]


def test_lists_are_read_however_their_paths_are_written(tmp_path: Path) -> None:
    touch(tmp_path, "yes/1.wav", "yes/take.2.wav", "no/anna/1.wav", "no/ben/1.wav", "no/ben/2.wav")
    (tmp_path / "testing_list.txt").write_text("./yes/1\nno\\anna\\1.wav\n.\\yes\\take.2\n")
    (tmp_path / "validation_list.txt").write_text("  no/ben//1.wav\r\n\r\n")
    parts = {Path(clip.path).relative_to(tmp_path).as_posix(): clip.part for clip in listing_of(tmp_path).clips}
    assert parts == {
        "yes/1.wav": "test",
        "yes/take.2.wav": "test",
        "no/anna/1.wav": "test",
        "no/ben/1.wav": "validation",
        "no/ben/2.wav": "train",
    }


def test_a_list_that_names_no_clip_stops(tmp_path: Path) -> None:
    touch(tmp_path, "yes/1.wav", "no/1.wav")
    (tmp_path / "testing_list.txt").write_text("yes/1.wav\n")
    (tmp_path / "validation_list.txt").write_text("clips/no/1.wav\n")
    told = r"validation_list.txt: names none of the clips here, but others, such as clips/no/1.wav; clips here are such"
    with pytest.raises(DataError, match=told):
        listing_of(tmp_path)
    (tmp_path / "validation_list.txt").write_text("yes/1\n")
    with pytest.raises(DataError, match=r"yes/1 stands in both testing_list.txt and validation_list.txt"):
        listing_of(tmp_path)


def test_folders_that_cannot_be_used(tmp_path: Path) -> None:
    cases = {
        "missing": ((), "no such folder or manifest"),
        "bare": (("bare/.keep",), "an empty folder; put sound files into one folder a word"),
        "direct": (("direct/1.wav", "direct/2.wav"), "its sound files lie directly in it"),
        "silent": (("silent/yes/.keep", "silent/no/notes.txt"), "no sound files in its folders"),
        "parts": (("parts/train/1.wav", "parts/test/1.wav"), "its folders test, train look like parts, not words"),
        "one": (("one/train/yes/1.wav", "one/train/no/1.wav"), "not words; give .*one/train itself if it is the whole"),
        "hf": (("hf/1.wav", "hf/metadata.csv"), "so their words are unknown; .*, or give its table .*hf/metadata.csv"),
        "a.txt": (("a.txt",), "is neither a folder nor a manifest"),
    }
    for name, (files, message) in cases.items():
        touch(tmp_path, *files)
        with pytest.raises(DataError, match=message) as caught:
            listing_of(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_relative_path_finds_the_same_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "clips/yes/1.wav")
    monkeypatch.chdir(tmp_path)
    assert listing_of(Path("clips")) == listing_of(tmp_path / "clips")
