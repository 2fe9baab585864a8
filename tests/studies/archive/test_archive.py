"""Archives: files found, answered in order, kept through kills, written as tables."""

import csv
import errno
import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from conftest import one_line
from folders_made import no_files_above
from models_made import RATE, loudness_model
from sayso.errors import DataError, InterruptedRunError, MissingExtraError, OutputError, RunError
from sayso.runtime import Recognizer
from sayso.studies.archive import answers as answers_module
from sayso.studies.archive.answers import Answered, Answers, Column, WordAnswers
from sayso.studies.archive.predict import predict_archive
from sayso.studies.archive.sources import find_files
from sayso.studies.archive.unfinished import Unfinished
from tone_model_made import make_tone_model, write_recording

SCANDIR = os.scandir


class Lengths(Answers):
    """Answers with the length of each name; what is called `stop` raises what it is given."""

    columns = (Column("length", str),)
    batch = 4

    def __init__(self, *, digest: str = "one", stop: BaseException | None = None) -> None:
        self._digest, self._stop = digest, stop
        self.answered: list[str] = []

    def answer(self, paths):
        self.answered += paths
        if self._stop and any("stop" in path for path in paths):
            raise self._stop
        return [Answered(path, ((str(len(path)),),)) for path in paths]


@pytest.fixture
def model(tmp_path) -> Path:
    return loudness_model(tmp_path / "model.onnx", threshold="0.5")


@pytest.fixture
def archive(tmp_path) -> Path:
    """Files of several folders: loud ones above the mean are `up`, below it `down`."""
    folder = tmp_path / "archive"
    for place in range(10):
        path = folder / f"{place % 3}" / f"{place}.flac"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.full(RATE, 0.9 if place % 2 else -0.9), RATE)
    return folder


def made_list(folder: Path, names) -> Path:
    """A list of files that are there, and empty."""
    for name in names:
        (folder / name).touch()
    (folder / "list.txt").write_text("\n".join(names))
    return folder / "list.txt"


def table_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_folders_patterns_and_lists_name_files(archive, tmp_path):
    every = sorted(map(str, archive.rglob("*.flac")))
    (archive / ".hidden").mkdir()
    (archive / ".hidden" / "a.wav").touch()
    (archive / "1" / "readme.txt").write_text("no sound\n")
    assert list(find_files([archive])) == every
    assert sorted(find_files([f"{archive}/**/*.flac"])) == every
    (archive / "2" / "back").symlink_to(archive)
    assert list(find_files([archive])) == every
    (tmp_path / "list.txt").write_text(f"archive/0/0.flac\r\n\n{every[3]}\nmissing.wav")
    assert list(find_files([tmp_path / "list.txt"])) == [every[0], every[3], f"{tmp_path}/missing.wav"]
    (tmp_path / "list.csv").write_text("label,path\nyes,archive/0/0.flac\n")
    assert list(find_files([tmp_path / "list.csv", every[1]])) == every[:2]


def test_files_come_in_order_and_as_a_list_beside_them_names_them(archive, monkeypatch):
    monkeypatch.chdir(archive)
    every = sorted(str(path.relative_to(archive)) for path in archive.rglob("*.flac"))
    monkeypatch.setattr("glob.os.scandir", _backwards)
    assert list(find_files(["**/*.flac"])) == every
    Path("list.txt").write_text("\n".join(every))
    assert list(find_files(["list.txt"])) == every


@contextmanager
def _backwards(folder):
    """What a folder holds, in an order of its own."""
    with SCANDIR(folder) as entries:
        yield iter(sorted(entries, key=lambda entry: entry.name, reverse=True))


def test_sources_that_name_nothing_are_told(archive, tmp_path):
    (tmp_path / "empty").mkdir()
    for name, text in (("none.txt", ""), ("gone.txt", "gone.wav\n"), ("no.csv", "a,b\n1,2\n"), ("no.bin", "\0\0\n")):
        (tmp_path / name).write_text(text)
    for source, told in (
        ("empty", "no sound files in this folder"),
        ("*.ogg", "matches no sound file"),
        ("nowhere", "no such file, folder or list"),
        ("none.txt", "an empty list"),
        ("gone.txt", r"names nothing that exists, such as .*gone\.wav"),
        ("no.csv", "has no column `path` or `file`"),
        ("no.bin", "neither a sound file by its name nor a list"),
    ):
        with pytest.raises(DataError, match=told):
            list(find_files([tmp_path / source]))
        with pytest.raises(DataError, match=told):
            predict_archive([archive, tmp_path / source], Lengths(), out=tmp_path / "out.csv")
    assert not list(tmp_path.glob("out.csv*"))


