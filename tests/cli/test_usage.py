"""What is typed wrongly is told in one line, whoever finds it: typer, a command, or what a command calls."""

import io
import shutil
import subprocess
import sys

import pytest

from conftest import one_line
from runs_made import small_run


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["evaluate", "run", "--split", "gif"], "--split: 'gif' is not one of 'test', 'validation', 'train', 'all'."),
        (["export", "run", "--c", "x", "--weights", "gif"], "--weights: 'gif' is not one of 'float', 'int8'."),
        (["spot", "a.wav", "--model", "m", "--within", "-1"], "--within: "),
        (["evaluate", "run", "--map", "yes"], "--map and --set are about other recordings; name them with --on"),
        (["train", "--resume", "run", "--epochs", "3"], "--resume goes on with a run as it is: "),
        (["train"], "give one of these: a recipe, folder or manifest; --words"),
        (["predict", "a.wav"], "Missing option '--model'. See sayso predict -h"),
        (["train", "a", "--epoch", "3"], "No such option: --epoch"),
        (["train", "a", "--epochs", "nan"], "--epochs: is 'nan', must be a whole number"),
        (["predict", "a.wav", "--threshold=\\1"], r"--threshold: is '\1', must be a number"),
        (["studio", "--port", "65536"], "--port: is '65536', must be at most 65535"),
        (["studio", "--port=-1"], "--port: is '-1', must be at least 0"),
        (["trian"], "No such command 'trian'. Did you mean 'train'? See sayso -h"),
    ],
)
def test_a_mistake_in_what_is_typed_is_one_line(program, arguments, said):
    code, out, err = program(*arguments)
    assert (code, out) == (2, "")
    assert one_line(err) == err.strip()
    assert err.startswith(f"sayso: {said}")


@pytest.mark.parametrize("words", [[], ["data"], ["show"]])
def test_a_group_without_a_command_shows_its_help(program, words):
    code, _, err = program(*words)
    assert code == 2
    assert err.startswith(f"Usage: {' '.join(['sayso', *words])} ")


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        ("", 2, "sayso: remove {run}? Nobody answers; give --yes\n"),
        (None, 2, "sayso: remove {run}? Nobody answers; give --yes\n"),
        ("n\n", 0, ""),
        ("y\n", 0, ""),
    ],
)
def test_what_removes_runs_asks_whoever_is_there(program, tone_folder, tmp_path, monkeypatch, typed, code, said):
    run = small_run(tone_folder, tmp_path / "run", epochs=1)
    monkeypatch.setattr(sys, "stdin", None if typed is None else io.StringIO(typed))
    ended, out, err = program("runs", "remove", run.path)
    assert (ended, err) == (code, said.format(run=run.path))
    assert out == (f"removed {run.path}\n" if typed == "y\n" else "")
    assert run.path.exists() == (typed != "y\n")


def test_a_run_that_is_named_twice_or_by_a_dot_is_removed_once(program, tone_folder, tmp_path, monkeypatch):
    run = small_run(tone_folder, tmp_path / "run", epochs=1)
    shutil.copytree(run.path, tmp_path / "other")
    monkeypatch.chdir(tmp_path)
    assert program("runs", "remove", "other", tmp_path / "other", "./other/", "--yes") == (0, "removed other\n", "")
    monkeypatch.chdir(run.path)
    assert program("runs", "remove", ".", "--yes") == (0, "removed .\n", "")
    monkeypatch.chdir(tmp_path)
    assert list(tmp_path.glob("*/recipe.yaml")) == []


@pytest.mark.parametrize("rank", [0, 1])
def test_under_torchrun_what_one_process_does_is_refused_once(program, monkeypatch, rank):
    facts = {"RANK": rank, "WORLD_SIZE": 2, "LOCAL_RANK": rank, "LOCAL_WORLD_SIZE": 2}
    for key, value in (facts | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": 1}).items():
        monkeypatch.setenv(key, str(value))
    code, out, err = program("find-lr", "r.yaml")
    assert (code, out) == (2, "")
    assert err == "" if rank else "find-lr is the work of one process" in one_line(err)


@pytest.mark.parametrize("said", ["Overflow when unpacking long long", "(34, 'Numerical result out of range')"])
def test_a_number_without_end_is_one_line(program, tone_folder, monkeypatch, said):
    def fail(*_, **__):
        raise TypeError(said) if "unpacking" in said else OverflowError(said)

    monkeypatch.setattr("sayso.experiment.train.train", fail)
    code, _, err = program("train", tone_folder)
    assert (code, "is larger than any processor counts" in one_line(err)) == (2, True)


def test_too_little_memory_is_one_line(program, tone_folder, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("[enforce fail] can't allocate memory: you tried to allocate 10080 bytes. Error code 12")

    monkeypatch.setattr("sayso.experiment.train.train", fail)
    code, _, err = program("train", tone_folder)
    told = "sayso: too little memory (you tried to allocate 10080 bytes); ask for less"
    assert (code, one_line(err).startswith(told)) == (2, True)


@pytest.mark.parametrize("command", ["train", "audit", "verify", "card"])
def test_a_name_that_is_too_long_is_one_line(program, command):
    code, out, err = program(command, "yes, no, " * 50)
    assert (code, out) == (2, "")
    assert one_line(err).endswith(": File name too long")


@pytest.mark.parametrize(
    ("option", "key"),
    [("--epochs", "training.epochs"), ("--device", "training.device"), ("--negatives", "rejection.recordings")],
)
def test_what_is_said_in_two_ways_is_refused(program, option, key):
    value = {"--epochs": "1", "--device": "cpu", "--negatives": "radio"}[option]
    code, _, err = program("train", "clips", option, value, "--set", f"{key}=2")
    assert (code, f"{option} and --set {key} say the same; give one of the two" in one_line(err)) == (2, True)


def test_what_clears_the_cache_asks_whoever_is_there(program, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    code, out, err = program("data", "clear")
    assert (code, out) == (2, "")
    assert "Nobody answers; give --yes" in one_line(err)


def test_init_speaks_no_words_for_a_recipe_that_is_there_already(program, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sayso.recipe.source.suggest_for_words", lambda *_, **__: pytest.fail("spoken"))
    (tmp_path / "words.yaml").write_text("mine")
    code, _, err = program("init", "--words", "stop, go")
    assert (code, one_line(err)) == (
        2,
        "sayso: words.yaml: exists, nothing was changed; choose another --out or remove it first",
    )


def test_a_folder_that_was_removed_under_the_shell_is_named(tmp_path):
    program = f"import os; os.chdir({str(tmp_path)!r}); os.rmdir({str(tmp_path)!r}); from sayso.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program, "list"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert one_line(done.stderr) == (
        "sayso: the folder in which this was started has been removed; change to another one (cd)"
    )
