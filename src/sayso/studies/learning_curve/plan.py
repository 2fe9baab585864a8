"""What a learning curve consists of: its axes, and every trial, checked before the first is trained."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sayso.data.clips import Clip
from sayso.data.splits.draw import Split
from sayso.errors import DataError, Fault, SettingsError
from sayso.recipe.defaults import Wishes
from sayso.recipe.prepared import Prepared, pack_clips
from sayso.recipe.recipe import Recipe
from sayso.recipe.source import find_recipe
from sayso.studies.learning_curve.sizes import AXES, Axis, AxisName, known_speakers, make_axis
from sayso.studies.trials.checks import Checked, check_splits
from sayso.studies.trials.recipes import OWN_KEYS, make_trial, refuse_own_keys, trial_recipe
from sayso.studies.trials.trial import Trial
from sayso.system.progress import Progress

__all__ = ["Plan", "make_plan"]

_OWN = (*OWN_KEYS, *(f"split.{key}" for key in ("train_speakers", "train_clips_per_speaker", "subset_seed")))


@dataclass(frozen=True)
class Plan:
    """What is to be trained, and what it is called."""

    name: str
    source: str
    """Where the recipe was read."""
    split: Split
    """That of the first seed, with the whole training part."""
    axes: tuple[Axis, ...]
    trials: Mapping[tuple[AxisName, int], tuple[Trial, ...]]
    """The trials of each axis and size, one a seed. The whole training part is one trial for both axes."""
    notes: tuple[str, ...]
    """What a reader of the curves must know."""

    @property
    def different(self) -> list[Trial]:
        """Every trial once."""
        return list(dict.fromkeys(trial for trials in self.trials.values() for trial in trials))


def make_plan(
    source: str | Path,
    *,
    overrides: Sequence[str],
    sizes: Mapping[AxisName, Sequence[int]],
    seeds: int,
    threads: int,
    progress: Progress,
) -> Plan:
    """Read the recipe, open its clips, and lay out the trials.

    Raises:
        SettingsError: a recipe or sizes that do not fit.
        DataError: clips that allow no curve.
    """
    name, recipe = find_recipe(source, overrides, wishes=Wishes(in_turn=False), progress=progress)
    _check_own(recipe, overrides)
    packed = pack_clips(recipe, progress)
    corpus = packed.corpus
    seeded = [packed.divide(trial_recipe(recipe, {}, seed=seed, threads=threads), progress) for seed in range(seeds)]
    splits = [prepared.split for prepared in seeded]
    parts = [[corpus.clips[row] for row in split.train] for split in splits]
    axes, left_out = _axes(parts, sizes)
    trials: dict[tuple[AxisName, int], tuple[Trial, ...]] = {
        (axis.name, size): tuple(_trial(name, recipe, seeded[0], axis, size, seed, threads) for seed in range(seeds))
        for axis in axes
        for size in axis.sizes
    }
    tested = [corpus.clips[row] for row in splits[0].test]
    checked = [Checked(f"seed {seed}", prepared) for seed, prepared in enumerate(seeded)]
    notes = (*left_out, *check_splits(checked), *_notes(splits[0], tested, parts[0], seeds))
    return Plan(name, str(source), splits[0], axes, trials, notes)


def _check_own(recipe: Recipe, overrides: Sequence[str]) -> None:
    refuse_own_keys(overrides, _OWN, by="the curve")
    given = {
        "train_speakers": recipe.split.train_speakers,
        "train_clips_per_speaker": recipe.split.train_clips_per_speaker,
    }
    if faults := [
        Fault(f"split.{key}", f"is {value}, but a curve sets it itself; take it out of the recipe")
        for key, value in given.items()
        if value is not None
    ]:
        raise SettingsError(faults)


def _axes(
    parts: Sequence[Sequence[Clip]], sizes: Mapping[AxisName, Sequence[int]]
) -> tuple[tuple[Axis, ...], tuple[str, ...]]:
    """The axes asked for; without any both, or the one that these clips allow and a note about the other."""
    asked: list[AxisName] = [name for name in AXES if sizes.get(name)]
    if asked:
        return tuple(make_axis(name, parts, sizes[name]) for name in asked), ()
    axes: list[Axis] = []
    faults: list[DataError] = []
    for name in AXES:
        try:
            axes.append(make_axis(name, parts, ()))
        except DataError as error:
            faults.append(error)
    if not axes:
        raise faults[0]
    return tuple(axes), tuple(f"one curve only: {fault}" for fault in faults)


def _trial(name: str, recipe: Recipe, prepared: Prepared, axis: Axis, size: int, seed: int, threads: int) -> Trial:
    whole = axis.whole(size, seed)
    change = {"subset_seed": seed} | ({} if whole else {axis.key: size})
    fold = "all" if whole else f"{axis.name}-{size}"
    return make_trial(name, fold, recipe, change, prepared, seed=seed, threads=threads)


def _notes(split: Split, tested: Sequence[Clip], trained: Sequence[Clip], seeds: int) -> Iterator[str]:
    if split.speakers_shared:
        yield (
            "test speakers are heard in training too: the curve over speakers says nothing of new voices; for that use "
            "--set split.by=speakers"
        )
    if not known_speakers(trained):
        yield "no training clip names its speaker: all clips count as one speaker's"
    if (count := known_speakers(tested)) < 2:
        told = "one test speaker" if count else "no test speaker is known"
        yield f"{told}: the intervals are over clips, and too narrow for clips of other people"
    if seeds == 1:
        yield (
            "one seed: the intervals leave out how trainings, and the speakers and clips drawn for them, differ, so "
            "they are too narrow; use --seeds 3 or more"
        )
