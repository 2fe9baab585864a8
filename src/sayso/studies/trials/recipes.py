"""Recipes as trials train them: what a comparison or a curve decides, laid over what the recipe says."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sayso.config.overrides import is_set, merge, parse_overrides
from sayso.config.schema import dump
from sayso.errors import Fault, SettingsError
from sayso.recipe.prepared import Prepared
from sayso.recipe.recipe import Recipe, recipe_from_values, recipe_yaml
from sayso.studies.trials.trial import Trial

__all__ = ["OWN_KEYS", "make_trial", "refuse_own_keys", "trial_recipe"]

OWN_KEYS = ("training.seed", "training.threads")
"""Keys that every trial has set, whatever it is part of."""


def trial_recipe(recipe: Recipe, split: Mapping[str, Any], *, seed: int, threads: int) -> Recipe:
    """The recipe with other keys of its split, and with a trial's seed and threads."""
    over = {"split": split, "training": {"seed": seed, "threads": threads}}
    return recipe_from_values(merge(dump(recipe), over), source="a trial")


def make_trial(
    name: str, fold: str, recipe: Recipe, split: Mapping[str, Any], prepared: Prepared, *, seed: int, threads: int
) -> Trial:
    """Make a trial.

    Args:
        name: of the recipe.
        fold: what the trial is of, such as `fold-1`.
        recipe: as it was read.
        split: keys of its split that are other in this trial.
        prepared: its clips, divided in any way.
        seed: of the training.
        threads: of the training.
    """
    whole = recipe_yaml(trial_recipe(recipe, split, seed=seed, threads=threads))
    return Trial(name, fold, seed, threads, whole, prepared.corpus.content_hash, prepared.other_sounds)


def refuse_own_keys(overrides: Sequence[str], own: Iterable[str], *, by: str) -> None:
    """Refuse `--set` of a key that trials have set.

    Args:
        overrides: `key=value` texts.
        own: the keys.
        by: who sets them, such as `the comparison`.

    Raises:
        SettingsError: all faults at once.
    """
    laid_over = parse_overrides(overrides)
    if faults := [
        Fault("--set", f"{key} is set by {by} itself; leave it out") for key in own if is_set(key, laid_over)
    ]:
        raise SettingsError(faults)
