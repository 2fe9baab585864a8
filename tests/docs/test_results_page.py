"""The page of results: facts from run folders, which runs belong to which recipe, and what the page makes of them."""

import shutil

import measured
import numpy as np
import pytest
import result_rows
import results

from sayso.config.overrides import load_yaml
from sayso.errors import RunError
from sayso.recipe.recipe import read_recipe, recipe_yaml
from sayso.runs.folder import RunFolder
from sayso.runs.predictions import PredictedClip, Predictions, write_predictions
from sayso.system.files import write_json, write_text

RECIPE = "fsdd/quick"
PUBLISHED = load_yaml((results.HERE / "published.yaml").read_text())


@pytest.fixture(scope="module")
def recipes():
    return {RECIPE: measured.keys_of(measured.ROOT / "recipes" / f"{RECIPE}.yaml")}


@pytest.fixture
def run_of(tmp_path):
    """Give a function that writes a finished run of the quick recipe: 8 clips of two speakers."""

    def make(name, *overrides, seed=0, wrong=1, created="2026-01-01T00:00:00+0000"):
        run = RunFolder(tmp_path / name)
        recipe = read_recipe(measured.ROOT / "recipes" / f"{RECIPE}.yaml", (*overrides, f"training.seed={seed}"))
        write_text(run.recipe, recipe_yaml(recipe))
        speaker = {"n": 4, "accuracy": 1 - wrong / 8}
        test = {"accuracy": 1 - wrong / 8, "accuracy_ci95": [0.5, 1.0], "n": 8, "speakers": 2}
        test |= {"per_speaker": {"ann": speaker, "bob": speaker}}
        write_json(run.path / "metrics.json", {"test": test, "train": {"accuracy": 1.0}, "parameters": 9})
        manifest = {
            "finished": True,
            "seed": seed,
            "epochs": 50,
            "duration_seconds": 90.0,
            "training_seconds": 90.0 / 2,
            "created": created,
        }
        manifest |= {"device": "cpu", "threads": 2, "precision": "bf16", "machine": {"cores": 2}}
        manifest |= {"clips": {"train": 80, "test": 8}, "versions": {"sayso": "0.1.0", "torch": "2.13.0"}}
        write_json(run.path / "manifest.json", manifest)
        clips = tuple(
            PredictedClip(f"/{name}/recordings/7_{row}.wav", "", "ann" if row % 2 else "bob", "7") for row in range(8)
        )
        says = tuple("7" if row >= wrong else "1" for row in range(8))
        shares = np.array([[1.0, 0.0] if word == "1" else [0.0, 1.0] for word in says])
        write_predictions(run.predictions_file, Predictions(clips, says, ("1", "7"), shares))
        return run

    return make


def test_a_run_is_known_by_its_recipe_whatever_seed_and_machine(run_of, recipes):
    run = run_of("a", "training.threads=1", "training.device=cpu", "training.epochs=15", seed=3)
    facts = measured.facts_of(run, recipes)
    assert (facts["recipe"], facts["settings"], facts["seed"]) == (RECIPE, {"training.epochs": 15}, 3)
    assert (facts["test"]["accuracy"], facts["minutes"], facts["machine"]) == (0.875, 1.5, "2 CPU threads, bf16")
    low, high = facts["test"]["speaker_accuracy_ci95"]
    assert low < 0.875 < high


def test_runs_that_cannot_serve_say_why(run_of, recipes, tmp_path):
    with pytest.raises(RunError, match="of no recipe below recipes/"):
        measured.facts_of(run_of("other", "model.width=1"), recipes)
    unfinished = run_of("unfinished")
    write_json(unfinished.path / "manifest.json", {"finished": False})
    with pytest.raises(RunError, match="unfinished: not finished"):
        measured.facts_of(unfinished, recipes)
    write_text(tmp_path / "odd" / "recipe.yaml", "dataset: {kind: fsdd}\nmodle: {}\n")
    with pytest.raises(RunError, match="not of this Sayso"):
        measured.facts_of(RunFolder(tmp_path / "odd"), recipes)
    assert [run.path.name for run in measured.find_runs([tmp_path])] == ["odd", "other", "unfinished"]


def test_folders_and_files_without_figures_are_one_line(tmp_path, monkeypatch, capsys):
    for words in ([str(tmp_path / "nowhere")], ["--bench", str(tmp_path / "nowhere")]):
        monkeypatch.setattr("sys.argv", ["results.py", "--check", *words])
        assert results.main() == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_the_later_of_two_equal_runs_counts(run_of, recipes):
    facts = [
        measured.facts_of(run_of(f"r{wrong}", wrong=wrong, created=f"2026-01-0{day}T00:00:00+0000"), recipes)
        for wrong, day in ((1, 2), (2, 1))
    ]
    other = measured.facts_of(run_of("seed1", seed=1), recipes)
    assert measured.merged([facts[0]], [facts[1], other]) == [facts[0], other]


def test_comparisons_pair_clips_of_one_name_and_average_over_seeds(run_of, recipes):
    runs = [(run, measured.facts_of(run, recipes)) for run in (run_of("a0", wrong=1), run_of("a1", seed=1, wrong=3))]
    others = (run_of("b0", wrong=4), run_of("b2", seed=2, wrong=8))
    worse = [(run, measured.facts_of(run, recipes) | {"recipe": "worse"}) for run in others]
    (entry,) = measured.compared([(RECIPE, "worse"), ("worse", "nowhere")], runs + worse)
    # Seed 0 alone was run with both: 1 wrong against 4.
    assert entry["difference"] == 3 / 8
    assert (entry["seeds"], entry["n"], entry["speakers"]) == ([0], 8, 2)
    assert entry["ci95"][0] < 3 / 8 < entry["ci95"][1]
    line = result_rows.compared_line(entry | {"ci95": [0.1, 0.6]})
    assert (line["difference"], line["verdict"]) == ("+37.50", "quick is better")
    assert result_rows.compared_line(entry | {"ci95": [-0.1, 0.6]})["verdict"] == "no telling"
    shutil.copy(run_of("c", wrong=1).predictions_file, worse[0][0].predictions_file)
    text = worse[0][0].predictions_file.read_text().replace("7_0.wav", "7_9.wav")
    worse[0][0].predictions_file.write_text(text)
    with pytest.raises(RunError, match="not the same test clips"):
        measured.compared([(RECIPE, "worse")], runs + worse)


