"""Manifests: rows of CSV, TSV, JSONL and Kaldi's tables, read strictly or refused with their line."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from folders_made import listing_of, touch, write_manifest
from sayso.audio import AudioFormat
from sayso.data.clips import Clip
from sayso.data.corpus import pack
from sayso.errors import DataError
from sayso.system.progress import Progress

RATE = 8000


def seconds_of_sound(path: Path, seconds: float) -> Path:
    soundfile.write(path, np.full(round(seconds * RATE), 0.1, np.float32), RATE)
    return path


def stretches(path: Path) -> list[tuple[float | None, float | None]]:
    return [(clip.start_seconds, clip.end_seconds) for clip in listing_of(path).clips]


def refused(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        listing_of(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


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
        ("m.csv", "\npath,label\n", "line 2: has 2 cells, and the first line names 1 column"),
        ("m.csv", "sound,label\na.wav,yes\n", "has no column path; there is sound, label: name the columns path and"),
        ("m.csv", "path,label\n", "names no clips"),
        ("m.csv", "path,label,split\na.wav,yes,tset\n", "line 2: unknown split 'tset'; did you mean 'test'?"),
        ("m.csv", "path,label,start\na.wav,yes,soon\n", "line 2: start is 'soon', must be seconds"),
        ("m.csv", "path,label,start\na.wav,yes,nan\n", "line 2: start is 'nan', must be seconds"),
        ("m.csv", "path,label,start,end\na.wav,yes,2,1\n", "line 2: end is 1 s, must be after the start"),
        (
            "m.jsonl",
            '{"path": "a.wav", "label": ""}\n\n[1]\n{oops\n',
            "line 1: label is missing; line 3: is no JSON object",
        ),
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


def test_start_and_end_reach_the_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAYSO_CACHE", str(tmp_path / "cache"))
    soundfile.write(tmp_path / "a.wav", np.repeat(np.array([0.1, 0.5], np.float32), 1000), 1000, subtype="PCM_16")
    manifest = write_manifest(tmp_path / "m.csv", "path,label,start,end\na.wav,low,0,1\na.wav,high,1,2\n")
    corpus = pack(listing_of(manifest), AudioFormat(sample_rate=1000), progress=Progress())
    assert corpus.samples.mean(axis=1) == pytest.approx([3277, 16384], abs=1)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("m.csv", "path,label\na.wav,turn on, please\n", "line 2: has 3 cells, and the first line names 2 columns"),
        ("m.csv", 'path,label\na.wav,"yes\nb.wav,no\n', "line 2: column 2 has a quote that is not in its place"),
        ("m.csv", 'path,label\na.wav,ye"s\n', "line 2: column 2 has a quote"),
        ("m.csv", 'path,label\n"a.wav" x,yes\n', "line 2: column 1 has a quote"),
        ("m.csv", 'path,label\na.wav,"yes"\nb.wav, "turn on, please" now\n', "line 3: column 2 has a quote"),
        ("m.csv", "path,label,speaker\na.wav,yes\n", "line 2: has 2 cells, and the first line names 3 columns"),
        ("m.csv", "path,label,Label\na.wav,yes,no\n", "line 1 names the column label more than once"),
        ("m.csv", "path,,label\na.wav,x,yes\n", "line 2: 'x' stands in a column that the first line does not name"),
        ("m.csv", "path,label\na.wav,NaN\n", "line 2: label is NaN, which stands for nothing"),
        ("m.csv", "path,label,speaker\na.wav,yes,nan\n", "line 2: speaker is nan, which stands for nobody"),
        ("m.csv", "path,label,speaker\na.wav,yes,None\n", "line 2: speaker is None, which stands for nobody"),
        ("m.csv", "file,filename,label\na.wav,b.wav,yes\n", "columns file and filename could each be the path"),
        ("m.jsonl", '{"path": "a", "label": "x", "label": "y"}', "line 1: has the key label more than once"),
        ("m.jsonl", '{"path": "a", "label": "x", "Label": "y"}', "line 1: has the key label more than once"),
        ("m.jsonl", '{"path": "a", "label": NaN}', "line 1: label is NaN, must be a text or"),
        ("m.jsonl", '{"path": "a", "label": ["yes"]}', "line 1: label is a list, must be a text or"),
        ("m.jsonl", '{"audio": {"path": "a"}, "label": "yes"}', "line 1: audio is an object, must be a text"),
        ("m.jsonl", '{"path": "a", "label": true}', "line 1: label is true, must be a text or"),
        ("m.jsonl", '{"path": "a", "label": "x", "speaker": 1.0}', "line 1: speaker is 1.0, must be a text or"),
        ("m.jsonl", "[" * 100_000, "line 1: is no JSON object"),
    ],
)  # fmt: skip
def test_rows_that_do_not_fit_are_told_with_line_and_column(tmp_path: Path, name: str, text: str, message: str) -> None:
    assert message in refused(write_manifest(tmp_path / name, text))


def test_cells_with_commas_and_quotes(tmp_path: Path) -> None:
    text = 'path,label,note\r\n"a,1.wav", "turn on, ""please""" ,\r\nb.wav,turn on,,\r\n'
    clips = listing_of(write_manifest(tmp_path / "m.csv", text)).clips
    assert [(Path(clip.path).name, clip.label) for clip in clips] == [
        ("a,1.wav", 'turn on, "please"'),
        ("b.wav", "turn on"),
    ]


