"""What every recipe heard in every clip, on the page of a comparison: listed, heard and marked."""

import numpy as np
import pytest

from axe import find_faults, why_no_axe
from browser import chromium, downloaded, keep_downloads, needs_browser
from comparison_made import InThisProcess, write_recipes
from conftest import write_tones
from sayso.data.marks import read_marks
from sayso.runs.folder import RunFolder
from sayso.runs.predictions import read_predictions
from sayso.studies.comparison.compare import compare


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    """Two recipes of three tones, trained too little to be right everywhere."""
    root = tmp_path_factory.mktemp("compared")
    recipes = write_recipes(root, write_tones(root / "tones"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAYSO_CACHE", str(root / "cache"))
        patch.setattr("sayso.studies.trials.run_trials.LocalProcesses", InThisProcess)
        return compare(recipes, folds="leave-one-speaker-out", seeds=2, out=root / "out")


@needs_browser
def test_clips_of_each_recipe_are_listed_and_marked(comparison, tmp_path):
    heard = {}
    for name in ("wide", "narrow"):
        for folder in sorted((comparison.path / "trials").glob(f"{name}-fold-*-seed-*")):
            read = read_predictions(RunFolder(folder).predictions_file)
            for clip, shares in zip(read.clips, read.probabilities, strict=True):
                known = heard.setdefault((name, clip.clip, clip.label), np.zeros(len(read.labels)))
                known += shares / 2
    labels = ("high", "low", "middle")
    wrong = {key: labels[int(shares.argmax())] for key, shares in heard.items()}
    missed = {clip for (_, clip, label), word in wrong.items() if word != label}
    assert missed  # the tones would have to be learnt in one epoch
    with chromium(tmp_path) as page:
        keep_downloads(page, tmp_path)
        page.get(comparison.page.as_uri())
        entries = page.find_elements("css selector", "#missed li")
        assert len(entries) == len(missed)
        assert len(page.find_elements("css selector", "#missed audio")) == len(missed)
        for entry in entries:
            assert all(f" by {name} (" in entry.text for name in ("wide", "narrow"))
        cells = page.find_elements("css selector", "rect.part")
        pairs = {(name, label, word) for (name, _, label), word in wrong.items()}
        assert len(cells) == len(pairs)
        page.execute_script("arguments[0].dispatchEvent(new MouseEvent('click', { bubbles: true }))", cells[0])
        assert " by " in page.find_element("css selector", "#cell h3").text
        entries[0].find_element("css selector", "option[value=exclude]").click()
        if not why_no_axe():
            assert find_faults(page) == []
        page.find_element("css selector", "#marks button").click()
        path = downloaded(tmp_path, "marks.csv")
        [mark] = read_marks(path)
        assert mark.clip in missed
        assert (mark.mark, mark.part) == ("exclude", "test")
        assert not [line for line in page.get_log("browser") if line["level"] == "SEVERE"]


def test_clips_whose_paths_end_alike_cost_the_list_alone(tmp_path, monkeypatch):
    for path in sorted(write_tones(tmp_path / "tones").rglob("*.wav")):
        folder = path.with_suffix("") / "monday"
        folder.mkdir(parents=True)
        path.rename(folder / "1.wav")
    monkeypatch.setattr("sayso.studies.trials.run_trials.LocalProcesses", InThisProcess)
    found = compare(write_recipes(tmp_path, tmp_path / "tones"), folds=2, seeds=1, out=tmp_path / "out")
    assert "Clip by clip" not in found.page.read_text(encoding="utf-8")
    assert found.table["speakers"] == 4
