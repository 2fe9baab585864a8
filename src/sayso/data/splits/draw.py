"""Which clips train, validate and test: official, random, by speaker, a fold; and what that means for the number."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from sayso.data.clips import PartName
from sayso.data.corpus import Corpus, Rows
from sayso.data.datasets import Dataset
from sayso.data.splits.folds import balanced_draw, speaker_folds, word_counts
from sayso.data.splits.subsets import training_subset
from sayso.errors import DataError, Fault, SettingsError
from sayso.system.files import digest
from sayso.system.wording import counted, listed

__all__ = ["Split", "ValidationKind", "make_split"]

ValidationKind = Literal["auto", "official", "share", "speakers", "none"]


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of a corpus by part, what the split is called, and what a reader of the score must know."""

    train: Rows
    validation: Rows
    test: Rows
    kind: str
    """official, random or speakers; a fold is of the kind speakers."""
    notes: tuple[str, ...] = ()
    speakers_shared: int | None = None
    """How many speakers of the test part are in the training part too; None where those tested are not known."""

    @property
    def split_hash(self) -> str:
        """SHA-256 over the three lists of rows."""
        return digest([part.tolist() for part in (self.train, self.validation, self.test)])

    def rows(self, part: str) -> Rows:
        """Rows of the part `train`, `validation` or `test`, or of `all`."""
        if part not in ("train", "validation", "test", "all"):
            raise SettingsError([Fault("part", f"is '{part}', must be train, validation, test or all")])
        if part == "all":
            return np.sort(np.concatenate((self.train, self.validation, self.test)))
        return {"train": self.train, "validation": self.validation, "test": self.test}[part]


def make_split(
    corpus: Corpus, dataset: Dataset, *, validation: ValidationKind, validation_share: float, seed: int
) -> Split:
    """Divide a corpus as the recipe says; validation always comes out of what is left for training.

    Args:
        corpus: the clips.
        dataset: how the test part is chosen (`split`, `test_share`, `test_speakers`, `folds`, `fold`, `split_seed`),
            and how much of the training part is used (`train_speakers`, `train_clips_per_speaker`, `subset_seed`).
        validation: where the validation clips come from; auto takes the official ones where there are some, held-out
            speakers where the test part has held-out speakers too, and else a share of each word.
        validation_share: share of the training clips, or of their speakers, in [0, 1].
        seed: seed of the choice of validation clips.

    Raises:
        DataError: fewer than two words, a word with too few clips, or a split these clips cannot give.
    """
    _check_classes(corpus)
    dataset, fold_notes = _fold_as_speakers(corpus, dataset)
    kind = _resolve_kind(corpus, dataset)
    free = _rows(corpus, lambda row: not corpus.clips[row].keeps_split)
    drawn = _test_rows(corpus, free, dataset, kind)
    left = np.setdiff1d(free, drawn)
    chosen = _resolve_validation(corpus, left, kind, validation)
    held = _validation_rows(corpus, left, chosen, validation_share, np.random.default_rng((seed, 1)))
    test = np.union1d(drawn, _kept_rows(corpus, "test"))
    if chosen != "none":
        held = np.union1d(held, _kept_rows(corpus, "validation"))
    train = np.setdiff1d(np.arange(len(corpus)), np.concatenate((held, test)))
    split = Split(train, held, test, kind)
    _check_parts(corpus, split)
    split, subset_notes = _with_subset(corpus, split, dataset)
    tested, trained = _speakers(corpus, split.test), _speakers(corpus, split.train)
    shared = len(tested & trained) if tested else None
    return replace(split, notes=(*fold_notes, *subset_notes, *_notes(corpus, split)), speakers_shared=shared)


def _with_subset(corpus: Corpus, split: Split, dataset: Dataset) -> tuple[Split, tuple[str, ...]]:
    """The split with as much of its training part as is asked for, and a note that says how much that is."""
    if dataset.train_speakers is None and dataset.train_clips_per_speaker is None:
        return split, ()
    kept = training_subset(
        [corpus.clips[row] for row in split.train],
        speakers=dataset.train_speakers,
        clips_per_speaker=dataset.train_clips_per_speaker,
        seed=dataset.subset_seed,
    )
    note = f"trained on {kept.sum():,} of {counted(len(kept), 'training clip')} (dataset.train_speakers and its like)"
    return replace(split, train=split.train[kept]), (note,)


