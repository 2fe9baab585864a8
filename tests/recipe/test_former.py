"""Recipes of before: told where they are typed, read where a run or a model keeps them."""

import json
from dataclasses import replace

import pytest
import torch
import yaml
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from conftest import one_line
from recipe_made import spelt_as_before
from runs_made import small_recipe, small_run
from sayso.augment import AugmentConfig
from sayso.classifier.checkpoint import load_model
from sayso.config.schema import dump, read
from sayso.errors import SettingsError
from sayso.experiment.run import Run
from sayso.models.temporal_mlp import TemporalMlpConfig
from sayso.recipe.former import modernise, without_later_keys
from sayso.recipe.recipe import kept_recipe_from_text, recipe_from_text, recipe_from_values, recipe_yaml
from sayso.studies.verification.verify import verify


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"dataset": {"kind": "fsdd", "split": "random"}}, "dataset.split: is split.by now; write split: {by: random}"),
        (
            {"dataset": {"kind": "fsdd", "split": "folds"}},
            "dataset.split: is split.by now; write split: {by: speakers}",
        ),
        ({"dataset": {"kind": "fsdd", "folds": 3}}, "dataset.folds: is split.folds now; write split: {folds: 3}"),
        (
            {"dataset": {"kind": "fsdd", "split_seed": 1}},
            "dataset.split_seed: is split.seed now; write split: {seed: 1}",
        ),
        (
            {"dataset": {"kind": "fsdd", "test_speakers": ["theo"]}},
            'dataset.test_speakers: is split.test_speakers now; write split: {test_speakers: ["theo"]}',
        ),
        (
            {"dataset": {"kind": "fsdd"}, "training": {"validation": "none"}},
            "training.validation: is split.validation now; write split: {validation: none}",
        ),
    ],
)
def test_an_old_spelling_is_told_with_the_new_one(values, says):
    with pytest.raises(SettingsError) as caught:
        recipe_from_values(values, source="typed")
    assert str(caught.value) == f"typed: {says}"


def test_every_old_spelling_is_told_at_once():
    values = {"dataset": {"kind": "fsdd", "split": "random", "test_share": 0.1}, "training": {"validation": "share"}}
    with pytest.raises(SettingsError) as caught:
        recipe_from_values(values, source="typed")
    assert [fault.key for fault in caught.value.faults] == [
        *("dataset.split", "dataset.test_share", "training.validation"),
    ]


@pytest.mark.parametrize("command", ["train", "audit", "compare"])
def test_the_program_tells_it_in_one_line(program, tone_folder, tmp_path, command):
    out = ["--out", tmp_path / "out"]
    code, _, err = program(command, tone_folder, "--set", "dataset.split=random", *out)
    assert code == 2
    assert "dataset.split: is split.by now; write split: {by: random}" in one_line(err)
    assert not (tmp_path / "out" / "recipe.yaml").exists()


def test_a_kept_recipe_is_read_in_either_spelling(tone_folder):
    recipe = small_recipe(tone_folder, validation_share=0.3)
    before = yaml.safe_dump(spelt_as_before(recipe))
    assert kept_recipe_from_text(before, source="kept") == recipe
    assert kept_recipe_from_text(recipe_yaml(recipe), source="kept") == recipe
    with pytest.raises(SettingsError, match=r"is split\.by now"):
        recipe_from_text(before, source="typed")


def test_what_only_todays_recipes_can_ask_for_is_left_out_where_it_is_not_asked_for(tone_folder):
    recipe = small_recipe(tone_folder)
    shifts = tuple(read(AugmentConfig, {"kind": "time_shift", "middle_seconds": middle}) for middle in (0.0, -0.1))
    gains = tuple(read(AugmentConfig, {"kind": "gain", "middle_db": middle}) for middle in (0.0, -9.0))
    plain = without_later_keys(dump(replace(recipe, augment=shifts + gains)))
    assert "test_time_speeds" not in plain
    assert ["middle_seconds" in part for part in plain["augment"]] == [False, True, False, False]
    assert ["middle_db" in part for part in plain["augment"]] == [False, False, False, True]
    assert without_later_keys(dump(replace(recipe, test_time_speeds=(0.9,))))["test_time_speeds"] == [0.9]
    models = (TemporalMlpConfig(last_channels=channels) for channels in (0, 8))
    kept = [without_later_keys(dump(replace(recipe, model=model)))["model"] for model in models]
    assert ["last_channels" in model for model in kept] == [False, True]


def test_what_is_spelt_as_today_stays(tone_folder):
    values = dump(small_recipe(tone_folder))
    assert modernise(values) == values
    assert modernise({"dataset": {"kind": "fsdd"}}) == {"dataset": {"kind": "fsdd"}}


def test_a_run_of_before_is_evaluated_and_verified(tone_folder, tmp_path):
    run = small_run(tone_folder, tmp_path / "run")
    made_old(run)
    kept = run.recipe.read_bytes()
    opened = Run.open(run.path)
    assert opened.evaluate()["accuracy"] == opened.metrics()["test"]["accuracy"]
    assert [check.name for check in verify(run.path) if check.holds is not True] == []
    assert run.recipe.read_bytes() == kept


def made_old(run):
    """Have a run's files say what they said before."""
    settings = run.settings
    run.recipe.write_text(yaml.safe_dump(spelt_as_before(settings)))
    manifest, metrics = (json.loads(path.read_text()) for path in (run.manifest_file, run.metrics_file))
    twice = ("best_epoch", "epochs", "training_seconds", "split", "speakers_shared")
    run.metrics_file.write_text(json.dumps(metrics | {key: manifest[key] for key in twice}))
    with safe_open(run.weights, framework="pt") as file:
        header = json.loads(file.metadata()["sayso"])
    header["recipe"] = yaml.safe_dump(spelt_as_before(settings))
    save_file(load_file(run.weights), run.weights, metadata={"sayso": json.dumps(header)})
    assert torch.is_tensor(next(load_model(run.weights).parameters()))
