"""The program as a person meets it: what it prints, its exit codes, and one line for whatever can go wrong."""

import errno
import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import typer

from conftest import one_line
from runs_made import train_by_program
from sayso import cli
from sayso.recipe.recipe import read_recipe
from sayso.system import files
from sayso.system.wording import percent

FAST = ["--set", "training.epochs=1", "--set", "training.threads=1", "--set", "model.width=0.5"]


@pytest.fixture
def sayso(program):
    return program


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train_by_program(tmp_path_factory.mktemp("trained"))


def test_help_needs_neither_torch_nor_numpy():
    script = (
        "import sys\n"
        "from sayso.cli import main\n"
        "sys.argv = ['sayso', '--help']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "heavy = {'torch', 'lightning', 'matplotlib', 'numpy', 'scipy', 'onnxruntime', 'yaml'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "train" in done.stdout


@pytest.mark.parametrize(
    "command", ["train", "evaluate", "predict", "spot", "init", "find-lr", "demo", "list", "doctor", "data", "runs"]
)
def test_every_command_has_help(sayso, command):
    code, out, _ = sayso(command, "--help")
    assert code == 0
    assert "Usage: sayso " + command in out


def commands(group=None, words=()):
    """The words of every command, `sayso` itself first."""
    group = group or typer.main.get_command(cli.app)
    yield words
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*words, name))


@pytest.mark.parametrize("words", [*commands()], ids=" ".join)
def test_help_fits_80_columns_with_nothing_cut_off(sayso, words, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = sayso(*words, "--help")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert len(out.splitlines()) > 5
    *_, listed = out.partition("Commands:\n")
    assert bool(listed) == (words in ((), ("data",), ("runs",), ("show",)))
    assert not [line for line in listed.splitlines() if line.endswith("...")]


def test_data_and_predict_do_without_torch(trained, tone_folder, tmp_path):
    for arguments in (
        ["data", "info", str(tone_folder)],
        ["predict", str(next(tone_folder.rglob("*.wav"))), "--model", str(trained / "run")],
        ["predict", str(tone_folder), "--model", str(trained / "run"), "--out", str(tmp_path / "answers.csv")],
        ["card", str(trained / "run" / "model.onnx")],
        ["runs", "list"],
    ):
        script = (
            "import sys\n"
            "from sayso.cli import main\n"
            f"sys.argv = ['sayso', *{arguments!r}]\n"
            "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
            "heavy = {'torch', 'lightning', 'matplotlib', 'sayso.recipe.recipe'} & set(sys.modules)\n"
            "assert not heavy, heavy\n"
        )
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)


def test_version_and_no_arguments(sayso):
    assert sayso("--version")[1].startswith("sayso ")
    assert "Commands" in sayso()[1] + sayso()[2]


def test_evaluate_prints_what_training_found(sayso, trained):
    code, out, _ = sayso("evaluate", trained / "run", "--json")
    metrics = json.loads((trained / "run" / "metrics.json").read_text())
    assert code == 0
    assert json.loads(out)["test"]["accuracy"] == pytest.approx(metrics["test"]["accuracy"])
    code, out, _ = sayso("evaluate", trained / "run", "--split", "train")
    assert code == 0
    assert "worst first" in out


def test_whether_speakers_are_shared_stands_beside_every_score(sayso, trained, monkeypatch):
    label = "speakers split: no speakers shared"
    run = trained / "run"
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["speakers_shared"] == 0
    assert sayso("evaluate", run)[1].splitlines()[0].endswith(label)
    assert json.loads(sayso("evaluate", run, "--json")[1])["speakers_shared"] == 0
    assert "trained on" in sayso("evaluate", run, "--split", "train")[1].splitlines()[0]
    assert label in run.joinpath("report.html").read_text(encoding="utf-8")
    monkeypatch.chdir(trained)
    (trained / "runs").mkdir()
    (trained / "runs" / "one").symlink_to(run)
    assert sayso("runs", "list")[1].rstrip().endswith(label)


