"""`sayso audit` as a person meets it."""

import csv

import numpy as np
import pytest
import soundfile

from audit_made import RATE, write_set
from conftest import one_line


@pytest.fixture
def words(tmp_path):
    """Twelve clips of two words; one is silent, and one file is no sound."""
    folder = write_set(tmp_path / "words", {"silent": lambda wave: 0 * wave}, clips=6)
    (folder / "yes" / "broken.wav").write_bytes(b"no sound")
    return folder


def test_an_audit_leaves_a_page_a_table_and_a_list(program, words, tmp_path):
    out = tmp_path / "out"
    code, text, _ = program("audit", words, "--out", out, "--set", "dataset.max_bad_share=0.5")
    assert code == 0
    lines = {line.split()[0]: line for line in text.splitlines()}
    assert "yes/silent.wav" in lines["silence"]
    assert "yes/broken.wav" in lines["unreadable"]
    assert str(out / "audit.html") in lines["page"]
    page = (out / "audit.html").read_text(encoding="utf-8")
    assert "yes/silent.wav" in page
    assert "<audio" in page
    assert "http" not in page.partition("</head>")[2]
    with (out / "exclude.csv").open(newline="") as file:
        rows = {row["clip"]: row["fault"] for row in csv.DictReader(file)}
    assert rows[str(words / "yes" / "silent.wav")] == "silence"
    assert rows[str(words / "yes" / "broken.wav")] == "unreadable"
    with (out / "findings.csv").open(newline="") as file:
        assert {"silence", "unreadable"} <= {row["fault"] for row in csv.DictReader(file)}


def test_only_some_faults_of_a_manifest(program, words, tmp_path):
    manifest = tmp_path / "clips.csv"
    rows = [f"{path},{path.parent.name}" for path in sorted(words.rglob("clip*.wav"))]
    manifest.write_text("path,label\n" + "\n".join(rows) + "\n")
    code, text, _ = program("audit", manifest, "--only", "clipping", "--only", "length", "--out", tmp_path / "out")
    assert code == 0
    assert [line.split()[0] for line in text.splitlines()[1:3]] == ["clipping", "length"]


def test_a_source_that_is_not_there(program, tmp_path):
    code, _, err = program("audit", "fsd", "--out", tmp_path / "out")
    assert code == 2
    assert "did you mean 'fsdd'?" in one_line(err)
    code, _, err = program("audit", tmp_path / "nowhere.csv", "--out", tmp_path / "out")
    assert code == 2
    assert "nowhere.csv" in one_line(err)
    assert not (tmp_path / "out").exists()


def test_a_fault_that_nobody_looks_for(program, words):
    code, _, err = program("audit", words, "--only", "clipings")
    assert code == 2
    assert "no fault 'clipings'; did you mean 'clipping'?" in one_line(err)


def test_a_folder_in_use_stays_as_it_is(program, words, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    code, _, err = program("audit", words, "--out", tmp_path / "out")
    assert code == 2
    assert "not empty" in one_line(err)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_place_that_cannot_be_written(program, words, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = program("audit", words, "--out", tmp_path / "file" / "out")
    assert code == 2
    assert "file" in one_line(err)


def test_mislabels_need_words_to_tell_apart(program, words, tmp_path):
    code, _, err = program("audit", words, "--mislabels", "--out", tmp_path / "out")
    assert code == 2
    assert "needs at least 2 to tell apart" in one_line(err)


def test_one_clip_is_too_few(program, tmp_path):
    (tmp_path / "words" / "yes").mkdir(parents=True)
    soundfile.write(tmp_path / "words" / "yes" / "1.wav", np.zeros(RATE), RATE)
    code, _, err = program("audit", tmp_path / "words", "--out", tmp_path / "out")
    assert code == 2
    assert "needs at least 2" in one_line(err)


def test_no_clip_can_be_read(program, tmp_path):
    (tmp_path / "words" / "yes").mkdir(parents=True)
    for name in ("1.wav", "2.wav"):
        (tmp_path / "words" / "yes" / name).write_bytes(b"no sound")
    code, _, err = program("audit", tmp_path / "words", "--out", tmp_path / "out")
    assert code == 2
    assert "none of 2 clips can be read" in one_line(err)


def test_stopping_the_search_for_mislabels_keeps_the_rest(program, words, tmp_path, monkeypatch):
    from sayso.audit.mislabels import Mislabels

    def stopped(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(Mislabels, "find", stopped)
    code, _, err = program("audit", words, "--mislabels", "--out", tmp_path / "out")
    assert code == 130
    assert "all other findings are kept" in one_line(err)
    assert (tmp_path / "out" / "exclude.csv").is_file()


@pytest.mark.slow
def test_a_wrong_label_is_found(program, tmp_path):
    folder = write_set(tmp_path / "words", {}, clips=40)
    (folder / "no" / "clip3.wav").rename(folder / "yes" / "really-no.wav")
    code, text, err = program("audit", folder, "--only", "mislabels", "--out", tmp_path / "out")
    assert code == 0
    assert "5 folds of 80 clips" in err
    assert "yes/really-no.wav" in text
