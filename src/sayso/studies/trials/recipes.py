"""Recipes as cells train them: what a comparison or a curve decides, laid over what the recipe says."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sayso.config.overrides import merge
from sayso.config.schema import dump
from sayso.data.corpus import Corpus
from sayso.errors import Fault, SettingsError
from sayso.recipe.recipe import Recipe, recipe_from_values, recipe_yaml
from sayso.studies.trials.trial import Cell

__all__ = ["OWN_KEYS", "cell_recipe", "make_cell", "refuse_own_keys"]

OWN_KEYS = ("training.seed", "training.threads")
"""Keys that every cell has set, whatever it is part of."""


def cell_recipe(recipe: Recipe, split: Mapping[str, Any], *, seed: int, threads: int) -> Recipe:
    """The recipe with other keys of its split, and with a cell's seed and threads."""
    over = {"split": split, "training": {"seed": seed, "threads": threads}}
    return recipe_from_values(merge(dump(recipe), over), source="a cell")


def make_cell(
    name: str, fold: str, recipe: Recipe, split: Mapping[str, Any], corpus: Corpus, *, seed: int, threads: int
) -> Cell:
    """Make a cell.

    Args:
        name: of the recipe.
        fold: what the cell is of, such as `fold-1`.
        recipe: as it was read.
        split: keys of its split that are other in this cell.
        corpus: its clips.
        seed: of the training.
        threads: of the training.
    """
    whole = recipe_yaml(cell_recipe(recipe, split, seed=seed, threads=threads))
    return Cell(name, fold, seed, threads, whole, corpus.content_hash)


def refuse_own_keys(overrides: Sequence[str], own: Iterable[str], *, by: str) -> None:
    """Refuse `--set` of a key that cells have set.

    Args:
        overrides: `key=value` texts.
        own: the keys.
        by: who sets them, such as `the comparison`.

    Raises:
        SettingsError: all faults at once.
    """
    keys = {override.partition("=")[0].strip() for override in overrides}
    if faults := [Fault("--set", f"{key} is set by {by} itself; leave it out") for key in own if key in keys]:
        raise SettingsError(faults)
