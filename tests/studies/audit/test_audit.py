"""`sayso audit` as a person meets it."""

import csv
import html
import io
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audit_made import RATE, spoken, write_set
from conftest import one_line
from sayso.recipe.defaults import Wishes
from sayso.recipe.prepared import pack_clips
from sayso.recipe.source import find_recipe
from sayso.system.progress import Progress


@pytest.fixture
def words(tmp_path):
    """Twelve clips of two words; one is silent, and one file is no sound."""
    folder = write_set(tmp_path / "words", {"silent": lambda wave: 0 * wave}, clips=6)
    (folder / "yes" / "broken.wav").write_bytes(b"no sound")
    return folder


def rows_of(path):
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        return list(csv.DictReader(file))


def test_an_audit_leaves_a_page_a_table_and_a_list(program, words, tmp_path):
    out = tmp_path / "out"
    (words / "yes" / "read.me").touch()
    code, text, err = program("audit", words, "--out", out, "--set", "dataset.max_bad_share=0.5")
    assert code == 0
    assert err.count("note: left out, not known as sound") == 1
    lines = {line.split()[0]: line for line in text.splitlines()}
    assert "yes/silent.wav" in lines["silence"]
    assert "yes/broken.wav" in lines["unreadable"]
    assert str(out / "audit.html") in lines["page"]
    page = (out / "audit.html").read_text(encoding="utf-8")
    assert "yes/silent.wav" in page
    assert "<audio" in page
    assert "http" not in page.partition("</head>")[2]
    rows = {row["clip"]: row["fault"] for row in rows_of(out / "exclude.csv")}
    assert rows[str(words / "yes" / "silent.wav")] == "silence"
    assert rows[str(words / "yes" / "broken.wav")] == "unreadable"
    found = [(Path(row["clip"]).name, row["fault"]) for row in rows_of(out / "findings.csv")]
    assert {"silence", "unreadable"} <= {fault for _, fault in found}
    # Where nothing is to be heard nothing else is said.
    assert [fault for name, fault in found if name == "silent.wav"] == ["silence"]
    # One of thirteen, as of all clips, on the page and on the terminal.
    assert lines["silence"].split()[1:4] == lines["unreadable"].split()[1:4] == ["1", "7.7", "%"]
    for fault in ("silence", "unreadable"):
        assert "<td>1</td><td>7.7 %</td>" in page.partition(f'<a href="#{fault}">')[2].partition("</tr>")[0]


def test_what_was_not_looked_for_is_not_said_to_be_absent(program, words, tmp_path):
    code, text, _ = program("audit", words, "--out", tmp_path / "out")
    assert code == 0
    assert "wrong-rate       not looked for: needs 100 clips, here are 12\n" in text
    page = (tmp_path / "out" / "audit.html").read_text(encoding="utf-8")
    section = page.partition('<h2 id="wrong-rate">')[2].partition("</section>")[0]
    assert "Not looked for: needs 100 clips, here are 12." in section
    assert "None was found" not in section
    code, _, err = program("audit", words, "--only", "silence", "--only", "wrong-rate", "--out", tmp_path / "again")
    assert code == 2
    assert one_line(err).endswith("wrong-rate needs 100 clips, here are 13; leave out --only wrong-rate")


def test_clips_of_one_recording_are_told_apart(program, tmp_path):
    rng = np.random.default_rng(0)
    one, two = spoken(rng)[:4000], spoken(rng)[:4000]
    words = [np.pad(wave, (0, 4000 - len(wave))) for wave in (one, two, one, 0 * one, 0 * one)]
    soundfile.write(tmp_path / "talk.wav", np.concatenate(words), RATE, subtype="PCM_16")
    lines = [f"talk.wav,{'ab'[place % 2]},{place / 2},{place / 2 + 0.5}" for place in range(len(words))]
    (tmp_path / "clips.csv").write_text("path,label,start,end\n" + "\n".join(lines) + "\n")
    only = ["--only", "silence", "--only", "near-duplicates"]
    code, text, _ = program("audit", tmp_path / "clips.csv", *only, "--out", tmp_path / "out")
    assert code == 0
    (silence,) = [line for line in text.splitlines() if line.startswith("silence")]
    assert silence.split()[1:4] == ["2", "40.0", "%"]
    assert "talk.wav from 1.5 s, " in silence
    pairs = [row for row in rows_of(tmp_path / "out" / "findings.csv") if row["start_seconds"] == "1.0"]
    assert [(row["fault"], row["other"], row["other_start_seconds"]) for row in pairs] == [
        ("near-duplicates", str(tmp_path / "talk.wav"), "0.0")
    ]


