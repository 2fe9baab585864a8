"""What was said: tables and label files, and one line for whatever does not fit."""

from pathlib import Path

import pytest

from sayso.errors import DataError
from sayso.metrics.detection import Stretch
from sayso.studies.spotting.truth import Recording, read_truth
from tone_model_made import write_recording

WORDS = ("low", "high")


@pytest.fixture
def recordings(tmp_path: Path) -> list[Recording]:
    paths = [write_recording(tmp_path / "sounds" / name, 10.0, []) for name in ("a.wav", "sub/b.wav")]
    return [Recording(str(path), str(path.relative_to(tmp_path / "sounds")), 10.0) for path in paths]


def read(source: Path, text: str, recordings: list[Recording], **options: bool) -> list[list[Stretch]]:
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(text)
    found = read_truth(source, recordings, WORDS, **options)
    return [list(found.stretches[one.path]) for one in recordings]


def refusal(source: Path, text: str, recordings: list[Recording]) -> str:
    with pytest.raises(DataError) as caught:
        read(source, text, recordings)
    said = str(caught.value)
    assert said.startswith(str(source))
    assert "\n" not in said
    return said.removeprefix(f"{source}: ")


def test_a_table_names_files_words_and_times(tmp_path: Path, recordings: list[Recording]) -> None:
    text = "path,label,start,end\nsounds/sub/b.wav,low,1.5,2\nsounds/a.wav,high,4,4.5\nsounds/a.wav,low,0.5,1\n"
    first, second = read(tmp_path / "said.csv", text, recordings)
    assert first == [Stretch("low", 0.5, 1.0), Stretch("high", 4.0, 4.5)]
    assert second == [Stretch("low", 1.5, 2.0)]


def test_times_in_a_table_have_their_units(tmp_path: Path, recordings: list[Recording]) -> None:
    text = "path,label,start_ms,duration_ms\nsounds/a.wav,high,4000,500\n"
    assert read(tmp_path / "said.csv", text, recordings)[0] == [Stretch("high", 4.0, 4.5)]


def test_a_label_file_of_one_recording(tmp_path: Path, recordings: list[Recording]) -> None:
    text = "4.0\t4.5\thigh\n\\\t500.0\t900.0\n0.5\t0.5\tlow\n\n"
    found = read(tmp_path / "labels.txt", text, recordings[:1])
    assert found == [[Stretch("low", 0.5, 0.5), Stretch("high", 4.0, 4.5)]]


def test_label_files_lie_beside_the_recordings_or_in_a_folder(tmp_path: Path, recordings: list[Recording]) -> None:
    for folder, name in (("sounds", "sub/b.txt"), ("labels", "b.txt")):
        (tmp_path / folder / "sub").mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "a.txt").write_text("")
        (tmp_path / folder / name).write_text("1\t2\tlow\n")
        found = read_truth(tmp_path / folder, recordings, WORDS)
        assert list(found.stretches.values()) == [(), (Stretch("low", 1.0, 2.0),)]


def test_each_recording_needs_a_label_file(tmp_path: Path, recordings: list[Recording]) -> None:
    (tmp_path / "sounds" / "a.txt").write_text("")
    with pytest.raises(DataError, match=r"no sub/b\.txt for .*b\.wav \(an empty one says that no word is in it\)"):
        read_truth(tmp_path / "sounds", recordings, WORDS)
    (tmp_path / "sounds" / "a.txt").write_text("low\n")
    with pytest.raises(DataError, match=r"a\.txt: line 1: 'low'; a line of a label file"):
        read_truth(tmp_path / "sounds", recordings, WORDS)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1.0\t2.0", "line 2: '1.0\t2.0'; a line of a label file is start TAB end TAB label, in seconds"),
        ("1,5\t2,0\tlow", "line 2: '1,5' is no time, must be seconds from 0, such as 1.5"),
        ("1.0\tnan\tlow", "line 2: 'nan' is no time"),
        ("-1.0\t2.0\tlow", "line 2: '-1.0' is no time"),
        ("3.0\t2.0\tlow", "line 2: ends at 2 s, before its start at 3 s"),
    ],
)
def test_lines_that_are_no_labels_are_told(tmp_path: Path, recordings: list[Recording], line: str, said: str) -> None:
    told = refusal(tmp_path / "labels.txt", f"0\t1\tlow\n{line}\n", recordings[:1])
    # Tabs are shown as what they are written by.
    shown = said.replace("\t", "\\t")
    assert told.startswith(shown)