def test_the_answers_are_those_of_predict_and_bad_files_are_told(archive, model, tmp_path, program):
    (archive / "1" / "bad.wav").write_text("no sound")
    samples = np.full(RATE, 0.4, np.float32)
    samples[0] = 1.5
    soundfile.write(archive / "2" / "loud.wav", samples, RATE, subtype="FLOAT")
    code, out, err = program("predict", archive, "--model", model, "--out", tmp_path / "a.csv", "--top", 9)
    rows = table_of(tmp_path / "a.csv")
    assert [row["file"] for row in rows] == list(find_files([archive]))
    bad = next(row for row in rows if row["file"].endswith("bad.wav"))
    assert bad["error"].endswith("cannot be read as sound: another kind of file, damaged, or cut short")
    assert (bad["label"], bad["probability"]) == ("", "")
    assert next(row for row in rows if row["file"].endswith("loud.wav"))["remark"].startswith("1 sample lies outside")
    recognizer = Recognizer(model)
    for row in rows:
        if not row["error"] and not row["remark"]:
            first, second = recognizer.predict(row["file"], top=2)
            assert (row["label"], row["label_2"]) == (first.label, second.label)
            assert float(row["probability"]) == pytest.approx(first.probability)
    assert {row["label"] for row in rows} == {"", "up", "down"}
    assert code == 2
    assert err.splitlines()[-1].startswith("sayso: 1 of 12 files could not be used; the column `error` of")
    assert [line for line in err.splitlines() if "bad.wav" in line] == [f"sayso: {bad['error']}"]
    assert out.splitlines()[-1] == f"table        {tmp_path / 'a.csv'}, 12 files"
    assert [path.name for path in tmp_path.glob("a.csv*")] == ["a.csv"]


def test_what_cannot_be_read_in_a_folder_is_told_and_the_rest_is_done(archive, model, tmp_path, monkeypatch):
    (archive / "0" / "round.wav").symlink_to("round.wav")
    os.mkfifo(archive / "2" / "pipe.wav")
    scandir = os.scandir

    def refuse(path="."):
        if str(path) == f"{archive}{os.sep}1":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    done = predict_archive([archive], WordAnswers(Recognizer(model)), out=tmp_path / "a.csv")
    assert (done.files, done.failed) == (10, 3)
    why = {Path(row["file"]).name: row["error"].partition(": ")[2] for row in table_of(tmp_path / "a.csv")}
    assert why["round.wav"] == "is a link to a file that is not there"
    assert why["pipe.wav"].startswith("is no regular file")
    assert why["1"] == "is a folder that cannot be read (Permission denied); check its permissions"
    with pytest.raises(DataError, match=r"1: cannot be read \(Permission denied\); check its permissions"):
        list(find_files([archive / "1"]))


