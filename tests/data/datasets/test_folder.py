"""Own recordings: folders and manifests, and every way they can be wrong."""

import json
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sayso.audio import AudioFormat
from sayso.config.schema import read
from sayso.data.clips import Clip, Listing
from sayso.data.corpus import pack
from sayso.data.datasets import DatasetConfig
from sayso.data.datasets.folder import EXTENSIONS, FolderConfig
from sayso.errors import DataError, SettingsError
from sayso.system.progress import Progress


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def listing_of(path: Path, **settings: Any) -> Listing:
    return FolderConfig(path=str(path), **settings).listing(Progress())


def rows(listing: Listing, root: Path) -> list[tuple[str, str, str | None]]:
    return [(Path(clip.path).relative_to(root).as_posix(), clip.label, clip.speaker) for clip in listing.clips]


def write_manifest(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


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
        "left out, not known as sound or too deep: 1 .txt",
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


def test_speakers_from_sub_folders(tmp_path: Path) -> None:
    touch(tmp_path, "yes/anna/1.wav", "yes/ben/1.wav", "no/anna/1.wav", "no/1.wav", "no/anna/deep/1.wav")
    listing = listing_of(tmp_path)
    assert [speaker for _, _, speaker in rows(listing, tmp_path)] == [None, "anna", "anna", "ben"]
    assert any("no speaker is known for 1 of 4 clips, such as no/1.wav" in note for note in listing.notes)
    assert any("1 folders" in note for note in listing.notes)
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


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"speaker_pattern": "("}, "is no regular expression"),
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


def test_folders_that_cannot_be_used(tmp_path: Path) -> None:
    cases = {
        "missing": ((), "no such folder or manifest"),
        "bare": (("bare/.keep",), "an empty folder; put sound files into one folder a word"),
        "direct": (("direct/1.wav", "direct/2.wav"), "its sound files lie directly in it"),
        "silent": (("silent/yes/.keep", "silent/no/notes.txt"), "no sound files in its folders"),
        "parts": (("parts/train/yes/1.wav", "parts/test/yes/1.wav"), "look like parts, not words"),
        "a.txt": (("a.txt",), "is neither a folder nor a manifest"),
    }
    for name, (files, message) in cases.items():
        touch(tmp_path, *files)
        with pytest.raises(DataError, match=message) as caught:
            listing_of(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_csv_manifest(tmp_path: Path) -> None:
    text = (
        "\ufeffPath,label,speaker,split,start,end,mood\n"
        "a/1.wav,yes,anna,Training,,,gay\n"
        '"b, c.wav", no way ,,test,0.5,1.5,\n'
        "\n"
        f"{tmp_path}/d.wav,да,ben,dev,,2,\n"
        "street.wav,_background_noise_,,,,,\n"
    )
    listing = listing_of(write_manifest(tmp_path / "m.csv", text))
    assert listing.clips == (
        Clip(str(tmp_path / "a" / "1.wav"), "yes", "anna", "train"),
        Clip(str(tmp_path / "b, c.wav"), "no way", None, "test", 0.5, 1.5),
        Clip(str(tmp_path / "d.wav"), "да", "ben", "validation", None, 2.0),
    )
    assert listing.noise == (str(tmp_path / "street.wav"),)
    assert "columns of m.csv that are not used: mood" in listing.notes


def test_json_lines_manifest(tmp_path: Path) -> None:
    lines = [{"path": "a.wav", "label": 7, "start": 0, "end": 1.5}, {"path": "b.wav", "label": "yes", "speaker": None}]
    listing = listing_of(write_manifest(tmp_path / "m.jsonl", "\n".join(map(json.dumps, lines))))
    assert listing.clips == (
        Clip(str(tmp_path / "a.wav"), "7", None, None, 0.0, 1.5),
        Clip(str(tmp_path / "b.wav"), "yes"),
    )


def test_manifest_speakers_from_elsewhere(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path / "m.tsv", "path\tlabel\tspeaker\nanna/1.wav\tyes\tx\n")
    assert listing_of(manifest).clips[0].speaker == "x"
    assert listing_of(manifest, speaker="folder").clips[0].speaker == "anna"
    assert listing_of(manifest, speaker="none").clips[0].speaker is None
    assert listing_of(manifest, speaker_pattern="^(?P<speaker>an)").clips[0].speaker == "an"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("m.csv", "", "an empty manifest; write one clip a line"),
        ("m.jsonl", "\n \n", "an empty manifest; write one clip a line"),
        ("m.csv", "\npath,label\n", "has no column path and no column label; its first line names none"),
        ("m.csv", "file,label\na.wav,yes\n", "has no column path; its first line names file, label"),
        ("m.csv", "path,label\n", "names no clips"),
        ("m.csv", "path,label,split\na.wav,yes,tset\n", "line 2: unknown split 'tset'; did you mean 'test'?"),
        ("m.csv", "path,label,start\na.wav,yes,soon\n", "line 2: start is 'soon', must be seconds"),
        ("m.csv", "path,label,start\na.wav,yes,nan\n", "line 2: start is 'nan', must be seconds"),
        ("m.csv", "path,label,start,end\na.wav,yes,2,1\n", "line 2: end is 1, must be after the start"),
        ("m.jsonl", '{"path": "a.wav"}\n\n[1]\n{oops\n', "line 1: label is missing; line 3: is no JSON object"),
    ],
)
def test_manifests_that_cannot_be_used(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        listing_of(write_manifest(tmp_path / name, text))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_five_bad_rows_are_shown(tmp_path: Path) -> None:
    text = "path,label\n" + "a.wav,\n" * 9
    with pytest.raises(DataError, match=r"line 2: label is missing; .*line 6: label is missing; and 4 more$"):
        listing_of(write_manifest(tmp_path / "m.csv", text))


def test_manifest_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_bytes(b"path,label\n\xff\xfe\x00,yes\n")
    with pytest.raises(DataError, match="cannot be read as a manifest in UTF-8"):
        listing_of(tmp_path / "m.csv")


def test_relative_path_finds_the_same_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "clips/yes/1.wav")
    monkeypatch.chdir(tmp_path)
    assert listing_of(Path("clips")) == listing_of(tmp_path / "clips")


def test_start_and_end_reach_the_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import soundfile

    monkeypatch.setenv("SAYSO_CACHE", str(tmp_path / "cache"))
    soundfile.write(tmp_path / "a.wav", np.repeat(np.array([0.1, 0.5], np.float32), 1000), 1000, subtype="PCM_16")
    manifest = write_manifest(tmp_path / "m.csv", "path,label,start,end\na.wav,low,0,1\na.wav,high,1,2\n")
    corpus = pack(listing_of(manifest), AudioFormat(sample_rate=1000), progress=Progress())
    assert corpus.samples.mean(axis=1) == pytest.approx([3277, 16384], abs=1)