def test_labels_of_one_recording_do_not_do_for_two(tmp_path: Path, recordings: list[Recording]) -> None:
    assert "labels of one recording, and 2 are" in refusal(tmp_path / "labels.txt", "0\t1\tlow\n", recordings)


def test_unknown_labels_are_told_with_the_words_or_are_other_speech(
    tmp_path: Path, recordings: list[Recording]
) -> None:
    text = "path,label,start,end\nsounds/a.wav,hello,1,2\nsounds/a.wav,hello,3,4\nsounds/a.wav,Low,5,6\n"
    told = refusal(tmp_path / "said.csv", text, recordings)
    assert told == (
        "labels that are no words of the model: 'hello' (2), 'Low' (1); it has low, high: correct them, or give "
        "--ignore-unknown where they are other speech"
    )
    found = read_truth(tmp_path / "said.csv", recordings, WORDS, ignore_unknown=True)
    assert [one.label for one in found.stretches[recordings[0].path]] == ["hello", "hello", "Low"]
    assert "3 labels are no words of the model: other speech" in found.notes


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("sounds/c.wav,low,1,2", "sounds/c.wav: no such file"),
        ("sounds/a.wav,low,1,", "does not say where 'low' ends; name columns path, label, start, end"),
        ("sounds/a.wav,low,12,13", "line 2: start is 12 s, behind the file's end at 10 s"),
        ("sounds/a.wav,low,2,1", "line 2: end is 1 s, must be after the start"),
        ("sounds/a.wav,low,soon,1", "line 2: start is 'soon', must be seconds from 0 upwards"),
    ],
)
def test_rows_that_do_not_fit_are_told(tmp_path: Path, recordings: list[Recording], row: str, said: str) -> None:
    assert said in refusal(tmp_path / "said.csv", f"path,label,start,end\n{row}\n", recordings)


def test_times_past_the_end_of_a_label_file_are_told(tmp_path: Path, recordings: list[Recording]) -> None:
    told = refusal(tmp_path / "labels.txt", "12\t13\tlow\n", recordings[:1])
    assert "'low' at 12 to 13 s is behind the end at 10 s; are the times in seconds?" in told


def test_a_word_that_ends_behind_the_end_ends_there_and_that_is_noted(
    tmp_path: Path, recordings: list[Recording]
) -> None:
    source = tmp_path / "labels.txt"
    source.write_text("9.5\t10.2\tlow\n")
    found = read_truth(source, recordings[:1], WORDS)
    assert found.stretches[recordings[0].path] == (Stretch("low", 9.5, 10.0),)
    assert found.notes == (f"{recordings[0].path}: 'low' at 9.5 to 10.2 s ends behind the end at 10 s, which counts",)


def test_recordings_that_a_table_does_not_name_and_files_that_are_not_listened_to(
    tmp_path: Path, recordings: list[Recording]
) -> None:
    other = write_recording(tmp_path / "sounds" / "c.wav", 3.0, [])
    source = tmp_path / "said.csv"
    source.write_text("path,label,start,end\nsounds/a.wav,low,1,2\nsounds/c.wav,low,1,2\n")
    notes = read_truth(source, recordings, WORDS).notes
    assert f"{source}: 1 line is of other files, such as {other}" in notes
    assert (
        f"{source} has nothing of 1 recording, such as {recordings[1].path}: every detection there is a false alarm"
        in notes
    )
    with pytest.raises(DataError, match="names none of the recordings"):
        read_truth(source, recordings[1:], WORDS)


def test_a_word_as_long_as_its_file_is_noted(tmp_path: Path) -> None:
    (tmp_path / "long.wav").touch()
    long = [Recording(str(tmp_path / "long.wav"), "long.wav", 600.0)]
    table = tmp_path / "table.csv"
    table.write_text("path,label,duration\nlong.wav,low,600\n")
    notes = read_truth(table, long, ["low"]).notes
    assert any(note.startswith("1 word lasts more than 15 s, such as 'low' at 0 to 600 s in") for note in notes)
    table.write_text("path,label,start,end\nlong.wav,low,3,3.5\nlong.wav,talk,10,500\n")
    assert not any("lasts" in note for note in read_truth(table, long, ["low"], ignore_unknown=True).notes)
