"""The recipes of a comparison: read, their clips opened, and refused where they have not the same clips."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sayso.data.clips import Clip
from sayso.data.corpus import Corpus
from sayso.errors import DataError, Fault, SaysoError, SettingsError
from sayso.recipe.defaults import Wishes
from sayso.recipe.prepared import Packed, pack_clips
from sayso.recipe.recipe import Recipe
from sayso.recipe.source import find_recipe
from sayso.system.progress import Progress
from sayso.system.wording import counted

__all__ = ["Contestant", "check_same", "read_contestants"]


@dataclass(frozen=True)
class Contestant:
    """One recipe of a comparison."""

    name: str
    source: str
    """Where it was read."""
    recipe: Recipe
    packed: Packed
    """Its clips."""

    @property
    def corpus(self) -> Corpus:
        """The clips of the words to tell apart."""
        return self.packed.corpus


def read_contestants(
    sources: Sequence[str | Path], overrides: Sequence[str], progress: Progress
) -> tuple[Contestant, ...]:
    """Read the recipes and open their clips.

    Raises:
        SettingsError: none, two of one name, or recipes that do not fit: all faults of all of them at once.
        DataError: clips that cannot be used.
    """
    faults: list[Fault] = []
    read: dict[str, tuple[str, Recipe]] = {}
    for source in sources:
        try:
            name, recipe = find_recipe(source, overrides, wishes=Wishes(in_turn=False), progress=progress)
        except SettingsError as error:
            faults += [Fault(error.source or str(source), str(fault)) for fault in error.faults]
            continue
        except SaysoError as error:
            faults.append(Fault("", str(error)))
            continue
        if name in read:
            faults.append(Fault("", f"{source} and {read[name][0]} are both called {name}; rename one of the files"))
        read[name] = (str(source), recipe)
    if faults or not sources:
        raise SettingsError(faults or [Fault("RECIPE", "name at least one")])
    return tuple(
        Contestant(name, source, recipe, pack_clips(recipe, progress)) for name, (source, recipe) in read.items()
    )


def check_same(
    contestants: Sequence[Contestant], clips_of: Callable[[Contestant], Sequence[Clip]], what: str, mend: str
) -> None:
    """Refuse recipes that have other clips than the first; clips are told by their paths.

    Args:
        contestants: the recipes.
        clips_of: gives those of one of them.
        what: what these are, for messages, such as `test clips`.
        mend: how they can be made equal.

    Raises:
        DataError: they differ.
    """
    first = contestants[0]
    wanted = clips_of(first)
    for other in contestants[1:]:
        clips = clips_of(other)
        if [_identity(clip) for clip in clips] != [_identity(clip) for clip in wanted]:
            sizes = f"{_size(first.name, wanted, what)}, {_size(other.name, clips, what)}"
            known = {_identity(clip) for clip in wanted}
            if one := next((clip for clip in clips if _identity(clip) not in known), None):
                said = f"'{one.label}' by {one.speaker or 'nobody known'}"
                sizes += f", among them {one.path} ({said}), which {first.name} has not"
            raise DataError(f"recipes are compared on the same {what} only: {sizes}; make them equal, {mend}")


def _identity(clip: Clip) -> tuple[Any, ...]:
    return clip.path, clip.start_seconds, clip.end_seconds, clip.label, clip.speaker


def _size(name: str, clips: Sequence[Clip], what: str) -> str:
    speakers = {clip.speaker for clip in clips} - {None}
    return f"{name} has {len(clips):,} {what} of {counted(len(speakers), 'speaker')}"