def test_what_several_sources_mean_is_answered_once(archive, model, tmp_path, program, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sources = ("archive/1", archive, "archive/*/0.flac")
    code, out, err = program("predict", *sources, "--model", model, "--out", tmp_path / "a.csv")
    rows = [str(Path(row["file"]).absolute()) for row in table_of(tmp_path / "a.csv")]
    assert sorted(rows) == sorted(map(str, archive.rglob("*.flac")))
    assert (code, "note: 4 files were named more than once, and answered once" in err) == (0, True)
    assert out.splitlines()[-1].endswith("a.csv, 10 files")


def test_a_table_is_the_same_in_every_form(archive, model, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra parquet is not installed")
    (archive / os.fsdecode(b"\xff.wav")).write_text("no sound")
    for ending in ("csv", "jsonl", "parquet"):
        predict_archive([archive], WordAnswers(Recognizer(model)), out=tmp_path / f"a.{ending}")
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()]
    table = parquet.read_table(tmp_path / "a.parquet")
    lines = [line | {"file": line["file"].encode(errors="backslashreplace").decode()} for line in lines]
    assert table.to_pylist() == lines
    assert json.loads(table.schema.metadata[b"sayso"])["model_sha256"] == WordAnswers(Recognizer(model))._digest
    texts = [{key: "" if cell is None else str(cell) for key, cell in line.items()} for line in lines]
    assert table_of(tmp_path / "a.csv") == texts
    assert sum(line["file"].endswith("\\udcff.wav") for line in lines) == 1


def test_without_pyarrow_parquet_is_refused_before_anything_is_done(archive, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"\.csv and \.jsonl do without.*\[parquet\]"):
        predict_archive([archive], Lengths(), out=tmp_path / "a.parquet")
    with pytest.raises(OutputError, match=r"a table ends in \.parquet, \.csv or \.jsonl"):
        predict_archive([archive], Lengths(), out=tmp_path / "a.xls")
    assert not list(tmp_path.glob("a.*"))


def test_what_is_killed_goes_on_without_a_file_lost_or_twice(tmp_path):
    names = [f"{place}.wav" for place in range(30)]
    source = made_list(tmp_path, names)
    script = (
        "import os, sys; sys.path[:0] = sys.argv[3].split(os.pathsep)\n"
        "from pathlib import Path\n"
        "from sayso.studies.archive import predict\n"
        "from sayso.studies.archive.unfinished import Unfinished\n"
        "from studies.archive.test_archive import Lengths\n"
        "add = Unfinished.add\n"
        "def die(self, some):\n"
        "    add(self, some)\n"
        "    if self.done >= 12:\n"
        "        self._file.write('[\"a'); self._file.flush(); os.kill(os.getpid(), 9)\n"
        "Unfinished.add = die\n"
        "predict.predict_archive([sys.argv[1]], Lengths(), out=Path(sys.argv[2]))\n"
    )
    tests = Path(__file__).parents[2]
    arguments = [source, tmp_path / "a.csv", os.pathsep.join([str(tests), *sys.path])]
    done = subprocess.run([sys.executable, "-c", script, *map(str, arguments)], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "a.csv").exists()
    rest = Lengths()
    predict_archive([source], rest, out=tmp_path / "a.csv")
    assert rest.answered == [f"{tmp_path}/{name}" for name in names[12:]]
    assert [row["file"] for row in table_of(tmp_path / "a.csv")] == [f"{tmp_path}/{name}" for name in names]


@pytest.mark.parametrize("damage", [b"", b'["file", [', b"\0\0\n", b'["other.wav", [], null, null]\n', b"[]\n"])
def test_answers_are_kept_as_far_as_whole_batches_are_whole(tmp_path, damage):
    names = [*(f"{place}.wav" for place in range(11)), "stop.wav", "last.wav"]
    source = made_list(tmp_path, names)
    with pytest.raises(InterruptedRunError, match=r"8 of 13 files answered, .* the same command goes on"):
        predict_archive([source], Lengths(stop=KeyboardInterrupt()), out=tmp_path / "a.csv")
    kept = tmp_path / "a.csv.unfinished" / "answers.jsonl"
    lines = kept.read_bytes().splitlines(keepends=True)
    kept.write_bytes(b"".join(lines[:6]) + damage)
    rest = Lengths()
    predict_archive([source], rest, out=tmp_path / "a.csv")
    assert rest.answered == [f"{tmp_path}/{name}" for name in names[4:]]
    assert [row["file"] for row in table_of(tmp_path / "a.csv")] == [f"{tmp_path}/{name}" for name in names]


def test_a_disk_without_room_is_one_line_and_the_same_command_goes_on(tmp_path):
    names = ["stop.wav", *(f"{place:03}.wav" for place in range(100))]
    source = made_list(tmp_path, names)
    with pytest.raises(InterruptedRunError):  # what there is to answer is listed before the disk is full
        predict_archive([source], Lengths(stop=KeyboardInterrupt()), out=tmp_path / "a.csv")
    with no_files_above(1000), pytest.raises(OutputError, match=r"cannot write .*a\.csv\.unfinished: "):
        predict_archive([source], Lengths(), out=tmp_path / "a.csv")
    predict_archive([source], Lengths(), out=tmp_path / "a.csv")
    assert [row["file"] for row in table_of(tmp_path / "a.csv")] == [f"{tmp_path}/{name}" for name in names]


def test_no_more_files_are_held_than_a_few_batches(tmp_path, monkeypatch):
    source = made_list(tmp_path, [f"{place}.wav" for place in range(400)])
    monkeypatch.setattr("sayso.studies.archive.predict.count_workers", lambda: 2)
    ahead: list[int] = []
    answers = Lengths()

    add = Unfinished.add
    monkeypatch.setattr(
        Unfinished, "add", lambda self, some: (ahead.append(len(answers.answered) - self.done), add(self, some))
    )
    predict_archive([source], answers, out=tmp_path / "a.csv")
    assert 0 < max(ahead) <= 6 * answers.batch
    assert len(answers.answered) == 400


def test_a_table_that_is_there_or_of_another_model_is_left_alone(tmp_path, monkeypatch):
    source = made_list(tmp_path, ["a.wav", "stop.wav"])
    (tmp_path / "a.csv").write_text("mine")
    with pytest.raises(OutputError, match="is there already, nothing was changed; choose another --out"):
        predict_archive([source], Lengths(), out=tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == "mine"
    with pytest.raises(InterruptedRunError):
        predict_archive([source], Lengths(stop=KeyboardInterrupt()), out=tmp_path / "b.csv")
    with pytest.raises(
        RunError, match=r"begun with another model \(SHA-256 one\.\.\., this one is two\.\.\.\); go on as"
    ):
        predict_archive([source], Lengths(digest="two"), out=tmp_path / "b.csv")
    with pytest.raises(RunError, match=r"begun with sources .*, asked is .*; go on as it was begun"):
        predict_archive([source, source], Lengths(), out=tmp_path / "b.csv")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match=r"begun with working_folder None, asked is /"):
        predict_archive([Path(source).name], Lengths(), out=tmp_path / "b.csv")  # its files would be called otherwise
    (tmp_path / "b.csv.unfinished" / "asked.json").write_text("{")
    with pytest.raises(RunError, match="damaged; remove it to begin anew"):
        predict_archive([source], Lengths(), out=tmp_path / "b.csv")
    assert not (tmp_path / "b.csv").exists()


def test_files_that_vanish_or_grow_while_they_are_read_are_told(archive, model, monkeypatch):
    paths = list(find_files([archive]))
    Path(paths[0]).unlink()
    read = answers_module.read_sound

    def grow(path):
        sound = read(path)
        if path == paths[1]:
            with Path(path).open("ab") as file:
                file.write(b"more")
        return sound

    monkeypatch.setattr(answers_module, "read_sound", grow)
    gone, grown, *rest = WordAnswers(Recognizer(model)).answer(paths)
    assert gone.error == f"{paths[0]}: no such file"
    assert grown.error == f"{paths[1]}: changed while it was read; ask again when nothing writes to it any more"
    assert (gone.rows, grown.rows) == ((), ())
    assert [one.error for one in rest] == [None] * 8


def test_one_word_is_not_asked_of_an_hour(tmp_path, model):
    soundfile.write(tmp_path / "long.wav", np.zeros(700 * 1000, np.int16), 1000)
    (told,) = WordAnswers(Recognizer(model)).answer([str(tmp_path / "long.wav")])
    assert told.error.endswith(
        "12 minutes of sound, of which one word is asked (at most 10); find the words in long files with --spot"
    )


def test_of_a_long_file_it_is_said_how_much_was_heard(tmp_path, model):
    soundfile.write(tmp_path / "a.wav", np.full(3 * RATE, 0.5), RATE)
    (told,) = WordAnswers(Recognizer(model)).answer([str(tmp_path / "a.wav")])
    assert (told.remark, told.error) == ("heard 1 of its 3.0 s; `sayso spot` finds words in long files", None)


def test_words_are_found_in_long_files(tmp_path, program):
    model = make_tone_model(tmp_path / "model.onnx")
    folder = tmp_path / "long"
    write_recording(folder / "a.wav", 8.0, [("low", 2.0), ("high", 5.0)])
    write_recording(folder / "b.wav", 3.0, [])
    (folder / "c.wav").write_text("no sound")
    code, out, err = program("predict", folder, "--model", model, "--out", tmp_path / "a.jsonl", "--spot")
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(Path(row["file"]).name, row["word"]) for row in rows] == [
        ("a.wav", "low"),
        ("a.wav", "high"),
        ("b.wav", None),
        ("c.wav", None),
    ]
    assert 2.3 < rows[0]["end"] < 3.2
    assert [bool(row["error"]) for row in rows] == [False, False, False, True]
    assert code == 2
    assert "1 of 3 files could not be used" in err.splitlines()[-1]
    assert "files without any 1" in out


def test_options_that_contradict_one_another_are_told(archive, model, tmp_path, program):
    for options, told in (
        (["--out", tmp_path / "a.csv", "--json"], "--json: prints, where --out writes"),
        (["--spot"], "--spot: writes a table, and needs --out"),
        (["--out", tmp_path / "a.csv", "--threshold", 0.5], "are for listening, and need --spot"),
        (["--out", tmp_path / "a.csv", "--spot", "--top", 2], "--top, --no-reject: are for whole clips; --spot goes"),
        (["--out", tmp_path / "a.csv", "--spot", "--no-reject"], "--top, --no-reject: are for whole clips"),
    ):
        code, out, err = program("predict", archive, "--model", model, *options)
        assert (code, out) == (2, "")
        assert told in one_line(err)
    code, _, err = program("predict", archive, "--model", model)
    assert code == 2
    assert one_line(err).endswith("is a folder, not a sound file; for all that is in it add --out answers.csv")
