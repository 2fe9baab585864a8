"""Which sources are recipes, and what a source is called."""

from pathlib import Path

import pytest

from runs_made import small_recipe
from sayso.errors import SettingsError
from sayso.recipe.defaults import Wishes
from sayso.recipe.recipe import is_recipe_file, recipe_yaml
from sayso.recipe.source import find_recipe
from sayso.system.progress import Progress


@pytest.mark.parametrize(
    ("source", "is_recipe"),
    [("a.yaml", True), ("a.YML", True), (Path("b/c.yaml"), True), ("clips", False), ("clips.csv", False), ("", False)],
)
def test_a_recipe_is_told_by_its_ending(source, is_recipe):
    assert is_recipe_file(source) == is_recipe


def test_a_file_a_folder_and_a_recipe_give_a_name_and_a_recipe(tone_folder, tmp_path):
    recipe = small_recipe(tone_folder)
    path = tmp_path / "mine.yaml"
    path.write_text(recipe_yaml(recipe))
    assert find_recipe(path, progress=Progress()) == ("mine", recipe)
    assert find_recipe(recipe, ["training.epochs=9"], progress=Progress())[1].training.epochs == 9
    name, suggested = find_recipe(tone_folder, ["split.by=random"], wishes=Wishes(small=True), progress=Progress())
    assert (name, suggested.split.by, suggested.dataset.kind) == ("tones", "random", "folder")


def test_overrides_that_contradict_the_recipe_are_told_before_clips_are_touched(tone_folder, monkeypatch):
    recipe = small_recipe(tone_folder)
    monkeypatch.setattr(type(recipe.dataset), "listing", lambda *_: pytest.fail("clips were listed"))
    for overrides in (["split.folds=3", "split.by=random"], ["split.fold=2"], ["split.folds=3", "split.fold=7"]):
        for source in (recipe, tone_folder):
            with pytest.raises(SettingsError, match=r"split\.fold"):
                find_recipe(source, overrides, progress=Progress())


@pytest.mark.parametrize(
    ("override", "says"), [("dataset=3", "dataset: is 3, must be a section"), ("split=x", "split: is")]
)
def test_a_section_that_is_none_is_one_line_for_a_folder_too(tone_folder, override, says):
    with pytest.raises(SettingsError, match=says):
        find_recipe(tone_folder, [override], progress=Progress())


@pytest.mark.parametrize(
    ("overrides", "begins"),
    [
        (["training.epochs=0"], "--set training.epochs: is 0"),
        (["features.n_melz=3"], "--set features.n_melz: unknown key"),
        (["split={by: other}"], "--set split.by: is 'other'"),
        (["features.window_seconds=2"], "--set features.window_seconds: is 2, longer than the clips"),
        (["audio.clip_seconds=0.02"], "{} with --set audio.clip_seconds: features.window_seconds: "),
    ],
)
def test_what_overrides_break_is_not_said_of_the_recipe(tone_folder, tmp_path, overrides, begins):
    recipe = small_recipe(tone_folder)
    path = tmp_path / "mine.yaml"
    path.write_text(recipe_yaml(recipe))
    for source, name in ((path, str(path)), (recipe, "the recipe given")):
        with pytest.raises(SettingsError) as refusal:
            find_recipe(source, overrides, progress=Progress())
        assert str(refusal.value).startswith(begins.format(name))


@pytest.mark.parametrize("wishes", [Wishes(small=True), Wishes(language="de")])
def test_wishes_of_clips_are_refused_where_a_recipe_is_given(tone_folder, tmp_path, wishes):
    recipe = small_recipe(tone_folder)
    path = tmp_path / "mine.yaml"
    path.write_text(recipe_yaml(recipe))
    for source in (recipe, path):
        with pytest.raises(SettingsError, match="is about clips"):
            find_recipe(source, wishes=wishes, progress=Progress())


def test_a_language_is_refused_where_no_voice_would_speak_it(tone_folder):
    with pytest.raises(SettingsError, match="--language: is about synthetic voices, which --small trains without"):
        find_recipe(tone_folder, wishes=Wishes(small=True, language="de"), progress=Progress())


def test_a_run_is_neither_and_its_recipe_is_named(tmp_path):
    for name in ("recipe.yaml", "manifest.json"):
        (tmp_path / name).touch()
    with pytest.raises(SettingsError, match=rf"is a run, which is neither; its recipe is {tmp_path}/recipe\.yaml"):
        find_recipe(tmp_path, progress=Progress())