def test_predict_names_words(sayso, trained):
    clips = sorted((trained / "tones").rglob("*.wav"))[:2]
    code, out, _ = sayso("predict", *clips, "--model", trained / "run", "--top", 2, "--json")
    assert code == 0
    answers = [json.loads(line) for line in out.splitlines()]
    assert [answer["file"] for answer in answers] == [str(clip) for clip in clips]
    assert len(answers[0]["predictions"]) == 2
    code, out, _ = sayso("predict", clips[0], "--model", trained / "run" / "model.onnx")
    assert code == 0
    assert str(clips[0]) in out


def test_predict_says_what_it_did_to_a_sound(sayso, trained, tone_folder, tmp_path):
    samples, rate = soundfile.read(next(tone_folder.rglob("*.wav")), dtype="int16")
    soundfile.write(tmp_path / "whole.wav", samples, rate)
    soundfile.write(tmp_path / "numbers.wav", samples.astype(float), rate, subtype="FLOAT")
    plain, told = (
        sayso("predict", tmp_path / name, "--model", trained / "run") for name in ("whole.wav", "numbers.wav")
    )
    assert told[0] == 0
    assert told[1].split(": ")[-1] == plain[1].split(": ")[-1]
    assert "numbers.wav: its floats are whole numbers of int16 and were divided by 32,768" in told[2]
    assert "note" not in plain[2]


def test_odd_names_are_one_line_and_valid_json(trained, tmp_path):
    clip = next((trained / "tones").rglob("*.wav"))
    odd = os.fsdecode(b"odd\xff\n.wav")
    shutil.copy(clip, tmp_path / odd)
    command = [sys.executable, "-m", "sayso", "predict", odd, "--model", trained / "run"]
    # Standard output gives odd bytes back as they are by this; JSON of them would be none.
    environment = os.environ | {"PYTHONIOENCODING": "utf-8:surrogateescape"}
    plain, facts = (
        subprocess.run([*command, *options], cwd=tmp_path, env=environment, capture_output=True, check=True).stdout
        for options in ([], ["--json"])
    )
    assert plain.decode().startswith(r"odd\udcff\n.wav: ")
    assert plain.count(b"\n") == 1
    assert json.loads(facts.decode())["file"] == odd


def test_predict_goes_on_after_a_bad_file(sayso, trained, tmp_path):
    (tmp_path / "bad.wav").write_text("no sound")
    good = next((trained / "tones").rglob("*.wav"))
    code, out, err = sayso("predict", tmp_path / "bad.wav", good, "--model", trained / "run")
    assert code == 2
    assert "bad.wav" in one_line(err)
    assert str(good) in out


