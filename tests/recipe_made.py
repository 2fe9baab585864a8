"""Recipes as earlier versions of Sayso wrote them."""

from typing import Any

from sayso.config.schema import dump
from sayso.recipe.recipe import Recipe

__all__ = ["spelt_as_before"]


def spelt_as_before(recipe: Recipe) -> dict[str, Any]:
    """The plain values of a recipe as they were before the split had a section of its own."""
    values = dump(recipe)
    split = values.pop("split")
    values["training"] |= {key: split.pop(key) for key in ("validation", "validation_share")}
    values["dataset"] |= {{"by": "split", "seed": "split_seed"}.get(key, key): value for key, value in split.items()}
    return values
