"""The recipe of a teacher that is trained first: its own network and training, on the clips of its student."""

from dataclasses import replace
from pathlib import Path

from sayso.config.overrides import merge
from sayso.config.schema import dump
from sayso.errors import Fault, SettingsError
from sayso.recipe.recipe import Recipe, read_recipe, recipe_from_values

__all__ = ["teaching_recipe"]

_OF_THE_STUDENT = ("dataset", "split", "audio", "rejection")
"""Sections that say what is heard: a teacher answers to its student's clips, and is to hear no others."""
_OF_THE_STUDENTS_TRAINING = ("seed", "threads", "device")
"""The seed draws validation clips, too."""


def teaching_recipe(student: Recipe) -> Recipe:
    """Make the recipe by which the teacher of another one is trained first.

    The file that the student names says what the teacher hears of a clip, its network, augmentation and training. Which
    clips those are, how they are divided and cut, and what is none of the words, the student says for both.

    It hears what it teaches of at the clips' own speed alone.

    Args:
        student: names the file of a recipe as its teacher.

    Raises:
        SettingsError: there is no such file, anything in it does not fit the student's clips, or a recipe would teach
            itself.
    """
    path = student.training.teacher_file
    assert path is not None
    _check_circle(path)
    own, theirs = dump(student), dump(read_recipe(path))
    training = {key: own["training"][key] for key in _OF_THE_STUDENTS_TRAINING}
    values = {**theirs, **{section: own[section] for section in _OF_THE_STUDENT}}
    made = recipe_from_values(merge(values, {"training": training}), source=f"{path}, on its student's clips")
    return replace(made, test_time_speeds=(), augment=tuple(part.anchor() for part in made.augment))


def _check_circle(first: Path) -> None:
    """Check that nobody is among its own teachers."""
    seen: set[Path] = set()
    path: Path | None = first
    while path is not None:
        if path.resolve() in seen:
            raise SettingsError([Fault("training.teacher", "goes round in a circle")], source=str(first))
        seen.add(path.resolve())
        path = read_recipe(path).training.teacher_file