def test_the_card_is_in_the_model_and_beside_it_and_names_nobody(sayso, trained):
    run = trained / "run"
    code, out, _ = sayso("card", run)
    assert code == 0
    assert out == (run / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert sayso("card", run / "model.onnx")[1] == out
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    assert percent(metrics["test"]["accuracy"]) in out
    named = sayso("card", run, "--names")[1]
    content = (run / "model.onnx").read_bytes().decode(errors="replace")
    for name in (str(trained), *(f"| {name} |" for name in metrics["test"]["per_speaker"])):
        assert name in named
        assert name not in out + content
    code, out, err = sayso("card", run / "model.onnx", "--names")
    assert (code, out) == (2, "")
    assert "the folder of its run may; name that" in one_line(err)


@pytest.mark.usefixtures("few_voices")
def test_init_writes_a_recipe_that_trains(sayso, tone_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sayso("init", tone_folder)[0] == 0
    text = (tmp_path / "tones.yaml").read_text()
    assert "kind: speech_embedding" in text
    assert "# Units of the hidden layer." in text
    assert "subset_seed" not in text
    assert max(map(len, text.splitlines())) <= 120
    whole = tmp_path / "whole recipe.yaml"
    assert sayso("init", tone_folder, "--all", "--out", whole)[1].endswith(f"train it with: sayso train '{whole}'\n")
    assert whole.read_text().startswith(f"# Train it: sayso train '{whole}'\n")
    assert "subset_seed" in whole.read_text()
    assert read_recipe(whole) == read_recipe(tmp_path / "tones.yaml")
    assert sayso("train", "tones.yaml", *FAST[:4])[0] == 0
    code, out, _ = sayso("runs", "list")
    assert code == 0
    assert "test clips" in out
    assert "exists, nothing was changed" in one_line(sayso("init", tone_folder)[2])
    assert (tmp_path / "tones.yaml").read_text() == text
    run = next((tmp_path / "runs").iterdir())
    assert sayso("runs", "remove", run, "--yes")[0] == 0
    assert not run.exists()


def test_list_names_every_part_with_its_keys(sayso):
    out = sayso("list", "--keys")[1]
    for part in ("fsdd", "folder", "mel", "spectrogram", "tc_resnet", "spec_augment", "n_mels", "probability"):
        assert part in out
    assert sayso("list", "detectors")[1].startswith("detectors:\n  silence          Silence\n")
    assert re.search(
        r"one second: 1 x 1 x 16,000 numbers; 8\d\d\.\d million .* with tc_resnet", sayso("list", "features")[1]
    )


def test_doctor_says_what_is_here(sayso):
    code, out, err = sayso("doctor")
    assert code == 0
    assert err.startswith("loading torch")
    assert "onnxruntime" in out


def fill(folder, word, clips=4, **keys):
    (folder / word).mkdir(parents=True)
    rng = np.random.default_rng(len(word))
    for index in range(clips):
        soundfile.write(folder / word / f"{index}.wav", rng.uniform(-0.3, 0.3, 4000), keys.get("rate", 8000))


def make_empty(folder):
    folder.mkdir()


def make_one_class(folder):
    fill(folder, "yes")


def make_class_of_one(folder):
    fill(folder, "yes")
    fill(folder, "no", clips=1)


def make_unreadable(folder):
    fill(folder, "yes")
    fill(folder, "no")
    for index in range(3):
        (folder / "no" / f"bad{index}.wav").write_text("not a sound")


def make_flat(folder):
    folder.mkdir()
    soundfile.write(folder / "a.wav", np.zeros(100), 8000)


BAD_FOLDERS = {
    make_empty: "empty",
    make_one_class: "at least two words",
    make_class_of_one: "'no': 1",
    make_unreadable: "3 of 11 files cannot be used",
    make_flat: "lie directly in it",
}


@pytest.mark.parametrize("make", BAD_FOLDERS, ids=lambda make: make.__name__)
def test_folders_that_cannot_be_trained_on(sayso, make, tmp_path):
    make(tmp_path / "clips")
    code, _, err = sayso("train", tmp_path / "clips", *FAST, "--out", tmp_path / "run")
    assert code == 2
    assert BAD_FOLDERS[make] in one_line(err)
    assert not (tmp_path / "run").exists()


def test_faulty_clips_within_the_limit_are_skipped_and_named_in_the_report(sayso, tmp_path):
    clips = tmp_path / "clips"
    fill(clips, "yes", clips=20)
    fill(clips, "no", clips=20)
    (clips / "no" / "text.wav").write_text("not a sound")
    (clips / "no" / "nothing.wav").touch()
    whole = (clips / "no" / "0.wav").read_bytes()
    (clips / "no" / "cut.wav").write_bytes(whole[: len(whole) // 2])
    soundfile.write(clips / "yes" / "silent.wav", np.zeros(4000), 8000)
    soundfile.write(clips / "yes" / "nan.wav", np.full(4000, np.nan), 8000, subtype="FLOAT")
    (clips / "yes" / "twin.wav").write_bytes((clips / "no" / "1.wav").read_bytes())
    code, out, _ = sayso("train", clips, *FAST, "--out", tmp_path / "run")
    assert code == 0
    report = (tmp_path / "run" / "report.html").read_text()
    for name in ("text.wav", "nothing.wav", "cut.wav", "nan.wav"):
        assert name in report
    assert "4 of 46 files could not be read" in out
    assert "1 epoch in" in out
    assert "digital silence" in out
    assert "same sound under two labels" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "nowhere"], "nowhere"),
        (["train", "nowhere.yaml"], "no such recipe"),
        (["train", "--resume", "nowhere"], "no run there"),
        (["evaluate", "nowhere"], "no run there"),
        (["predict", "a.wav", "--model", "nowhere"], "no such model"),
        (["init", "nowhere"], "nowhere"),
        (["runs", "remove", "nowhere"], "no run there"),
        (["data", "get", "fsd"], "did you mean 'fsdd'?"),
    ],
)
def test_things_that_are_not_there(sayso, arguments, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = sayso(*arguments)
    assert code == 2
    assert says in one_line(err)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        ["train"],
        ["train", "a", "--resume", "b"],
        ["train", "--resume", "b", "--out", "c"],
        ["trian"],
        ["predict"],
        ["predict", "a.wav", "--model", "b", "--top", "0"],
    ],
)
def test_wrong_usage_ends_with_2(sayso, arguments):
    assert sayso(*arguments)[0] == 2


