import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from comparison_made import InThisProcess, outcome_of, write_recipes
from conftest import one_line, write_tones
from sayso.errors import DataError, InterruptedRunError, RunError
from sayso.recipe.prepared import prepare
from sayso.recipe.recipe import read_recipe
from sayso.runs.folder import RunFolder
from sayso.studies.comparison.compare import compare
from sayso.studies.comparison.page import write_comparison
from sayso.studies.comparison.plan import make_plan
from sayso.studies.trials.folder import StudyFolder
from sayso.studies.trials.run_trials import run_trials
from sayso.studies.trials.trial import Trial, is_finished, train_trial
from sayso.system.progress import Progress

SETTINGS = ("--folds", "leave-one-speaker-out", "--seeds", "1")


@pytest.fixture
def recipes(tmp_path):
    return write_recipes(tmp_path, write_tones(tmp_path / "tones"))


@pytest.fixture
def in_this_process(monkeypatch):
    monkeypatch.setattr("sayso.studies.trials.run_trials.LocalProcesses", InThisProcess)


def started(recipes, out, *more):
    """The program in a process of its own, as a person starts it."""
    command = [sys.executable, "-m", "sayso", "compare", *map(str, recipes), *SETTINGS, "--out", str(out), *more]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ)


def test_a_comparison_from_recipes_to_page(program, recipes, tmp_path):
    out = tmp_path / "out"
    code, text, _ = program("compare", *recipes, *SETTINGS, "--gap", "--out", out, "--jobs", 2)
    assert code == 0
    table = json.loads((out / "comparison.json").read_text())
    assert (table["folds"], table["clips"], table["speakers"]) == (4, 36, 4)
    assert [row["rank"] for row in table["recipes"]] == [1, 2]
    for row in table["recipes"]:
        trials = [RunFolder(out / "trials" / f"{row['recipe']}-fold-{fold}-seed-0") for fold in (1, 2, 3, 4)]
        scores = [trial.metrics()["test"]["accuracy"] for trial in trials]
        assert row["accuracy"] == pytest.approx(sum(scores) / 4)
        assert list(row["by_speaker"].values()) == pytest.approx(scores)
        assert {trial.manifest()["threads"] for trial in trials} == {1}
        assert row["gap"] == pytest.approx(row["random_split"] - row["accuracy"])
        assert row["multiply_adds"] > row["parameters"] > 0
    answers = [out / "trials" / f"wide-fold-{fold}-seed-0" / "predictions.csv" for fold in (1, 2, 3, 4)]
    held_out = [{line["speaker"] for line in csv.DictReader(path.read_text().splitlines())} for path in answers]
    assert held_out == [{"ann"}, {"bob"}, {"cas"}, {"dee"}]
    page = (out / "comparison.html").read_text(encoding="utf-8")
    assert "no verdicts: 4 speakers" in page
    assert "random split: speakers shared" in page
    assert "no verdicts" in text
    assert "comparison.html" in text


@pytest.mark.usefixtures("in_this_process")
def test_finished_trials_stay_and_a_changed_recipe_is_trained_again(recipes, tmp_path):
    settings = {"folds": 2, "seeds": 1, "jobs": 1, "out": tmp_path / "out"}
    before = compare(recipes, **settings)
    stamps = {path: path.stat().st_mtime_ns for path in before.path.glob("trials/*/manifest.json")}
    recipes[1].write_text(recipes[1].read_text().replace("channels: [2, 3, 4]", "channels: [3, 3, 4]"))
    after = compare(recipes, **settings)
    trained = {path.parent.name for path, stamp in stamps.items() if path.stat().st_mtime_ns != stamp}
    assert trained == {"narrow-fold-1-seed-0", "narrow-fold-2-seed-0"}
    kept = [row for table in (before.table, after.table) for row in table["recipes"] if row["recipe"] == "wide"]
    assert {**kept[0], "rank": 0} == {**kept[1], "rank": 0}