def test_quotes_in_a_table_with_tabs_are_part_of_the_sentence(tmp_path: Path) -> None:
    text = 'path\tsentence\na.mp3\t"Stop", he said\nb.mp3\t"turn ""on"""\n'
    clips = listing_of(write_manifest(tmp_path / "m.tsv", text)).clips
    assert [clip.label for clip in clips] == ['"Stop", he said', 'turn "on"']


def test_semicolons_between_cells(tmp_path: Path) -> None:
    text = "path;label\na.wav;turn on, please\nb.wav;no\n"
    assert [clip.label for clip in listing_of(write_manifest(tmp_path / "m.csv", text)).clips] == [
        "turn on, please",
        "no",
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m.json", '{"audio_filepath": "a.wav", "duration": 1.0, "command": "yes"}'),  # NeMo
        ("metadata.csv", "file_name,transcription\na.wav,yes\n"),  # Hugging Face
        ("m.csv", "file,class\na.wav,yes\n"),
        ("m.csv", "Filename,Category\na.wav,yes\n"),
        ("m.csv", "path,label,class\na.wav,yes,3\n"),
    ],
)
def test_columns_of_other_programs(tmp_path: Path, name: str, text: str) -> None:
    seconds_of_sound(tmp_path / "a.wav", 1.0)
    listing = listing_of(write_manifest(tmp_path / name, text))
    assert listing.clips == (Clip(str(tmp_path / "a.wav"), "yes"),)


def test_columns_that_were_understood_are_noted(tmp_path: Path) -> None:
    listing = listing_of(write_manifest(tmp_path / "m.csv", "file,class,client_id\na.wav,yes,7f\n"))
    assert listing.clips[0].speaker == "7f"
    assert listing.notes == ("m.csv: takes file for the path, class for the label, client_id for the speaker",)


def test_backslashes_in_paths(tmp_path: Path) -> None:
    touch(tmp_path, "yes/1.wav", "no/odd\\name.wav")
    text = "path,label\nyes\\1.wav,yes\nno\\odd\\name.wav,no\n.\\no\\2.wav,no\n"
    manifest = write_manifest(tmp_path / "m.csv", text)
    assert [clip.path for clip in listing_of(manifest).clips] == [
        str(tmp_path / "yes" / "1.wav"),
        str(tmp_path / "no" / "odd" / "name.wav"),
        str(tmp_path / "no" / "2.wav"),
    ]
    odd = write_manifest(tmp_path / "odd.csv", "path,label\nno/odd\\name.wav,no\n")
    assert listing_of(odd).clips[0].path == str(tmp_path / "no" / "odd\\name.wav")


@pytest.mark.parametrize(
    ("header", "cells", "lies"),
    [
        ("start,end", "0.5,1.5", (0.5, 1.5)),
        ("begin,stop", "0.5,1.5", (0.5, 1.5)),
        ("offset,duration", "0.5,1", (0.5, 1.5)),
        ("onset,offset", "0.5,1.5", (0.5, 1.5)),
        ("offset,duration", "0.0,1.99", (0.0, None)),
        ("duration", "1.25", (None, 1.25)),
        ("duration", "1.98", (None, None)),
        ("Start Time (ms),End Time (ms)", "500,1500", (0.5, 1.5)),
        ("start_ms,duration_ms", "500,1000", (0.5, 1.5)),
        ("start_sample,end_sample", "4000,12000", (0.5, 1.5)),
        ("start,end,duration", "0.5,1.5,1", (0.5, 1.5)),
        ("start,end", ",", (None, None)),
        ("start_frame", "", (None, None)),
    ],
)
def test_times_in_every_unit(tmp_path: Path, header: str, cells: str, lies: tuple[float | None, float | None]) -> None:
    seconds_of_sound(tmp_path / "a.wav", 2.0)
    assert stretches(write_manifest(tmp_path / "m.csv", f"path,label,{header}\na.wav,yes,{cells}\n")) == [lies]


