"""Finished runs held against each other, on the clips that all of them were tested on."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from conftest import one_line, write_tones
from runs_made import small_run
from sayso.data.listed_clips import read_listed_clips
from sayso.errors import DataError, RunError, SettingsError
from sayso.runs.folder import RunFolder
from sayso.runs.predictions import Predictions, read_predictions, write_predictions
from sayso.studies.comparison.compare import compare


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs that differ in how long they were trained, and their tones."""
    root = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAYSO_CACHE", str(root / "cache"))
        tones = write_tones(root / "tones")
        return [small_run(tones, root / name, epochs=epochs).path for name, epochs in (("short", 1), ("long", 8))]


@pytest.fixture
def copies(runs, tmp_path):
    """The runs, to be changed."""
    return [shutil.copytree(run, tmp_path / run.name) for run in runs]


def keep(run, rows):
    """Have a run tested on some of its clips alone."""
    read = read_predictions(run / "predictions.csv")
    kept = [(read.clips[row], read.predicted[row]) for row in rows]
    clips, predicted = zip(*kept, strict=True)
    write_predictions(run / "predictions.csv", Predictions(clips, predicted, read.labels, read.probabilities[rows]))


def test_they_are_ranked_by_the_clips_that_both_tested(copies, tmp_path):
    whole = [read_predictions(run / "predictions.csv") for run in copies]
    assert [clip.clip for clip in whole[0].clips] == [clip.clip for clip in whole[1].clips]
    first, many = 2, len(whole[0].clips)
    # In another order, and fewer: clips are found by what they are.
    keep(copies[1], [*range(many - 1, first - 1, -1)])
    found = compare(copies, out=tmp_path / "out")
    right = {run.name: float(read.right[first:].mean()) for run, read in zip(copies, whole, strict=True)}
    rows = {row["recipe"]: row for row in found.table["recipes"]}
    assert {name: row["accuracy"] for name, row in rows.items()} == pytest.approx(right)
    assert [row["accuracy"] for row in found.table["recipes"]] == sorted(right.values(), reverse=True)
    assert found.table["clips"] == many - first
    assert any(f"only {many - first} clips that all were tested on count" in note for note in found.table["notes"])
    assert all(row["parameters"] > 0 and row["multiply_adds"] > 0 for row in rows.values())
    [pair] = found.table["pairs"]
    assert pair["difference"] == pytest.approx(abs(right["long"] - right["short"]))
    assert pair["verdict"] == "no verdict"  # two speakers cannot give one
    assert json.loads((tmp_path / "out" / "comparison.json").read_text()) == found.table
    page = found.page.read_text(encoding="utf-8")
    assert "held against the others on" in page
    assert "spread of seeds" not in page
    listed = read_listed_clips(tmp_path / "out")
    assert {path for path, _ in listed.parts} == {clip.clip for clip in whole[0].clips[first:]}
    heard = json.loads(page.partition('id="clips">')[2].partition("</script>")[0])["answers"]
    assert {each["by"]: int(np.trace(each["counts"])) for each in heard} == {
        run.name: int(read.right[first:].sum()) for run, read in zip(copies, whole, strict=True)
    }


@pytest.mark.parametrize("nameless", [0, 1])
def test_speakers_are_as_the_run_says_that_knows_them(copies, tmp_path, nameless):
    wanted = compare(copies, out=tmp_path / "named").table
    read = read_predictions(copies[nameless] / "predictions.csv")
    clips = tuple(clip._replace(speaker="") for clip in read.clips)
    write_predictions(copies[nameless] / "predictions.csv", replace(read, clips=clips))
    found = compare(copies, out=tmp_path / "out").table
    assert (found["speakers"], found["pairs"]) == (wanted["speakers"], wanted["pairs"])
    assert found["speakers"] == 2


def test_clips_that_are_gone_cost_the_list_alone(copies, tmp_path):
    for run in copies:
        (run / "recipe.yaml").write_text(
            (run / "recipe.yaml").read_text(encoding="utf-8").replace("/tones", "/gone"), encoding="utf-8"
        )
    found = compare(copies, out=tmp_path / "out")
    assert any(note.startswith("the clips cannot be heard here: ") for note in found.table["notes"])
    assert "Clip by clip" not in found.page.read_text(encoding="utf-8")


def test_what_cannot_be_compared_is_told_and_leaves_nothing(copies, tmp_path):
    out, whole = tmp_path / "out", len(read_predictions(copies[0] / "predictions.csv").clips)
    recipe = copies[0] / "recipe.yaml"
    with pytest.raises(SettingsError, match=r"is a run and .* is none; compare runs with runs"):
        compare([copies[0], recipe], out=out)
    with pytest.raises(SettingsError, match="name at least 2 runs, each once"):
        compare([copies[0]], out=out)
    with pytest.raises(SettingsError, match="name at least 2 runs, each once"):
        compare([copies[0], copies[0]], out=out)
    for asked in ({"folds": 2}, {"seeds": 5}):
        with pytest.raises(SettingsError, match=f"--{next(iter(asked))}: is about trainings"):
            compare(copies, out=out, **asked)
    keep(copies[0], [0, 1])
    keep(copies[1], [*range(2, whole)])
    with pytest.raises(DataError, match="no clip was tested by all of these runs"):
        compare(copies, out=out)
    (copies[1] / "predictions.csv").write_text("x", encoding="utf-8")
    with pytest.raises(RunError, match="is damaged"):
        compare(copies, out=out)
    facts = RunFolder(copies[1]).manifest() | {"finished": False}
    (copies[1] / "manifest.json").write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(RunError, match="has not finished; sayso train --resume"):
        compare(copies, out=out)
    assert not out.exists()


def test_the_program_says_which_runs_differ(program, runs, tmp_path):
    code, told, _ = program("compare", *runs, "--out", tmp_path / "out")
    assert code == 0
    assert " 1. " in told
    assert "no two runs can be told apart by these speakers" in told
    code, _, err = program("compare", *runs, "--out", tmp_path / "out")
    assert code == 2
    assert "not empty" in one_line(err)


def test_a_recipe_that_is_no_text_is_one_line(copies, tmp_path):
    with (copies[0] / "recipe.yaml").open("ab") as file:
        file.write(b"x: \xff\n")
    with pytest.raises(SettingsError, match=r"recipe\.yaml: cannot be read as a text file"):
        compare(copies, out=tmp_path / "out")