def _fold_as_speakers(corpus: Corpus, dataset: Dataset) -> tuple[Dataset, tuple[str, ...]]:
    """A fold as what it is, a split by speaker with these test speakers; and a note that names them."""
    if dataset.folds is None:
        if dataset.split == "folds" or dataset.fold:
            which = "dataset.split is folds" if dataset.split == "folds" else f"dataset.fold is {dataset.fold}"
            raise DataError(f"{which}; say with dataset.folds how many there are, or leave-one-speaker-out")
        return dataset, ()
    if dataset.split not in ("auto", "folds") or dataset.test_speakers:
        other = "test_speakers is given" if dataset.test_speakers else f"dataset.split is {dataset.split}"
        raise DataError(f"dataset.folds goes with dataset.split folds, but {other}; leave one of them out")
    clips = [clip for clip in corpus.clips if not (clip.keeps_split and clip.split == "test")]
    speakers = [None if clip.keeps_split else clip.speaker for clip in clips]
    labels = [clip.label for clip in clips]
    folds = speaker_folds(speakers, labels, folds=dataset.folds, seed=dataset.split_seed)
    if dataset.fold >= len(folds):
        raise DataError(f"dataset.fold is {dataset.fold}, must be 0 to {len(folds) - 1}: there are {len(folds)} folds")
    held = folds[dataset.fold]
    names = listed(held, 10, count_rest=True)
    note = f"fold {dataset.fold} of {len(folds)} (numbered from 0): {names} held out"
    return replace(dataset, split="speakers", folds=None, test_speakers=held), (note,)


def _resolve_kind(corpus: Corpus, dataset: Dataset) -> str:
    official = any(clip.split == "test" and not clip.keeps_split for clip in corpus.clips)
    speakers = {clip.speaker for clip in corpus.clips if clip.speaker}
    if dataset.test_speakers:
        if dataset.split not in ("auto", "speakers"):
            raise DataError(f"dataset.test_speakers goes with dataset.split speakers, it is {dataset.split}")
        return "speakers"
    if dataset.split == "auto":
        return "official" if official else "speakers" if len(speakers) >= 3 else "random"
    if dataset.split == "official" and not official:
        raise DataError("dataset.split is official, but the source names no test clips; use random or speakers")
    if dataset.split == "speakers" and len(speakers) < 2:
        raise DataError(
            f"dataset.split is speakers, but {counted(len(speakers), 'speaker is', 'speakers are')} known; it needs at "
            "least 2. Name them (a column, a sub-folder or a pattern) or use split: random"
        )
    return dataset.split


def _test_rows(corpus: Corpus, rows: Rows, dataset: Dataset, kind: str) -> Rows:
    rng = np.random.default_rng((dataset.split_seed, 0))
    if kind == "official":
        return np.array([row for row in rows if corpus.clips[row].split == "test"], dtype=np.int64)
    if kind == "random":
        return _share_of_each_word(corpus, rows, dataset.test_share, rng)
    if dataset.test_speakers:
        known = {clip.speaker for clip in corpus.clips}
        if missing := [name for name in dataset.test_speakers if name not in known]:
            names = listed(sorted(name for name in known if name), 10)
            raise DataError(f"dataset.test_speakers names {', '.join(missing)}, unknown here; there are {names}")
        return _rows(corpus, lambda row: corpus.clips[row].speaker in dataset.test_speakers)
    return _share_of_speakers(corpus, rows, dataset.test_share, rng)


def _resolve_validation(corpus: Corpus, rest: Rows, kind: str, validation: ValidationKind) -> str:
    official = any(corpus.clips[row].split == "validation" for row in rest)
    if validation == "official" and not official:
        raise DataError("training.validation is official, but the source names no validation clips; use share")
    if validation != "auto":
        return validation
    if official and kind == "official":
        return "official"
    return "speakers" if kind == "speakers" and len(_speakers(corpus, rest)) >= 4 else "share"


def _validation_rows(corpus: Corpus, rest: Rows, kind: str, share: float, rng: np.random.Generator) -> Rows:
    if kind == "none":
        return np.zeros(0, np.int64)
    if kind == "official":
        return np.array([row for row in rest if corpus.clips[row].split == "validation"], dtype=np.int64)
    if kind == "speakers":
        if (count := len(_speakers(corpus, rest))) < 2:
            raise DataError(
                f"training.validation is speakers, but {counted(count, 'is', 'are')} left for training; use share or "
                "none"
            )
        return _share_of_speakers(corpus, rest, share, rng)
    return _share_of_each_word(corpus, rest, share, rng)


