"""Recipes: the shipped ones and a whole one, read as a training reads them."""

import shutil
from pathlib import Path

from runs_made import small_recipe
from sayso.recipe.recipe import read_recipe, recipe_from_text, recipe_yaml

__all__ = ["read_one_recipe", "shipped_recipes"]


def shipped_recipes(folder: Path) -> tuple[bytes, ...]:
    """Give the shipped recipes, beside all that they extend."""
    recipes = Path(__file__).parents[2] / "recipes"
    shutil.copytree(recipes, folder / "recipes", dirs_exist_ok=True)
    shipped = [path.read_bytes() for path in sorted(recipes.glob("*/*.yaml")) if path.parent.name != "origins"]
    return (*shipped, recipe_yaml(small_recipe(Path("clips"))).encode())


def read_one_recipe(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe_from_text(recipe_yaml(recipe), source="again") == recipe
