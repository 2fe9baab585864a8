"""Where a recipe comes from: a file, or clips for which one is suggested."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sayso.config.overrides import merge, parse_overrides
from sayso.config.schema import dump
from sayso.recipe.defaults import suggest_recipe
from sayso.recipe.recipe import Recipe, read_recipe, recipe_from_values
from sayso.system.progress import Progress

__all__ = ["recipe_for"]


def recipe_for(source: str | Path | Recipe, overrides: Sequence[str] = (), *, progress: Progress) -> tuple[str, Recipe]:
    """The name of a source and its recipe: read when it is a file, suggested when it is clips.

    Raises:
        SettingsError: anything in it does not fit.
        DataError: a folder or manifest without usable clips.
    """
    if isinstance(source, Recipe):
        values = merge(dump(source), parse_overrides(overrides))
        recipe = recipe_from_values(values, source="the recipe given")
        return "recipe", replace(recipe, dataset=recipe.dataset.anchor())
    path = Path(source)
    if path.suffix.lower() in (".yaml", ".yml"):
        recipe = read_recipe(path, overrides)
    else:
        recipe = suggest_recipe(path, overrides, progress=progress)
    return path.stem or path.resolve().name, replace(recipe, dataset=recipe.dataset.anchor())