def test_training_leaves_out_what_an_audit_lists(program, words, tmp_path, monkeypatch):
    """By the option that terminal and page give, from any folder, however the audit's own is called."""
    monkeypatch.chdir(tmp_path)
    code, text, _ = program("audit", words, "--only", "silence", "--out", "[1] it's")
    assert code == 0
    command = text.rstrip().partition("use: ")[2]
    page = (tmp_path / "[1] it's" / "audit.html").read_text(encoding="utf-8")
    assert f"{command}<" in html.unescape(page)
    *begin, option, override = shlex.split(command)
    assert (begin, option) == (["sayso", "train", str(words)], "--set")
    monkeypatch.chdir("/")
    _, recipe = find_recipe(words, [override], wishes=Wishes(small=True), progress=Progress())
    corpus = pack_clips(recipe, Progress()).corpus
    kept = {path.stem for path in words.rglob("*.wav")} - {"silent", "broken"}
    assert {Path(clip.path).stem for clip in corpus.clips} == kept
    assert len(corpus) == 11


def test_the_help_opens_without_a_detector():
    script = (
        "import sys\n"
        "from sayso.cli import main\n"
        "sys.argv = ['sayso', 'audit', '--help']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "assert not [name for name in sys.modules if name.startswith('sayso.studies')]\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "sayso list detectors" in " ".join(done.stdout.split())


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text there")
def test_a_name_that_is_no_text_is_printed_and_excluded(program, words, tmp_path, monkeypatch):
    odd = os.fsencode(words / "yes") + b"/\xff\r\n.wav"
    os.rename(words / "yes" / "silent.wav", odd)  # noqa: PTH104 - the name is bytes
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="strict")
    monkeypatch.setattr(sys, "stdout", out)
    code, _, _ = program("audit", words, "--only", "silence", "--out", tmp_path / "out")
    assert code == 0
    out.flush()
    assert b"yes/\\udcff\\r\\n.wav\n" in out.buffer.getvalue()
    assert os.fsencode(rows_of(tmp_path / "out" / "exclude.csv")[1]["clip"]) == odd


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


@pytest.mark.parametrize("options", ["--mislabels", "--only mislabels"])
def test_mislabels_need_words_to_tell_apart_and_that_is_told_at_once(program, words, tmp_path, options):
    code, _, err = program("audit", words, *options.split(), "--out", tmp_path / "out")
    assert code == 2
    says = f"needs at least 2 words of 20 clips or more to tell apart, here are 0; leave out {options}"
    assert one_line(err).endswith(says)
    assert "listening" not in err
    assert not (tmp_path / "out").exists()


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


def test_stopping_the_search_for_mislabels_keeps_the_rest(program, tmp_path, monkeypatch):
    from sayso.studies.audit.detectors.mislabels import Mislabels

    def stopped(*_, **__):
        raise KeyboardInterrupt

    words = write_set(tmp_path / "words", {}, clips=20)
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


def test_clips_are_named_apart_on_the_terminal_and_on_the_page(program, tmp_path):
    for word in ("left", "right"):
        folder = tmp_path / "clips" / word / "ann"
        folder.mkdir(parents=True)
        soundfile.write(folder / "1.wav", np.zeros(8000, np.float32), 8000)
    code, text, _ = program("audit", tmp_path / "clips", "--only", "silence", "--out", tmp_path / "out")
    assert code == 0
    page = (tmp_path / "out" / "audit.html").read_text(encoding="utf-8")
    for name in ("left/ann/1.wav", "right/ann/1.wav"):
        assert name in text
        assert name in page
