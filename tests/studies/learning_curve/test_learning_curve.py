"""`sayso learning-curve` on a few tones: trials trained once, curves drawn, and every wrong size told in a line."""

import csv
import json

import pytest

from comparison_made import InThisProcess
from conftest import one_line
from runs_made import small_recipe
from sayso.recipe.recipe import recipe_yaml

HELD_OUT = (
    "--set",
    "split.validation=none",
    "--set",
    "split.by=speakers",
    "--set",
    "split.test_speakers=[dee]",
)


@pytest.fixture
def trained(monkeypatch):
    monkeypatch.setattr("sayso.studies.trials.run_trials.LocalProcesses", InThisProcess)
    monkeypatch.setattr(InThisProcess, "trained", [])
    return InThisProcess.trained


@pytest.fixture
def recipe(tone_folder, tmp_path):
    path = tmp_path / "tones.yaml"
    path.write_text(recipe_yaml(small_recipe(tone_folder)), encoding="utf-8")
    return path


def arguments(recipe, out, *more):
    return ["learning-curve", recipe, *HELD_OUT, "--out", out, *more]


def test_sizes_are_trained_once_and_drawn(program, trained, recipe, tmp_path):
    out = tmp_path / "curve"
    asked = arguments(recipe, out, "--speakers", "1,3", "--clips", "3,9", "--seeds", 2)
    code, said, err = program(*asked)
    assert code == 0, err
    # All three speakers with all nine clips are the same trial for both axes.
    assert sorted(trained) == sorted(
        f"tones-{size}-seed-{seed}" for size in ("speakers-1", "clips-3", "all") for seed in (0, 1)
    )
    assert said.splitlines()[-1] == f"page: {out / 'learning-curve.html'}"
    assert "speakers: no curve is fitted through 2 sizes; it takes 4" in said or "no gain shows" in said
    table = json.loads((out / "learning-curve.json").read_text(encoding="utf-8"))
    assert [[point["size"] for point in axis["points"]] for axis in table["axes"]] == [[1, 3], [3, 9]]
    assert (table["test_clips"], table["test_speakers"], table["seeds"]) == (9, 1, 2)
    clips = [json.loads((out / "trials" / name / "manifest.json").read_text())["clips"] for name in sorted(trained)]
    assert [each["train"] for each in clips] == [27, 27, 9, 9, 9, 9]
    assert {each["test"] for each in clips} == {9}
    with (out / "learning-curve.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["axis"] for row in rows] == ["speakers", "speakers", "clips", "clips"]
    page = (out / "learning-curve.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 2
    assert "one test speaker" in page
    assert (out / "speakers.svg").read_text().startswith("<?xml")

    trained.clear()
    (out / "trials" / "tones-clips-3-seed-1" / "manifest.json").unlink()
    assert program(*asked)[0] == 0
    assert trained == ["tones-clips-3-seed-1"]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--speakers", "1,4"], "--speakers: 4 is too many, the training part has 3 speakers"),
        (["--speakers", "2"], "--speakers: a curve needs 2 sizes or more"),
        (["--speakers", "one"], "--speakers: is 'one', must be numbers from 1 with commas between"),
        (["--clips", "5,10"], "--clips: 10 is too many, the training part has 9 clips of each speaker"),
        (["--seeds", "0"], "--seeds: is 0, must be 1 or more"),
        (["--set", "split.train_speakers=2"], "split.train_speakers is set by the curve itself"),
        (["--set", "split.test_speakers=[ann, bob, cas]", "--speakers", "1,2"], "needs at least 2 in the training"),
        (
            ["--set", "split.test_speakers=[ann, bob, cas]", "--clips", "1,9"],
            "--clips: 1 leaves a word without training clips, must be 3 or more",
        ),
    ],
)
def test_what_cannot_be_is_one_line(program, trained, recipe, tmp_path, more, told):
    code, _, err = program(*arguments(recipe, tmp_path / "curve", *more))
    assert code == 2
    assert told in one_line(err)
    assert not trained
    assert not (tmp_path / "curve").exists()


def test_without_speakers_clips_alone_make_a_curve(program, trained, recipe, tmp_path):
    own = ["learning-curve", recipe, "--seeds", 1, "--out", tmp_path / "curve", "--set", "training.epochs=1"]
    own += ["--set", "dataset.speaker=none", "--set", "dataset.speaker_pattern=''", "--set", "split.by=random"]
    code, _, err = program(*own, "--speakers", "1,2")
    assert code == 2
    assert "0 are known there; name them" in one_line(err)
    code, said, err = program(*own)
    assert code == 0, err
    assert "one curve only: a curve over speakers needs at least 2" in said
    table = json.loads((tmp_path / "curve" / "learning-curve.json").read_text(encoding="utf-8"))
    assert [axis["unit"] for axis in table["axes"]] == ["clips"]
    assert len(table["axes"][0]["points"]) == 6
    assert table["intervals_over"] == "clips"


def test_a_folder_of_something_else_is_left_alone(program, trained, recipe, tmp_path):
    out = tmp_path / "curve"
    out.mkdir()
    (out / "letter.txt").write_text("keep me")
    assert "holds no learning curve" in one_line(program(*arguments(recipe, out))[2])
    (out / "letter.txt").unlink()
    (out / ".lock").touch()
    plan = {"folds": None, "recipes": {"recipe": str(recipe.resolve())}}
    (out / "plan.json").write_text(json.dumps(plan))
    assert "holds a comparison, nothing was changed" in one_line(program(*arguments(recipe, out))[2])
    assert not trained
