"""Where a recipe comes from: a file, or clips for which one is suggested."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from sayso.config.overrides import parse_overrides
from sayso.config.schema import dump
from sayso.errors import Fault, SettingsError
from sayso.recipe.defaults import Wishes, suggest_for_words, suggest_recipe
from sayso.recipe.recipe import Recipe, is_recipe_file, read_recipe, recipe_from_values
from sayso.recipe.words import Words
from sayso.system.files import expand_home
from sayso.system.progress import Progress

__all__ = ["find_recipe", "name_of"]

_OF_A_RUN = "recipe.yaml", "manifest.json"


def name_of(source: str | Path | Recipe | Words) -> str:
    """Give the name of a source, which runs and recipe files are called by: that of its file or folder without ending.

    >>> name_of("data/my-clips"), name_of("quick.yaml")
    ('my-clips', 'quick')
    """
    if isinstance(source, Recipe):
        return "recipe"
    if isinstance(source, Words):
        return "words"
    path = Path(source)
    return path.stem or path.resolve().name


def find_recipe(
    source: str | Path | Recipe | Words,
    overrides: Sequence[str] = (),
    *,
    wishes: Wishes | None = None,
    progress: Progress,
) -> tuple[str, Recipe]:
    """Give the name of a source and its recipe: read when it is a file, suggested when it is clips or words alone.

    Args:
        source: a recipe, its file, a folder of clips, a manifest, or words.
        overrides: `key=value` texts laid over the recipe.
        wishes: of the recipe that is suggested for clips.
        progress: where to report.

    Raises:
        SettingsError: anything in it does not fit.
        DataError: a folder or manifest without usable clips.
    """
    if wishes and (faults := list(_unfit_wishes(source, wishes))):
        raise SettingsError(faults)
    if isinstance(source, Recipe):
        recipe = recipe_from_values(dump(source), source="the recipe given", laid_over=parse_overrides(overrides))
    elif isinstance(source, Words):
        recipe = suggest_for_words(source, overrides, progress=progress)
    else:
        path = Path(source)
        if all(os.path.isfile(path / name) for name in _OF_A_RUN):  # noqa: PTH113 - never raises
            fault = Fault("source", f"{path} is a run, which is neither; its recipe is {path / _OF_A_RUN[0]}")
            raise SettingsError([fault])
        recipe = (
            read_recipe(path, overrides)
            if is_recipe_file(path)
            else suggest_recipe(path, overrides, wishes=wishes, progress=progress)
        )
    negatives = tuple(dataset.anchor() for dataset in recipe.rejection.negatives)
    recordings = tuple(str(expand_home(place).resolve()) for place in recipe.rejection.recordings)
    teacher = recipe.training.teacher
    anchored = replace(
        recipe,
        training=replace(recipe.training, teacher=str(expand_home(teacher).resolve()) if teacher else ""),
        dataset=recipe.dataset.anchor(),
        augment=tuple(part.anchor() for part in recipe.augment),
        rejection=replace(recipe.rejection, negatives=negatives, recordings=recordings),
    )
    return name_of(source), anchored


def _unfit_wishes(source: str | Path | Recipe | Words, wishes: Wishes) -> Iterator[Fault]:
    """Yield a fault for what a person wishes of clips where none are given, or what would do nothing."""
    if isinstance(source, Words):
        given = "words"
    elif isinstance(source, Recipe) or is_recipe_file(source):
        given = "a recipe"
    else:
        if wishes.small and wishes.language is not None:
            yield Fault("--language", "is about synthetic voices, which --small trains without; leave one of them out")
        return
    if wishes.small:
        yield Fault("--small", f"is about clips without a recipe, and {given} is given; set features and model instead")
    if wishes.language is not None and given == "a recipe":
        yield Fault("--language", "is about clips or words without a recipe; a recipe says it in its data sets")
