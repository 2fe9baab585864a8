"""What a comparison consists of: its recipes, its folds, and every trial, checked before the first is trained."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from sayso.config.schema import dump
from sayso.data.clips import Clip
from sayso.data.splits.draw import Split
from sayso.data.splits.folds import deal_clips
from sayso.data.splits.settings import EACH_SPEAKER, Folds
from sayso.errors import DataError
from sayso.recipe.prepared import Prepared
from sayso.runs.manifest import split_label
from sayso.studies.comparison.contestants import Contestant, check_same, read_contestants
from sayso.studies.comparison.verdicts import name_nameless
from sayso.studies.trials.checks import Checked, check_splits
from sayso.studies.trials.recipes import OWN_KEYS, make_trial, refuse_own_keys, trial_recipe
from sayso.studies.trials.trial import Trial
from sayso.system.files import digest
from sayso.system.progress import Progress
from sayso.system.wording import counted

__all__ = ["Plan", "make_plan"]

_OWN_WITH_FOLDS = ("split.by", "split.test_speakers", "split.folds", "split.fold")


@dataclass(frozen=True)
class Plan:
    """What is to be trained, and what it is called."""

    contestants: tuple[Contestant, ...]
    split_label: str
    """What stands beside the scores: how the test clips are held out, and whether their speakers are."""
    random_label: str
    """The same of the random splits; empty without them."""
    speakers_shared: int | None
    """How many test speakers are heard in training too; None where speakers are not known."""
    folds: tuple[str, ...]
    """Names of the folds."""
    seeds: tuple[int, ...]
    trials: tuple[Trial, ...]
    """Of each seed the held-out trials of all recipes, then those of its random split."""
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
    """Read the recipes, open their clips, and lay out the trials.

    Raises:
        SettingsError: recipes that do not fit, all faults of all of them at once.
        DataError: recipes that would not be tested on the same clips, or folds that these clips cannot give.
    """
    refuse_own_keys(overrides, (*OWN_KEYS, *(_OWN_WITH_FOLDS if folds else ())), by="the comparison")
    contestants = read_contestants(sources, overrides, progress)
    clips = _divided(contestants[0])
    name_speakers = all(hasattr(each.recipe.dataset, "speakers") for each in contestants)
    mend = "such as --set dataset.speakers=[]" if name_speakers else "with one data set and one list of words"
    check_same(contestants, _divided, "clips", mend)
    held = {"own": {}} if folds is None else _folds(clips, folds)
    splits = _Splits(progress)
    parts = [part for name, change in held.items() for part in _held_parts(contestants, name, change, seeds, splits)]
    first = next(iter(held.values()))
    opened = {one.name: splits.of(one, first, 0) for one in contestants}
    share = 1 / len(held) if folds else _tested_share(parts[0].prepared)
    random = [{f"random-{seed}": _random(share, seed)} if gap else {} for seed in range(seeds)]
    drawn = [part for seed, laid in enumerate(random) for part in _random_parts(contestants, laid, seed, splits)]
    label = _label(parts)
    return Plan(
        contestants=contestants,
        split_label=label.replace("speakers split", f"{counted(len(held), 'fold')} by speaker") if folds else label,
        random_label=_label(drawn) if gap else "",
        speakers_shared=_most_shared(parts).split.speakers_shared,
        folds=tuple(held),
        seeds=tuple(range(seeds)),
        # Seed by seed, so that what was stopped has whole seeds.
        trials=tuple(
            make_trial(one.name, name, one.recipe, change, opened[one.name], seed=seed, threads=threads)
            for seed in range(seeds)
            for name, change in (held | random[seed]).items()
            for one in contestants
        ),
        notes=(
            *check_splits([*parts, *drawn]),
            *_notes(clips, own=folds is None, folds=len(held), seeds=seeds),
        ),
    )


def _divided(opened: Contestant | Prepared) -> Sequence[Clip]:
    """The clips that could be tested; those that only ever train beside them a recipe may have for itself."""
    return [clip for clip in opened.corpus.clips if not (clip.keeps_part and clip.part == "train")]


def _folds(clips: Sequence[Clip], folds: Folds) -> dict[str, dict[str, Any]]:
    """Name of each fold to the keys of the split that make it."""
    return {
        f"fold-{number}": {"by": "speakers", "test_speakers": list(speakers), "folds": None, "fold": 0}
        for number, speakers in enumerate(deal_clips(clips, folds=folds), 1)
    }


def _tested_share(prepared: Prepared) -> float:
    """Share of the clips that is tested by one training, of those that do not only train."""
    trainings = len(prepared.test_speakers) if prepared.split.kind == EACH_SPEAKER else 1
    return len(prepared.split.test) / len(_divided(prepared)) / trainings


def _random(share: float, seed: int) -> dict[str, Any]:
    no_folds = {"test_speakers": [], "folds": None, "fold": 0}
    return {"by": "random", "test_share": share, "seed": seed} | no_folds


class _Splits:
    """The clips of trials, divided; each split is drawn once: recipes that differ in their networks have the same."""

    def __init__(self, progress: Progress) -> None:
        self._known: dict[str, Split] = {}
        self._progress = progress

    def of(self, contestant: Contestant, change: Mapping[str, Any], seed: int) -> Prepared:
        """Give the divided clips of a trial; `change` as for `trial_recipe`."""
        recipe = trial_recipe(contestant.recipe, change, seed=seed, threads=1)
        key = digest([dump(recipe.dataset), dump(recipe.split), seed])
        if key not in self._known:
            try:
                self._known[key] = contestant.packed.divide(recipe, self._progress).split
            except DataError as error:
                speakers = change.get("test_speakers", ())
                held = f"{', '.join(speakers)} held out, " if speakers else ""
                raise DataError(f"{contestant.name}, {held}seed {seed}: {error}") from error
        packed = contestant.packed
        return Prepared(recipe, packed.corpus, self._known[key], packed.unknown_clips, self._progress)


def _held_parts(
    contestants: Sequence[Contestant], name: str, change: Mapping[str, Any], seeds: int, splits: _Splits
) -> Iterator[Checked]:
    """The parts of one fold, of each recipe those of all seeds that can leave other words or speakers for training."""
    check_same(
        contestants,
        partial(_tested, splits, change),
        "test clips",
        "such as --folds leave-one-speaker-out or --set split.by=official",
    )
    for one in contestants:
        split = one.recipe.split
        subset = split.train_speakers is not None or split.train_clips_per_speaker is not None
        seeded = subset or split.validation in ("auto", "speakers")
        for seed in range(seeds if seeded else 1):
            yield Checked(f"{one.name} {name}", splits.of(one, change, seed))


def _random_parts(
    contestants: Sequence[Contestant], laid_out: Mapping[str, Mapping[str, Any]], seed: int, splits: _Splits
) -> Iterator[Checked]:
    for name, change in laid_out.items():
        for one in contestants:
            prepared = splits.of(one, change, seed)
            # The table itself says that speakers are shared there.
            silent = replace(prepared, split=replace(prepared.split, notes=()))
            yield Checked(f"{one.name} {name}", silent)


def _tested(splits: _Splits, change: Mapping[str, Any], contestant: Contestant) -> list[Clip]:
    return [contestant.corpus.clips[row] for row in splits.of(contestant, change, 0).split.test]


def _most_shared(parts: Sequence[Checked]) -> Prepared:
    """Give the clips whose split has the most test speakers in its training."""
    return max((part.prepared for part in parts), key=lambda prepared: prepared.split.speakers_shared or 0)


def _label(parts: Sequence[Checked]) -> str:
    most = _most_shared(parts)
    tested = {most.corpus.clips[row].speaker for row in most.split.test} - {None}
    return split_label({"split": most.split.kind, "speakers_shared": most.split.speakers_shared}, len(tested))


def _notes(clips: Sequence[Clip], *, own: bool, folds: int, seeds: int) -> Iterator[str]:
    speakers = [clip.speaker for clip in clips if not clip.keeps_part]
    yield from name_nameless(speakers)
    if seeds == 1:
        yield "one seed: how far trainings differ by luck is in no interval and no verdict; use --seeds 3 or more"
    if own or folds < len(set(speakers) - {None}):
        others = ", and the spread of seeds shows how far others would differ" if seeds > 1 else ""
        yield f"the same networks answer several speakers: intervals and verdicts hold for these trainings{others}"