def _share_of_each_word(corpus: Corpus, rows: Rows, share: float, rng: np.random.Generator) -> Rows:
    """Draw `share` of each word's rows: at least one where there are two, and never a word's last."""
    drawn: list[Rows] = []
    for target in range(len(corpus.labels)):
        own = rng.permutation(rows[corpus.targets[rows] == target])
        count = max(1, round(share * len(own))) if share > 0 else 0
        drawn.append(own[: min(count, max(0, len(own) - 1))])
    return np.sort(np.concatenate(drawn))


def _share_of_speakers(corpus: Corpus, rows: Rows, share: float, rng: np.random.Generator) -> Rows:
    """Draw whole speakers until `share` of them is reached, at least one, each word in proportion as far as can be.

    A clip of no known speaker stays.
    """
    clips = [corpus.clips[row] for row in rows]
    names, counts = word_counts([clip.speaker for clip in clips], [clip.label for clip in clips])
    count = min(len(names) - 1, max(1, round(share * len(names))))
    drawn = {names[row] for row in balanced_draw(counts, rng.permutation(len(names)).tolist(), count)}
    return np.array([row for row, clip in zip(rows, clips, strict=True) if clip.speaker in drawn], dtype=np.int64)


def _speakers(corpus: Corpus, rows: Rows) -> set[str]:
    return {speaker for row in rows if (speaker := corpus.clips[row].speaker)}


def _rows(corpus: Corpus, belongs: Callable[[int], bool]) -> Rows:
    return np.array([row for row in range(len(corpus)) if belongs(row)], dtype=np.int64)


def _kept_rows(corpus: Corpus, part: PartName) -> Rows:
    return _rows(corpus, lambda row: corpus.clips[row].keeps_split and corpus.clips[row].split == part)


def _check_classes(corpus: Corpus) -> None:
    counts = Counter(clip.label for clip in corpus.clips)
    if len(counts) < 2:
        only = f"only '{corpus.labels[0]}' is there" if counts else "there are none"
        raise DataError(f"a recogniser needs at least two words, {only}; add a folder of another word or of noise")
    if single := sorted(label for label, count in counts.items() if count < 2):
        names = ", ".join(f"'{label}'" for label in single)
        raise DataError(f"each word needs at least 2 clips (one to train, one to test); {names}: 1")


def _check_parts(corpus: Corpus, split: Split) -> None:
    for part in ("train", "test"):
        rows = split.rows(part)
        if len(rows) == 0:
            raise DataError(
                f"the {split.kind} split leaves no clips to {part}; use another dataset.split or test_share"
            )
    trained = {corpus.labels[target] for target in corpus.targets[split.train]}
    if lacking := sorted(set(corpus.labels) - trained):
        names = ", ".join(f"'{label}'" for label in lacking)
        raise DataError(
            f"the {split.kind} split and the validation part leave no training clips of {names}; record more, or use "
            "another dataset.split or training.validation"
        )


def _notes(corpus: Corpus, split: Split) -> Iterable[str]:
    tested = {corpus.labels[target] for target in corpus.targets[split.test]}
    if lacking := sorted(set(corpus.labels) - tested):
        names = ", ".join(f"'{label}'" for label in lacking)
        yield f"no test clips of {names}: the score says nothing about them"
    validated = {corpus.labels[target] for target in corpus.targets[split.validation]}
    if validated and (lacking := sorted(set(corpus.labels) - validated)):
        names = ", ".join(f"'{label}'" for label in lacking)
        yield f"no validation clips of {names}: the epoch to keep is chosen without them"
    test_speakers = _speakers(corpus, split.test)
    shared = test_speakers & _speakers(corpus, split.train)
    if not test_speakers:
        yield (
            "speakers are not known: people heard in training are probably tested too, so expect less from a new "
            "voice than this score says. Name the speakers to get a score for voices never heard"
        )
    elif shared:
        were = "was" if len(shared) == 1 else "were"
        yield (
            f"{split.kind} split, speakers shared: {len(shared)} of the "
            f"{counted(len(test_speakers), 'test speaker')} {were} heard in training, so expect less from a new "
            "voice than this score says"
        )
    nameless = sum(corpus.clips[row].speaker is None and not corpus.clips[row].keeps_split for row in split.train)
    if split.kind == "speakers" and nameless:
        clips_name = counted(nameless, "training clip names", "training clips name")
        yield f"{clips_name} no speaker: a test speaker may be heard there"