@pytest.mark.usefixtures("in_this_process")
def test_a_folder_of_before_keeps_its_finished_trials(recipes, tmp_path):
    settings = {"folds": 2, "seeds": 1, "jobs": 1, "out": tmp_path / "out"}
    before = outcome_of(compare(recipes[:1], **settings).path)
    (tmp_path / "out" / "trials").rename(tmp_path / "out" / "cells")
    InThisProcess.trained.clear()
    compare(recipes[:1], **settings)
    assert InThisProcess.trained == []
    assert outcome_of(tmp_path / "out") == before
    assert not (tmp_path / "out" / "cells").exists()
    (tmp_path / "out" / "cells").mkdir()  # where there are trials, nothing is taken over
    compare(recipes[:1], **settings)
    assert (tmp_path / "out" / "cells").is_dir()
    assert outcome_of(tmp_path / "out") == before


@pytest.mark.usefixtures("in_this_process")
def test_that_finished_trials_are_of_other_settings_is_told(recipes, tmp_path, monkeypatch):
    settings = {"folds": 2, "seeds": 1, "jobs": 1, "out": tmp_path / "out"}
    notes: list[str] = []
    monkeypatch.setattr(Progress, "note", lambda _, text: notes.append(text))
    compare(recipes[:1], **settings)
    assert not any("trained anew" in note for note in notes)
    compare(recipes[:1], **settings, overrides=["training.epochs=2"])
    assert any("2 finished trials are of another recipe" in note for note in notes)


@pytest.mark.usefixtures("in_this_process")
def test_a_key_left_to_its_default_is_no_other_recipe(recipes, tmp_path):
    done = compare(recipes[:1], folds=2, seeds=1, jobs=1, out=tmp_path / "out")
    folder = done.path / "trials" / "wide-fold-1-seed-0"
    manifest = json.loads((folder / "manifest.json").read_text())
    whole = (folder / "recipe.yaml").read_text()
    shorter = "".join(line for line in whole.splitlines(keepends=True) if "max_bad_share" not in line)
    assert shorter != whole
    assert is_finished(Trial("wide", "fold-1", 0, 1, shorter, manifest["data_hash"], {}), folder)
    assert not is_finished(Trial("wide", "fold-1", 0, 1, whole.replace("epochs: 1", "epochs: 2"), "x", {}), folder)


@pytest.mark.parametrize("kills", [1, pytest.param(20, marks=pytest.mark.slow)])
def test_others_keep_out_and_killed_with_more_jobs_it_ends_in_the_same_table(program, recipes, tmp_path, kills):
    recipes = recipes[: 1 if kills == 1 else None]
    begun = time.monotonic()
    first = started(recipes, tmp_path / "whole", "--jobs", "1")
    try:
        while not (lock := tmp_path / "whole/.lock").exists() or not lock.read_text():
            assert first.poll() is None
            time.sleep(0.05)
        code, _, err = program("compare", *recipes, *SETTINGS, "--out", tmp_path / "whole")
    finally:
        assert first.wait() == 0
    assert code == 2
    assert f"another command (process {first.pid}) is writing there" in one_line(err)
    seconds = time.monotonic() - begun
    moments = random.Random(1)
    for _ in range(kills):
        process = started(recipes, tmp_path / "killed")
        try:
            process.wait(timeout=moments.uniform(0, seconds))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert started(recipes, tmp_path / "killed").wait() == 0
    assert outcome_of(tmp_path / "killed") == outcome_of(tmp_path / "whole")
    tables = [json.loads((tmp_path / name / "comparison.json").read_text()) for name in ("whole", "killed")]
    assert {**tables[0], "measured": None} == {**tables[1], "measured": None}


@pytest.mark.usefixtures("in_this_process")
def test_a_trial_that_fails_leaves_the_others_finished(recipes, tmp_path):
    recipes[1].write_text(recipes[1].read_text().replace("learning_rate: 0.005", "learning_rate: 1e30"))
    with pytest.raises(RunError, match=r"narrow-fold-1-seed-0 first; the others are finished and kept"):
        compare(recipes, folds=2, seeds=1, jobs=1, out=tmp_path / "out")
    assert all(RunFolder(tmp_path / "out/trials" / f"wide-fold-{fold}-seed-0").finished for fold in (1, 2))