@pytest.mark.parametrize(
    ("header", "cells", "message"),
    [
        ("offset", "0.5", "column offset may be where a clip starts, or where it ends; call it start or end"),
        ("start_frame", "50", "column start_frame seems to be a time in an unknown unit; call it"),
        ("start,start_ms", "0.5,500", "columns start and start_ms both say the start"),
        ("begin,stop", "500,1500", "line 2: begin is 500 s, behind the file's end at 2 s; if these are"),
        ("begin,stop", "0,1500", "line 2: stop gives an end at 1500 s, and the file holds 2 s; if these are"),
        ("start,end,duration", "0.5,1.5,2", "line 2: end is 1.5 s, but start and duration make 2.5 s"),
        ("duration", "0", "line 2: duration is 0 s, must be after the start"),
        ("start", "inf", "line 2: start is 'inf', must be seconds from 0 upwards"),
        ("start_ms", "-1", "line 2: start_ms is '-1', must be milliseconds from 0 upwards"),
    ],
)  # fmt: skip
def test_times_that_are_not_plain_are_refused(tmp_path: Path, header: str, cells: str, message: str) -> None:
    seconds_of_sound(tmp_path / "a.wav", 2.0)
    assert message in refused(write_manifest(tmp_path / "m.csv", f"path,label,{header}\na.wav,yes,{cells}\n"))


def test_an_end_behind_the_files_is_noted(tmp_path: Path) -> None:
    seconds_of_sound(tmp_path / "a.wav", 2.0)
    listing = listing_of(write_manifest(tmp_path / "m.csv", "path,label,end\na.wav,yes,2.5\na.wav,no,2.01\n"))
    note = listing.notes[0]
    assert note.startswith("1 row ends behind the end of the file, whose own end counts, such as ")
    assert note.endswith("/a.wav (2.5 s of 2 s)")


def kaldi_folder(root: Path, **tables: str) -> Path:
    for name, text in tables.items():
        write_manifest(root / name.replace("wav_scp", "wav.scp"), text)
    return root


def test_a_folder_of_kaldis(tmp_path: Path) -> None:
    folder = kaldi_folder(
        tmp_path, wav_scp="u1 sound/1.wav\nu2 /far/2.wav\n", text="u2 turn on\nu1 no\n", utt2spk="u1 anna\n"
    )
    assert listing_of(folder).clips == (
        Clip("/far/2.wav", "turn on"),
        Clip(str(tmp_path / "sound" / "1.wav"), "no", "anna"),
    )
    kaldi_folder(tmp_path, segments="u1 u1 0.5 1.5\nu2 u1 2 3\n")
    assert stretches(folder) == [(2.0, 3.0), (0.5, 1.5)]


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"text": "u3 no\n"}, "text: line 1: u3: wav.scp has no file for u3"),
        ({"text": "u1\n"}, "text: line 1: u1: says nothing"),
        ({"text": "u1 no\nu1 yes\n"}, "text: line 2: u1 stands there twice"),
        ({"text": "u2 no\n"}, "text: line 1: u2: wav.scp gives a command for it, not a file"),
        ({"text": "u1 no\n", "segments": "u1 u1 1 soon\n"}, "segments: line 1: must be a name, a recording"),
        ({"text": "u1 no\n", "segments": "u1 u1 2 1\n"}, "segments: line 1: ends at 1 s, must be after"),
        ({"text": "u1 no\n", "segments": ""}, "text: line 1: u1: segments does not say where it lies"),
        ({"text": "\n"}, "text: an empty table"),
    ],
)
def test_tables_of_kaldis_that_do_not_fit(tmp_path: Path, tables: dict[str, str], message: str) -> None:
    assert message in refused(kaldi_folder(tmp_path, wav_scp="u1 1.wav\nu2 sox 2.wav -t wav - |\n", **tables))
