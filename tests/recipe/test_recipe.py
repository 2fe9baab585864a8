"""Recipes: read strictly, extended, overridden, written back, and every shipped one sound."""

import shlex
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.config.overrides import load_yaml, override_text, parse_overrides
from sayso.config.schema import dump
from sayso.errors import SettingsError
from sayso.features.mel import MelConfig
from sayso.recipe.recipe import Recipe, read_recipe, recipe_from_values, recipe_yaml

ROOT = Path(__file__).parents[2] / "recipes"
SHIPPED = sorted(path for path in ROOT.rglob("*.yaml") if path.name != "base.yaml")


def test_there_are_recipes_to_test():
    assert len(SHIPPED) >= 2


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_shipped_recipes_read_and_write_back_the_same(path, tmp_path):
    recipe = read_recipe(path)
    for comments, brief in product((False, True), (False, True)):
        copy = tmp_path / "copy.yaml"
        copy.write_text(recipe_yaml(recipe, comments=comments, brief=brief))
        assert read_recipe(copy) == recipe


def test_a_brief_recipe_has_the_keys_that_people_change_and_what_was_changed():
    values = {
        "dataset": {"kind": "fsdd"},
        "augment": [{"kind": "gain", "most_db": 3.0}, {"kind": "noise"}],
        "training": {"epochs": 9},
    }
    text = recipe_yaml(recipe_from_values(values, source="test"), brief=True)
    assert load_yaml(text) == values | {
        "split": {"by": "auto", "test_share": 0.2},
        "audio": {"sample_rate": 16000, "clip_seconds": 1.0, "fit": "centre"},
        "features": {"kind": "mel"},
        "model": {"kind": "tc_resnet"},
        "training": {"learning_rate": 0.005, "batch_size": 64, "epochs": 9, "seed": 0},
    }
    assert "model:\n  kind: tc_resnet\n" in text


def test_base_spells_out_the_programs_own_defaults():
    base = load_yaml((ROOT / "base.yaml").read_text())
    recipe = recipe_from_values(base | {"dataset": {"kind": "fsdd"}}, source="base")
    assert dump(recipe) == dump(recipe_from_values({"dataset": {"kind": "fsdd"}}, source="defaults"))