@pytest.mark.usefixtures("in_this_process")
def test_other_clips_are_other_trials(recipes, tmp_path):
    done = compare(recipes[:1], folds=2, seeds=1, jobs=1, out=tmp_path / "out")
    before = outcome_of(done.path)
    (tmp_path / "tones/low/ann_0.wav").unlink()
    compare(recipes[:1], folds=2, seeds=1, jobs=1, out=tmp_path / "out")
    after = outcome_of(done.path)
    assert before.keys() == after.keys()
    assert all(before[name] != after[name] for name in before if name.endswith("model.safetensors"))


DAMAGES = [
    ("predictions.csv", lambda whole: "".join(whole.splitlines(keepends=True)[:5])),
    ("metrics.json", lambda _: "{}"),
    ("model.safetensors", lambda _: "junk"),
    ("manifest.json", lambda _: ""),
    ("manifest.json", lambda whole: json.dumps(json.loads(whole) | {"versions": None})),
    ("manifest.json", lambda whole: whole.replace("cpu_seconds", "seconds")),
    ("recipe.yaml", lambda _: "x: ["),
    ("recipe.yaml", lambda _: "[1, 2]"),
]


@pytest.mark.usefixtures("in_this_process")
def test_a_damaged_trial_is_trained_anew(recipes, tmp_path):
    settings = {"folds": 2, "seeds": 1, "jobs": 1, "out": tmp_path / "out"}
    done = compare(recipes[:1], **settings)
    before = outcome_of(done.path)
    trial = make_plan(recipes[:1], overrides=(), folds=2, seeds=1, threads=1, gap=False, progress=Progress()).trials[0]
    folder = done.path / "trials" / trial.name
    for name, damaged in DAMAGES:
        assert is_finished(trial, folder)
        (folder / name).write_text(damaged((folder / name).read_text(encoding="latin-1")))
        assert not is_finished(trial, folder)
        train_trial(trial, folder)
        assert outcome_of(done.path) == before
    (folder / "manifest.json").unlink()
    model = done.path / "models" / "wide.onnx"
    exported = model.stat().st_mtime_ns
    InThisProcess.trained.clear()
    compare(recipes[:1], **settings)
    assert InThisProcess.trained == ["wide-fold-1-seed-0"]
    assert model.stat().st_mtime_ns == exported
    measured = model.with_suffix(".json")
    measured.write_text(measured.read_text().replace(version("sayso"), "0.0.1"))
    compare(recipes[:1], **settings)
    assert json.loads(measured.read_text())["sayso"] == version("sayso")
    assert model.stat().st_mtime_ns != exported


