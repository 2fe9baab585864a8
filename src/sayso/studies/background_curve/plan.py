"""What a background curve consists of: how many minutes at each size, and every trial, checked before the first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sayso.config.overrides import merge
from sayso.config.schema import dump
from sayso.data.splits.settings import EACH_SPEAKER
from sayso.errors import DataError, Fault, SettingsError
from sayso.recipe.defaults import Wishes
from sayso.recipe.prepared import Prepared, pack_clips
from sayso.recipe.recipe import recipe_from_values
from sayso.recipe.source import find_recipe
from sayso.studies.trials.recipes import OWN_KEYS, make_trial, refuse_own_keys, trial_recipe
from sayso.studies.trials.trial import Trial
from sayso.system.progress import Progress

__all__ = ["Plan", "make_plan"]

_MINUTES = "rejection.minutes"
_HALVINGS = 4
_LEAST_MINUTES = 0.25
_FEWEST_SIZES = 2


@dataclass(frozen=True, eq=False)
class Plan:
    """What is to be trained, and what it is called."""

    name: str
    source: str
    """Where the recipe was read."""
    prepared: Prepared
    """Its clips, as the first seed divides them, with all of its background."""
    minutes: tuple[float, ...]
    """Of background at each size, rising."""
    trials: Mapping[float, tuple[Trial, ...]]
    """Of each size, one a seed."""

    @property
    def different(self) -> list[Trial]:
        """Every trial once."""
        return list(dict.fromkeys(trial for trials in self.trials.values() for trial in trials))


def make_plan(
    source: str | Path,
    *,
    overrides: Sequence[str],
    minutes: Sequence[float],
    seeds: int,
    threads: int,
    progress: Progress,
) -> Plan:
    """Read the recipe, open its clips and its background, and lay out the trials.

    Args:
        source: a recipe file, or a folder of clips.
        overrides: `key=value` texts laid over the recipe.
        minutes: sizes; none: all of the background, and what halving it four times leaves.
        seeds: how many, from 0; each draws other background.
        threads: of each trial.
        progress: where to report.

    Raises:
        SettingsError: a recipe or sizes that do not fit.
        DataError: clips or background that allow no curve.
    """
    refuse_own_keys(overrides, (*OWN_KEYS, _MINUTES), by="the curve")
    name, recipe = find_recipe(source, overrides, wishes=Wishes(in_turn=False), progress=progress)
    if not recipe.rejection.recordings:
        raise SettingsError(
            [
                Fault(
                    "rejection.recordings",
                    "names no background to train on shares of; give long recordings (--negatives)",
                )
            ]
        )
    if recipe.rejection.minutes is not None:
        raise SettingsError([Fault(_MINUTES, "is set by the curve itself; take it out of the recipe")])
    packed = pack_clips(recipe, progress)
    prepared = packed.divide(trial_recipe(recipe, {}, seed=0, threads=threads), progress)
    _check_parts(prepared)
    recordings = prepared.recordings
    assert recordings is not None
    sizes = _choose(recordings.seconds / 60, minutes)

    def trial(size: float, seed: int) -> Trial:
        own = recipe_from_values(merge(dump(recipe), {"rejection": {"minutes": size}}), source="a trial")
        return make_trial(name, f"{size:g}-minutes", own, {}, prepared, seed=seed, threads=threads)

    trials = {size: tuple(trial(size, seed) for seed in range(seeds)) for size in sizes}
    return Plan(name, str(source), prepared, sizes, trials)


def _check_parts(prepared: Prepared) -> None:
    if prepared.split.kind == EACH_SPEAKER:
        raise DataError("split.by is each_speaker, a training for every speaker at every size; use split.by=speakers")
    for part, why in (("validation", "choose thresholds by"), ("test", "count misses of")):
        if not len(prepared.rows(part)):
            raise DataError(f"the split has no {part} clips to {why}; choose another split.by")


def _choose(most: float, asked: Sequence[float]) -> tuple[float, ...]:
    """Sizes in minutes, rising, to a hundredth."""
    if asked:
        if faults := [
            Fault("--minutes", f"{size:g} is more than the {most:.2f} minutes that there are")
            for size in asked
            if size > most
        ]:
            raise SettingsError(faults)
        sizes = sorted({round(size, 2) for size in asked})
    else:
        sizes = sorted({round(most / 2**halving - 0.005, 2) for halving in range(_HALVINGS + 1)})
        sizes = [size for size in sizes if size >= _LEAST_MINUTES]
    if len(sizes) < _FEWEST_SIZES:
        raise DataError(f"{most:.2f} minutes of background allow no curve: give more of it, or two sizes by --minutes")
    return tuple(sizes)