def test_an_output_folder_that_exists(sayso, trained, tone_folder):
    before = {path.name: path.stat().st_mtime_ns for path in (trained / "run").iterdir()}
    code, _, err = sayso("train", tone_folder, *FAST, "--out", trained / "run")
    assert code == 2
    assert "exists and is not empty" in one_line(err)
    assert before == {path.name: path.stat().st_mtime_ns for path in (trained / "run").iterdir()}


@pytest.mark.parametrize(("number", "says"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "no permission")])
def test_a_full_disk_and_a_forbidden_place(sayso, number, says, tone_folder, tmp_path, monkeypatch):
    def fails(*_, **__):
        raise OSError(number, "no")

    monkeypatch.setattr(files.os, "fsync", fails)
    code, _, err = sayso("train", tone_folder, *FAST, "--out", tmp_path / "run")
    assert code == 2
    assert says in one_line(err)


def test_errors_are_not_printed_among_results_where_standard_error_is_closed(tmp_path):
    command = f"{sys.executable} -m sayso runs remove {tmp_path / 'nowhere'} 2>&-"
    done = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, check=False)
    assert (done.returncode, done.stdout) == (2, b"")


def test_ctrl_c_is_one_line(sayso, tone_folder, tmp_path, monkeypatch):
    def breaks(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("sayso.experiment.train.prepare", breaks)
    code, _, err = sayso("train", tone_folder, *FAST, "--out", tmp_path / "run")
    assert code == 130
    assert "stopped" in one_line(err)


def test_one_damaged_run_does_not_hide_the_others(sayso, trained, tmp_path, monkeypatch):

    monkeypatch.chdir(tmp_path)
    for name, file, content in (("my run", "manifest.json", "[]"), ("b", "metrics.json", "{}"), ("c", None, "")):
        shutil.copytree(trained / "run", tmp_path / "runs" / name)
        if file:
            (tmp_path / "runs" / name / file).write_text(content)
    code, out, _ = sayso("runs", "list")
    assert code == 0
    assert out.count("damaged") == 2
    assert "runs/my run  damaged; sayso runs remove 'runs/my run'\n" in out
    assert out.count("test clips") == 1


def test_a_gpu_that_is_not_here(sayso, tone_folder, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    code, _, err = sayso("train", tone_folder, *FAST, "--set", "training.device=gpu", "--out", tmp_path / "run")
    assert code == 2
    assert "none is here" in one_line(err)
    assert not (tmp_path / "run").exists()