@pytest.mark.usefixtures("in_this_process")
def test_what_the_clips_share_is_said_before_anything_is_trained(program, recipes, tmp_path):
    twin = tmp_path / "tones/low/bob_9.wav"
    twin.write_bytes((tmp_path / "tones/low/ann_0.wav").read_bytes())
    asked = ["compare", *recipes, *SETTINGS, "--out", tmp_path / "out"]
    code, _, err = program(*asked)
    assert code == 2
    assert "the very samples of a training or validation clip" in one_line(err)
    assert "(3 other splits of the same kind)" in err
    assert not list(tmp_path.glob("out/trials/*"))
    code, said, _ = program(*asked, "--set", "dataset.allow_copies=['*']")
    assert code == 0
    assert "wide fold-1, narrow fold-1: 1 test clip is an exact copy of" in said
    assert "one seed: how far trainings differ" in said
    assert "as allowed" in (tmp_path / "out/comparison.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("content", ["junk", '{"recipes": [], "folds": 2}', "[]"])
def test_a_damaged_plan_is_one_line(program, recipes, tmp_path, content):
    out = tmp_path / "out"
    out.mkdir()
    (out / ".lock").touch()
    (out / "plan.json").write_text(content)
    code, _, err = program("compare", *recipes, "--folds", 2, "--out", out)
    assert code == 2
    assert "plan.json: damaged; remove it" in one_line(err)


def test_a_folder_in_a_files_place_is_one_line(program, recipes, tmp_path):
    out = tmp_path / "out"
    (out / "workers.log").mkdir(parents=True)
    (out / ".lock").touch()
    asked = ["compare", *recipes, "--folds", 2, "--seeds", 1, "--out", out]
    code, _, err = program(*asked)
    assert code == 2
    assert "workers.log: a folder stands where a file is needed" in one_line(err)
    (out / "plan.json").unlink()
    (out / "plan.json").mkdir()
    code, _, err = program(*asked)
    assert code == 2
    assert "plan.json: damaged; remove it" in one_line(err)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--folds", "5"], "5 folds asked for, of 4 speakers; choose from 2 to 4 folds"),
        (["--folds", "all"], "is 'all', must be leave-one-speaker-out or a number of folds"),
        (["--seeds", "0"], "--seeds: is 0, must be 1 or more"),
        (["--folds", "2", "--set", "training.seed=1"], "training.seed is set by the comparison itself"),
        (["--folds", "2", "--set", "split.by=random"], "split.by is set by the comparison itself"),
        (["--folds", "2", "--set", "training={seed: 1}"], "training.seed is set by the comparison itself"),
        (["--on", "spark"], "must be ray or ray://HOST[:PORT]"),
        (["--on", "ray://"], "--on: is 'ray://', must be ray or ray://HOST[:PORT]"),
        (["--on", "ray://[head"], "--on: is 'ray://[head', must be"),
        (["--on", "ray://head:x"], "--on: is 'ray://head:x', must be"),
        (["--on", "ray://127.0.0.1:9"], "ray://127.0.0.1:9 does not answer"),
    ],
)
def test_what_does_not_fit_is_one_line(program, recipes, tmp_path, arguments, says):
    code, _, err = program("compare", *recipes, *arguments, "--out", tmp_path / "out")
    assert code == 2
    assert says in one_line(err)
    assert not list(tmp_path.glob("out/trials/*"))


def test_what_cannot_be_done_in_the_end_is_told_before_clips_are_read(program, tmp_path):
    (tmp_path / "file").touch()
    code, _, err = program("compare", tmp_path / "none.yaml", "--out", tmp_path / "file" / "out")
    assert code == 2
    assert "a file stands where a folder is needed" in one_line(err)
    code, _, err = program("learning-curve", tmp_path / "none.yaml", "--on", "rya", "--out", tmp_path / "out")
    assert code == 2
    assert "--on: is 'rya', must be ray or ray://HOST[:PORT]" in one_line(err)
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("in_this_process")
def test_shared_speakers_are_said_beside_every_score(program, recipes, tmp_path):
    out = tmp_path / "out"
    own = ["--set", "split.by=random", "--set", "split.validation=none"]
    asked = ["compare", recipes[0], "--seeds", 1, "--gap", "--out", out]
    code, said, _ = program(*asked, *own)
    assert code == 0
    label = "random split: speakers shared"
    assert said.splitlines()[0] == label
    assert said.splitlines()[1].endswith(f"over speakers   {label}")
    (row,) = csv.DictReader((out / "ranking.csv").read_text().splitlines())
    assert (row["split_label"], row["random_label"]) == (label, label)
    page = (out / "comparison.html").read_text(encoding="utf-8")
    assert f"{label}, " not in page
    assert '<th scope="col">as compared</th>' in page
    assert "held-out speakers" not in page
    nameless = ["split.by=random", "dataset.speaker=none", "dataset.speaker_pattern=''"]
    plan = make_plan(recipes, overrides=nameless, folds=None, seeds=1, threads=1, gap=True, progress=Progress())
    assert plan.split_label == plan.random_label == "random split: speakers not known"
    told = {key: getattr(plan, key) for key in ("split_label", "random_label", "speakers_shared")} | {"notes": []}
    table = json.loads((out / "comparison.json").read_text()) | told
    page = write_comparison(table, tmp_path / "nameless").read_text(encoding="utf-8")
    assert "speakers shared" not in page
    assert "it says nothing of new voices" in page


