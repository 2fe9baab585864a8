"""What a comparison consists of: its recipes, its folds, and every cell, checked before the first is trained."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from sayso.cells.cell import Cell
from sayso.cells.checks import Part, checked_notes
from sayso.clips import Clip
from sayso.corpus import Corpus
from sayso.errors import DataError, Fault, SaysoError, SettingsError, counted
from sayso.experiment import open_clips, recipe_for
from sayso.folds import Folds, speaker_folds
from sayso.plain_values import lay_over
from sayso.progress import Progress
from sayso.recipe import Recipe, recipe_from_values, recipe_yaml
from sayso.schema import dump
from sayso.splits import Split, make_split

__all__ = ["Contestant", "Plan", "make_plan"]

_OWN = ("training.seed", "training.threads")
_OWN_WITH_FOLDS = ("dataset.split", "dataset.test_speakers", "dataset.folds", "dataset.fold")


@dataclass(frozen=True)
class Contestant:
    """One recipe of a comparison."""

    name: str
    source: str
    """Where it was read."""
    recipe: Recipe
    corpus: Corpus


@dataclass(frozen=True)
class Plan:
    """What is to be trained, and what it is called."""

    contestants: tuple[Contestant, ...]
    split: str
    """How the test clips are held out, in words."""
    speakers_shared: int | None
    """How many test speakers are heard in training too; None where speakers are not known."""
    folds: tuple[str, ...]
    """Names of the folds."""
    seeds: tuple[int, ...]
    cells: tuple[Cell, ...]
    """Of each seed the held-out cells of all recipes, then those of its random split."""
    notes: tuple[str, ...]
    """What a reader of the table must know."""


def make_plan(
    sources: Sequence[str | Path],
    *,
    overrides: Sequence[str],
    folds: Folds | None,
    seeds: int,
    threads: int,
    gap: bool,
    progress: Progress,
) -> Plan:
    """Read the recipes, open their clips, and lay out the cells.

    Raises:
        SettingsError: recipes that do not fit, all faults of all of them at once.
        DataError: recipes that would not be tested on the same clips, or folds that these clips cannot give.
    """
    _check_overrides(overrides, folds)
    contestants = _contestants(sources, overrides, progress)
    first = contestants[0]
    _check_same(contestants, lambda contestant: contestant.corpus.clips, "clips", "such as --set dataset.speakers=[]")
    own = folds is None
    clips = first.corpus.clips
    dealt = () if folds is None else speaker_folds([c.speaker for c in clips], [c.label for c in clips], folds=folds)
    changes = [{}] if own else [_held_out(names) for names in dealt]
    names = ("own",) if own else tuple(f"fold-{number}" for number in range(1, len(dealt) + 1))
    parts: list[Part] = []
    for name, change in zip(names, changes, strict=True):
        splits = {contestant.name: _split(contestant, change) for contestant in contestants}
        _check_same(
            contestants,
            partial(_tested, splits),
            "test clips",
            "such as --folds leave-one-speaker-out or --set dataset.split=official",
        )
        parts += [_part(contestant, name, splits[contestant.name]) for contestant in contestants]
    tested = parts[0].split
    share = 1 / len(dealt) if dealt else len(tested.test) / len(first.corpus)
    cells: list[Cell] = []
    # Seed by seed, so that what was stopped has whole seeds.
    for seed in range(seeds):
        laid_out = [*zip(names, changes, strict=True), *([(f"random-{seed}", _random(share, seed))] if gap else [])]
        cells += [_cell(one, name, change, seed, threads) for name, change in laid_out for one in contestants]
        if gap:  # the table itself says that speakers are shared there
            drawn = [(one, replace(_split(one, _random(share, seed)), notes=())) for one in contestants]
            parts += [_part(one, f"random-{seed}", split) for one, split in drawn]
    return Plan(
        contestants=tuple(contestants),
        split=f"{counted(len(dealt), 'fold')} by speaker" if dealt else f"{tested.kind} split",
        speakers_shared=tested.speakers_shared,
        folds=names,
        seeds=tuple(range(seeds)),
        cells=tuple(cells),
        notes=(*checked_notes(parts, progress), *_notes(first, own=own, folds=len(dealt), seeds=seeds)),
    )


def _check_overrides(overrides: Sequence[str], folds: Folds | None) -> None:
    keys = {override.partition("=")[0].strip() for override in overrides}
    own = (*_OWN, *(_OWN_WITH_FOLDS if folds is not None else ()))
    if faults := [Fault("--set", f"{key} is set by the comparison itself; leave it out") for key in own if key in keys]:
        raise SettingsError(faults)


def _contestants(sources: Sequence[str | Path], overrides: Sequence[str], progress: Progress) -> list[Contestant]:
    faults: list[Fault] = []
    read: dict[str, tuple[str, Recipe]] = {}
    for source in sources:
        try:
            name, recipe = recipe_for(source, overrides, progress=progress)
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
    opened: list[Contestant] = []
    for name, (source, recipe) in read.items():
        opened.append(Contestant(name, source, recipe, open_clips(recipe, progress)))
    return opened


def _check_same(
    contestants: Sequence[Contestant], clips_of: Callable[[Contestant], Sequence[Clip]], what: str, mend: str
) -> None:
    """Refuse recipes that have other clips than the first; clips are told by their paths."""
    first = contestants[0]
    wanted = clips_of(first)
    for other in contestants[1:]:
        clips = clips_of(other)
        if [_identity(clip) for clip in clips] != [_identity(clip) for clip in wanted]:
            sizes = f"{_size(first.name, wanted, what)}, {_size(other.name, clips, what)}"
            raise DataError(f"recipes are compared on the same {what} only: {sizes}; make them equal, {mend}")


def _tested(splits: Mapping[str, Split], contestant: Contestant) -> list[Clip]:
    return [contestant.corpus.clips[row] for row in splits[contestant.name].test]


def _identity(clip: Clip) -> tuple[Any, ...]:
    return clip.path, clip.start_seconds, clip.end_seconds, clip.label, clip.speaker


def _size(name: str, clips: Sequence[Clip], what: str) -> str:
    speakers = {clip.speaker for clip in clips} - {None}
    return f"{name} has {len(clips):,} {what} of {counted(len(speakers), 'speaker')}"


def _split(contestant: Contestant, change: dict[str, Any]) -> Split:
    recipe = _changed(contestant.recipe, change, seed=contestant.recipe.training.seed, threads=1)
    settings = recipe.training
    try:
        return make_split(
            contestant.corpus,
            recipe.dataset,
            validation=settings.validation,
            validation_share=settings.validation_share,
            seed=settings.seed,
        )
    except DataError as error:
        held = f", {', '.join(change['test_speakers'])} held out" if change else ""
        raise DataError(f"{contestant.name}{held}: {error}") from error


def _held_out(speakers: Sequence[str]) -> dict[str, Any]:
    return {"split": "speakers", "test_speakers": list(speakers), "folds": None, "fold": 0}


def _random(share: float, seed: int) -> dict[str, Any]:
    no_folds = {"test_speakers": [], "folds": None, "fold": 0}
    return {"split": "random", "test_share": share, "split_seed": seed} | no_folds


def _cell(contestant: Contestant, fold: str, change: dict[str, Any], seed: int, threads: int) -> Cell:
    recipe = _changed(contestant.recipe, change, seed=seed, threads=threads)
    return Cell(contestant.name, fold, seed, threads, recipe_yaml(recipe), contestant.corpus.content_hash)


def _changed(recipe: Recipe, change: dict[str, Any], *, seed: int, threads: int) -> Recipe:
    over = {"dataset": change, "training": {"seed": seed, "threads": threads}}
    return recipe_from_values(lay_over(dump(recipe), over), source="the comparison")


def _part(contestant: Contestant, name: str, split: Split) -> Part:
    allowed = contestant.recipe.dataset.allow_copies
    return Part(f"{contestant.name} {name}", contestant.corpus, split, allowed)


def _notes(first: Contestant, *, own: bool, folds: int, seeds: int) -> Iterator[str]:
    speakers = [clip.speaker for clip in first.corpus.clips]
    if nameless := speakers.count(None):
        clips = "no clip names its speaker" if nameless == len(speakers) else f"{nameless:,} clips name no speaker"
        yield f"{clips}: intervals and verdicts rest on known speakers alone"
    if seeds == 1:
        yield "one seed: how far trainings differ by luck is in no interval and no verdict; use --seeds 3 or more"
    if own or folds < len(set(speakers) - {None}):
        yield (
            "the same networks answer several speakers: intervals and verdicts hold for these trainings, and the "
            "spread of seeds shows how far others would differ"
        )