def test_every_fault_is_told_at_once_with_the_nearest_name(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(
        "dataset: {kind: fsd}\nfeatures: {kind: mel, n_melz: 40, scale: logg}\n"
        "training: {epochs: 0, sed: 1}\nmodle: {}\n"
    )
    with pytest.raises(SettingsError) as caught:
        read_recipe(path)
    text = str(caught.value)
    assert "\n" not in text
    for part in ("fsdd", "did you mean 'n_mels'?", "did you mean 'log'?", "training.sed", "did you mean 'model'?"):
        assert part in text
    assert {fault.key for fault in caught.value.faults} >= {"dataset.kind", "features.n_melz", "modle", "training.sed"}


def test_values_out_of_range_and_misfits_are_told(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("dataset: {kind: fsdd}\naudio: {sample_rate: 8000}\nfeatures: {kind: mel, highest_hertz: 5000}\n")
    with pytest.raises(SettingsError, match=r"features\.highest_hertz: is 5000, must be at most half"):
        read_recipe(path)
    alike = "augment: [{kind: time_shift, most_seconds: 0.0, middle_seconds: -0.1}]\n"
    path.write_text(f"dataset: {{kind: fsdd}}\n{alike}training: {{copies: 2}}\n")
    with pytest.raises(SettingsError, match=r"training\.copies: is 2, but no augmentation draws .*; use 1"):
        read_recipe(path)
    path.write_text("dataset: {kind: fsdd}\ntest_time_speeds: [0.9, 1.03]\n")
    with pytest.raises(SettingsError, match=r"test_time_speeds: holds 1\.03, must be multiples of 0\.05"):
        read_recipe(path)
    path.write_text("dataset: {kind: fsdd}\ntraining: {epochs: 0}\n")
    with pytest.raises(SettingsError, match=r"training\.epochs: is 0, must be at least 1"):
        read_recipe(path)


def test_numbers_that_yaml_takes_for_text(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text("dataset: {kind: fsdd}\ntraining: {learning_rate: 3e-4}\n")
    assert read_recipe(path).training.learning_rate == 3e-4


def test_keys_over_merged_ones_stand_there_once():
    assert load_yaml("a: &a {c: 1, d: 1}\nb: {<<: *a, d: 2}\n")["b"] == {"c": 1, "d": 2}


def test_words_that_yaml_1_1_takes_for_truth(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text("dataset: {kind: speech_commands, words: [yes, no, on, off]}\n")
    assert read_recipe(path).dataset.words == ("yes", "no", "on", "off")


def test_a_part_that_says_no_kind_goes_on_under_one_that_says_the_same(tmp_path):
    (tmp_path / "base.yaml").write_text("dataset: {kind: fsdd}\nfeatures: {n_mels: 33}\nmodel: {channels: [8, 8]}\n")
    child = tmp_path / "child.yaml"
    child.write_text("extends: base.yaml\nfeatures: {kind: mel}\n")
    recipe = read_recipe(child, ["model.kind=tc_resnet"])
    assert recipe.features.n_mels == 33
    assert recipe.model.channels == (8, 8)
    assert read_recipe(child, ["model.kind=mlp"]).model.kind == "mlp"


def test_extends_lays_differences_over_the_base(tmp_path):
    (tmp_path / "base.yaml").write_text("dataset: {kind: fsdd}\nmodel: {kind: tc_resnet, width: 3}\n")
    (tmp_path / "sub").mkdir()
    child = tmp_path / "sub" / "child.yaml"
    child.write_text("extends: ../base.yaml\nmodel: {dropout: 0.1}\nfeatures: {kind: spectrogram}\n")
    recipe = read_recipe(child, ["training.epochs=7"])
    assert (recipe.model.width, recipe.model.dropout) == (3, 0.1)
    assert recipe.features.kind == "spectrogram"
    assert recipe.training.epochs == 7


def test_another_kind_starts_its_section_anew(tmp_path):
    (tmp_path / "base.yaml").write_text("dataset: {kind: fsdd}\nfeatures: {kind: mel, n_mels: 64}\n")
    child = tmp_path / "child.yaml"
    child.write_text("extends: base.yaml\n")
    assert read_recipe(child, ["features.kind=spectrogram"]).features.kind == "spectrogram"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- a\n- b\n", "key: value"),
        ("a: [1\n", "not YAML"),
        ("a: 2026-02-30\n", r"not YAML \(day is out of range for month\)"),
        ("a: " + "[" * 3_000, r"not YAML \(nested too deeply\)"),
        ("dataset: {kind: fsdd}\n'dataset': {kind: folder}\n", r"line 2: not YAML \(dataset stands there twice\)"),
        ("a:\n  - {b: 1, c: 2, b: 1}\n", r"line 2: not YAML \(b stands there twice\)"),
        ("extends: r.yaml\n", "circle"),
        ("extends: nowhere.yaml\n", "no such recipe"),
        ("extends: 3\n", "file name"),
        ("audio: {}\n", "dataset: is missing"),
        ("dataset: 7\n", "dataset: is 7"),
        ("dataset: {kind: [1]}\n", "dataset.kind"),
    ],
)
def test_recipes_that_cannot_be_read(text, says, tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=says):
        read_recipe(path)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x00\x01"])
def test_files_that_are_no_text(content, tmp_path):
    path = tmp_path / "r.yaml"
    path.write_bytes(content)
    with pytest.raises(SettingsError):
        read_recipe(path)


def test_recipes_are_values():
    one = Recipe(
        dataset=recipe_from_values({"dataset": {"kind": "fsdd"}}, source="x").dataset, features=MelConfig(n_mels=10)
    )
    assert one.features.n_mels == 10
    with pytest.raises(AttributeError):
        one.features.n_mels = 11


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("features:", "features: is empty, must be a section of `key: value` lines"),
        ("dataset:", "dataset: is empty, must be a section"),
        ("augment:", "augment: is empty, must be a list"),
        ("training: {learning_rate: }", "training.learning_rate: is empty, must be a number"),
        ("training: {schedule: }", "training.schedule: is empty, must be one_cycle | constant | cosine"),
        ("extends:", "extends: is empty, must be a file name"),
    ],
)
def test_what_is_left_empty_is_told_as_empty(text, says, tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text(("" if text == "dataset:" else "dataset: {kind: fsdd}\n") + text + "\n")
    with pytest.raises(SettingsError) as caught:
        read_recipe(path)
    assert says in str(caught.value)
    assert "None" not in str(caught.value)


@pytest.mark.parametrize(("key", "most"), [("epochs", 100_000), ("threads", 256)])
def test_more_than_anyone_waits_for_is_refused(key, most):
    values = {"dataset": {"kind": "fsdd"}, "training": {key: most}}
    assert getattr(recipe_from_values(values, source="x").training, key) == most
    values["training"][key] = 1e9
    with pytest.raises(SettingsError, match=rf"training\.{key}: is 1000000000, must be at most {most}"):
        recipe_from_values(values, source="x")


@given(st.text(st.characters(exclude_categories=())))
def test_an_override_with_any_text_comes_back_from_the_shell(text):
    (argument,) = shlex.split(override_text("a.b", text))
    assert parse_overrides([argument]) == {"a": {"b": text}}
    assert len(argument.encode().splitlines()) == 1
