"""The table of held-out speakers on the results page, from a finished comparison."""

import json
from pathlib import Path

import by_speaker
import pytest

from sayso.errors import RunError
from sayso.recipe.recipe import read_recipe, recipe_yaml

NAMES = ["fsdd/quick", "fsdd/mlp"]
ROW = {
    "speaker_ci95": [0.4, 0.7],
    "seeds_deviation": 0.01,
    "by_speaker": {"ann": 0.5, "bob": 0.25},
    "random_split": 0.9,
    "gap": 0.3,
    "parameters": 1000,
    "multiply_adds": 2_500_000,
}


@pytest.fixture
def folder(tmp_path):
    """What `sayso compare` leaves, as far as the page reads it."""
    rows = []
    for rank, name in enumerate(NAMES, 1):
        stem = Path(name).stem
        rows.append({"recipe": stem, "rank": rank, "accuracy": 0.7 - rank / 10} | ROW)
        trial = tmp_path / "trials" / f"{stem}-fold-1-seed-0"
        trial.mkdir(parents=True)
        changes = ["split.by=speakers", "split.test_speakers=[ann]", "training.threads=1"]
        text = recipe_yaml(read_recipe(by_speaker.recipe_paths()[name], changes))
        (trial / "recipe.yaml").write_text(text, encoding="utf-8")
    measured = {row["recipe"]: {"cpu_seconds": 60.4, "milliseconds_an_answer": 0.512} for row in rows}
    table = {"folds": 6, "seeds": [0, 1], "threads": 1, "clips": 300, "speakers": 2, "notes": ["few"], "pairs": []}
    (tmp_path / "comparison.json").write_text(json.dumps(table | {"recipes": rows, "measured": measured}))
    return tmp_path


def test_rows_in_the_order_of_the_ranking(folder):
    table = by_speaker.compared_recipes(folder, NAMES)
    first, second = by_speaker.comparison_rows(table)
    assert first["recipe"] == "`recipes/fsdd/quick.yaml`"
    assert (first["accuracy"], second["accuracy"]) == ("**60.00**", "**50.00**")
    assert (first["worst"], first["gap"], first["multiply_adds"]) == ("bob 25.00", "+30.0", "2.5")
    assert by_speaker.stale_recipes(table) == []
    table["recipes"][1]["recipe_hash"] = "0"
    assert by_speaker.stale_recipes(table) == ["fsdd/mlp"]


def test_a_comparison_of_before_is_read_too(folder):
    table = by_speaker.compared_recipes(folder, NAMES)
    (folder / "trials").rename(folder / "cells")
    assert by_speaker.compared_recipes(folder, NAMES) == table


def test_other_recipes_or_other_settings_are_refused(folder):
    with pytest.raises(RunError, match="compares mlp, quick, not fsdd/quick"):
        by_speaker.compared_recipes(folder, NAMES[:1])
    trial = folder / "trials" / "mlp-fold-1-seed-0" / "recipe.yaml"
    trial.write_text(trial.read_text().replace("epochs: 10", "epochs: 11"))
    with pytest.raises(RunError, match=r"its mlp differs from mlp\.yaml in training\.epochs"):
        by_speaker.compared_recipes(folder, NAMES)
    (folder / "comparison.json").write_text("{}")
    with pytest.raises(RunError, match="holds no finished comparison"):
        by_speaker.compared_recipes(folder, NAMES)