def test_rows_give_means_over_seeds_and_folds_and_the_verdict(run_of, recipes):
    facts = [measured.facts_of(run_of(f"r{seed}", seed=seed, wrong=seed), recipes) for seed in (0, 1, 2)]
    row = {"recipe": RECIPE, "what": "x", "published": "1", "source": "y", "reach": 87.5}
    (line,) = result_rows.lines_of(row, facts)
    assert line["ours"] == "**87.50** ± 31.05 (3 seeds; 3.39 to 99.32 over 2 speakers)"
    assert line["reach"] == "87.5, reached"
    assert line["command"] == "sayso train recipes/fsdd/quick.yaml"
    (line,) = result_rows.lines_of(row | {"reach": 87.6}, facts[1:2])
    assert line["ours"].startswith("**87.50** (seed 1 alone; ")
    assert line["reach"] == "87.6, missed"
    folds = {"recipe": None} | row | {"folds": {"ann": "m-ann", "bob": "m-bob"}}
    both = [facts[0] | {"recipe": "m-ann"}, facts[2] | {"recipe": "m-bob", "seed": 0}]
    (line,) = result_rows.lines_of(folds, both)
    assert line["ours"] == "**87.50** (seed 0 alone); ann 100.00, bob 75.00"
    assert line["command"] == "sayso train recipes/m-SPEAKER.yaml"
    (line,) = result_rows.lines_of(folds, both[:1])
    assert line["ours"] == "not run yet"
    lines = list(result_rows.lines_of(row, [facts[0], facts[1] | {"settings": {"training.epochs": 15}}]))
    assert [line["command"].partition(" --set ")[2] for line in lines] == ["training.epochs=15", ""]


def test_figures_of_a_recipe_that_has_changed_are_dropped_and_named(run_of, recipes):
    facts = measured.facts_of(run_of("a"), recipes)
    pair = {"recipes": [RECIPE, "x"], "settings": {}}
    kept = {"runs": [facts], "comparisons": [pair], "by_speaker": {}}
    assert results.forget_stale(kept) == []
    assert kept == {"runs": [facts], "comparisons": [pair], "by_speaker": {}}
    changed = {"runs": [facts | {"recipe_hash": "0"}], "comparisons": [pair], "by_speaker": {}}
    assert results.forget_stale(changed) == [RECIPE]
    assert changed == {"runs": [], "comparisons": [], "by_speaker": {}}


def test_every_shipped_recipe_has_one_row_and_every_row_its_recipe():
    rows = [row for section in PUBLISHED["sections"] for row in section["rows"]]
    listed = [name for row in rows for name in result_rows.names_of(row).values()]
    held_out = set(PUBLISHED["by_speaker"]["recipes"])
    assert len(listed) == len(set(listed))
    assert {*listed, *held_out} == set(measured.recipe_paths())
    assert {name for pair in PUBLISHED["comparisons"] for name in pair} <= set(listed)


def test_a_recipe_changes_with_its_teacher_and_not_with_the_machine(tmp_path):
    (tmp_path / "large.yaml").write_text("dataset: {kind: fsdd}\n")
    small = tmp_path / "small.yaml"
    small.write_text("dataset: {kind: fsdd}\ntraining: {teacher: large.yaml}\n")
    before = measured.current_hash(small)
    assert measured.keys_of(small)["training.teacher"] == f"{tmp_path.name}/large.yaml"
    (tmp_path / "large.yaml").write_text("dataset: {kind: fsdd}\ntest_time_speeds: [0.9, 1.1]\n")
    large = measured.current_hash(tmp_path / "large.yaml")
    assert measured.current_hash(small) == before
    (tmp_path / "large.yaml").write_text("dataset: {kind: fsdd}\ntest_time_speeds: []\n")
    assert measured.current_hash(tmp_path / "large.yaml") != large
    (tmp_path / "large.yaml").write_text("dataset: {kind: fsdd}\ntraining: {epochs: 3}\n")
    assert measured.current_hash(small) != before


def test_a_teacher_in_its_students_run_is_no_run_of_its_own(tmp_path):
    for name in ("small", "small/teacher", "teacher"):
        write_text(tmp_path / name / "recipe.yaml", "")
    assert [run.path for run in measured.find_runs([tmp_path])] == [tmp_path / "small", tmp_path / "teacher"]


def test_a_run_without_a_row_stops_the_page():
    with pytest.raises(SystemExit, match="no row for nowhere"):
        results.render(PUBLISHED, {"runs": [{"recipe": "nowhere"}], "comparisons": [], "bench": {}})


@pytest.mark.parametrize(
    ("unit", "shown"), [("seconds", "s"), ("ms", "ms"), ("s a thousand clips", "s a thousand clips")]
)
def test_what_a_contest_took_stands_in_its_unit(unit, shown):
    held = {"title": "t", unit: {"a": 0.51234, "b": 1736.2}, "figures": {"f": 2.0}, "targets": {}, "missed": []}
    lines = result_rows.contest_lines(held)
    assert lines["sides"] == f"a 0.512 {shown}, b 1,736 {shown}"
    assert lines["figures"] == ["f: 2.00"]