def test_parts_are_split_with_the_seeds_of_the_trials(recipes, tmp_path):
    # Of ann and dee one is validated on; only ann says 'middle'. The recipe's own seed would leave her to training.
    for path in (tmp_path / "tones" / "middle").glob("dee*"):
        path.unlink()
    recipes[0].write_text(recipes[0].read_text().replace("  seed: 0\n", "  seed: 4\n"))
    held_out = ["split.by=speakers", "split.test_speakers=[bob, cas]", "split.validation=speakers"]
    assert set(prepare(read_recipe(recipes[0], held_out), Progress()).split.train) == {0, 1, 2, 12, 13, 14, 24, 25, 26}
    with pytest.raises(DataError, match=r"wide, seed 0: .* no training clips of 'middle'"):
        make_plan(recipes[:1], overrides=held_out, folds=None, seeds=1, threads=1, gap=False, progress=Progress())


@pytest.mark.parametrize(("on", "says"), [("", "go on from their last epoch"), ("ray", "the others begin anew")])
def test_ctrl_c_says_what_becomes_of_the_others(tmp_path, monkeypatch, on, says):
    class Stopped(InThisProcess):
        def __init__(self, *_, **__):
            pass

        def run(self, jobs, folder):
            raise KeyboardInterrupt
            yield

    for name in ("LocalProcesses", "RayCluster"):
        monkeypatch.setattr(f"sayso.studies.trials.run_trials.{name}", Stopped)
    trial = Trial("wide", "fold-1", 0, 1, "", "", {})
    with pytest.raises(InterruptedRunError, match=f"0 of 1 trial are finished and kept, .*{says}"):
        run_trials([trial], StudyFolder(tmp_path, 0), jobs=1, on=on, progress=Progress())


def test_recipes_of_other_clips_are_one_line(program, recipes, tmp_path):
    other = write_tones(tmp_path / "others", speakers=("ann", "bob"))
    recipes[1].write_text(recipes[1].read_text().replace(str(tmp_path / "tones"), str(other)))
    code, _, err = program("compare", *recipes, "--folds", 2, "--out", tmp_path / "out")
    assert code == 2
    said = one_line(err)
    assert "wide has 36 clips of 4 speakers, narrow has 18 clips of 2 speakers" in said
    assert ", among them " in said
    assert said.endswith("make them equal, with one data set and one list of words")  # a folder has no list of speakers


def test_a_folder_of_something_else_is_left_alone(program, recipes, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    code, _, err = program("compare", *recipes, "--folds", 2, "--out", out)
    assert code == 2
    assert "holds no comparison, nothing was changed" in one_line(err)
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]


def test_clips_that_only_train_are_one_recipes_own_and_in_no_fold(recipes, tmp_path):
    robots = write_tones(tmp_path / "robots", speakers=("rob", "ron"), seed=3)
    text = recipes[1].read_text(encoding="utf-8")
    section = text[: text.index("\nsplit:")]
    values = yaml.safe_load(section)["dataset"]
    beside = {"kind": "folder", "path": str(robots)}
    shared = ("exclude", "reject_words", "max_bad_share", "allow_copies")
    own = {key: value for key, value in values.items() if key not in shared}
    mixed = {"dataset": {"kind": "mixed", "recordings": own, "training": [beside]}}
    recipes[1].write_text(yaml.safe_dump(mixed) + text[len(section) :], encoding="utf-8")
    settings = {"overrides": [], "folds": "leave-one-speaker-out", "seeds": 1, "threads": 1, "gap": False}
    plan = make_plan(recipes, **settings, progress=Progress())
    assert len(plan.folds) == 4
    assert [len(one.corpus.clips) for one in plan.contestants] == [36, 54]
    assert len(plan.trials) == 8


def test_one_speaker_cannot_be_held_out(program, recipes, tmp_path):
    for path in sorted(Path(tmp_path / "tones").glob("*/*.wav")):
        if not path.name.startswith("ann"):
            path.unlink()
    code, _, err = program("compare", recipes[0], "--folds", "leave-one-speaker-out", "--out", tmp_path / "out")
    assert code == 2
    assert "folds by speaker need at least 2 speakers" in one_line(err)


def test_one_name_twice_is_one_line(program, recipes, tmp_path):
    code, _, err = program("compare", recipes[0], recipes[0], "--folds", 2, "--out", tmp_path / "out")
    assert code == 2
    assert "are both called wide" in one_line(err)
