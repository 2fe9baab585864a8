"""Which clips train, validate and test: official, random, by speaker, a fold; and what that means for the number."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np

from sayso.data.clips import PartName
from sayso.data.corpus import Corpus, Rows
from sayso.data.splits.copies import Groups, draw_whole_groups, group_copies, without_parted
from sayso.data.splits.folds import count_words, deal_clips, draw_balanced
from sayso.data.splits.settings import EACH_SPEAKER, SplitSettings, ValidationBy
from sayso.data.splits.split import Split
from sayso.data.splits.subsets import choose_subset
from sayso.errors import DataError
from sayso.system.wording import counted, listed

__all__ = ["divide_for_speaker", "draw_split"]

_MOST_NAMES = 10
# Of validation clips: fewer move no choice by them, and a large set with a few copies in it is drawn as it always was.
_MOST_PARTED = 0.01
# A split that is drawn never takes a word's last clip, nor the last speaker.
_MENDS: dict[PartName, str] = {
    "train": "name fewer split.test_speakers, or use another split.by or split.validation",
    "test": "record at least 2 of each word",
}


def draw_split(corpus: Corpus, settings: SplitSettings, *, seed: int, copies: Iterable[tuple[int, int]] = ()) -> Split:
    """Divide a corpus as a recipe says; validation always comes out of what is left for training.

    Where it is drawn, copies of one recording stay together, since a clip that is trained on says nothing there;
    they do as soon as more than one in a hundred validation clips would be parted from a copy.

    Args:
        corpus: the clips.
        settings: how.
        seed: of the choice of validation clips, the training's own.
        copies: pairs of rows that are one recording, as far as they are known.

    Raises:
        DataError: fewer than two words, a word with too few clips, or a split these clips cannot give.
    """
    _check_classes(corpus)
    settings, fold_notes = _fold_as_speakers(corpus, settings)
    if settings.by == "each_speaker":
        return _each_speaker(corpus)
    kind = _resolve_kind(corpus, settings)
    free = _rows(corpus, lambda row: not corpus.clips[row].keeps_part)
    drawn = _test_rows(corpus, free, settings, kind)
    left = np.setdiff1d(free, drawn)
    chosen = _resolve_validation(corpus, left, kind, settings.validation)
    test = np.union1d(drawn, _kept_rows(corpus, "test"))
    groups = group_copies(copies, without=set(test.tolist()))
    held = _validation_rows(corpus, left, chosen, settings.validation_share, seed, groups)
    if chosen != "none":
        held = np.union1d(held, _kept_rows(corpus, "validation"))
    apart, apart_notes = _of_tested_speakers(corpus, test) if kind == "speakers" else (test[:0], ())
    if chosen == "speakers":
        apart_notes = (*apart_notes, *_note_heard(corpus, held))
    train = np.setdiff1d(np.arange(len(corpus)), np.concatenate((held, test, apart)))
    split = Split(train, held, test, kind)
    _check_parts(corpus, split)
    split, subset_notes = _with_subset(corpus, split, settings)
    tested, trained = _speakers(corpus, split.test), _speakers(corpus, split.train)
    shared = len(tested & trained) if tested else None
    # Who names the speakers to be tested, as a comparison does in turn, knows how many they are.
    alone = () if settings.test_speakers else tuple(_note_one_speaker(kind, tested))
    return replace(
        split, notes=(*fold_notes, *apart_notes, *subset_notes, *alone, *_notes(corpus, split)), speakers_shared=shared
    )


def divide_for_speaker(corpus: Corpus, speaker: str) -> Split:
    """Leave one speaker out to test, and train on all others; nothing validates.

    Clips of that speaker that only ever train are left out of both.

    Raises:
        DataError: the others have not said every word.
    """
    tested = _rows(corpus, lambda row: corpus.clips[row].speaker == speaker and not corpus.clips[row].keeps_part)
    others = _rows(corpus, lambda row: corpus.clips[row].speaker != speaker)
    train = np.setdiff1d(others, _kept_rows(corpus, "test"))
    split = Split(train, tested[:0], tested, "speakers", speakers_shared=0)
    _check_parts(corpus, split)
    return split


def _each_speaker(corpus: Corpus) -> Split:
    """Everything trains, and all of it but what only trains is tested too, by models that left its speaker out."""
    tested = _rows(corpus, lambda row: not corpus.clips[row].keeps_part)
    speakers = sorted({speaker for row in tested if (speaker := corpus.clips[row].speaker)})
    nameless = sum(corpus.clips[row].speaker is None for row in tested)
    if len(speakers) < 2 or nameless:
        raise DataError(
            f"split.by is each_speaker, but {counted(len(speakers), 'speaker is', 'speakers are')} known, and "
            f"{counted(nameless, 'clip names', 'clips name')} none; name them all, or use by: random"
        )
    for speaker in speakers:
        divide_for_speaker(corpus, speaker)
    train = np.setdiff1d(np.arange(len(corpus)), _kept_rows(corpus, "test"))
    names = listed(speakers, _MOST_NAMES, count_rest=True)
    left_out = f"scored by leaving each of {len(speakers)} speakers out in turn ({names})"
    notes = (f"{left_out}; the model that is kept has heard all",)
    return Split(train, tested[:0], tested, EACH_SPEAKER, notes=notes, speakers_shared=0)


def _with_subset(corpus: Corpus, split: Split, settings: SplitSettings) -> tuple[Split, tuple[str, ...]]:
    """The split with as much of its training part as is asked for, and a note that says how much that is."""
    if settings.train_speakers is None and settings.train_clips_per_speaker is None:
        return split, ()
    kept = choose_subset(
        [corpus.clips[row] for row in split.train],
        speakers=settings.train_speakers,
        clips_per_speaker=settings.train_clips_per_speaker,
        seed=settings.subset_seed,
    )
    note = f"trained on {kept.sum():,} of {counted(len(kept), 'training clip')} (split.train_speakers and its like)"
    return replace(split, train=split.train[kept]), (note,)


def _of_tested_speakers(corpus: Corpus, test: Rows) -> tuple[Rows, tuple[str, ...]]:
    """Recordings that only train, of speakers who are tested: they are left out, so that nothing of those is heard."""
    rows = _only_training(corpus, test)
    note = f"{counted(len(rows), 'clip')} of test speakers that only train left out"
    return np.array(rows, dtype=np.int64), (note,) if rows else ()


def _note_heard(corpus: Corpus, validation: Rows) -> Iterator[str]:
    """Say where validation speakers are heard in recordings that only train, which are worth more than they cost."""
    if rows := _only_training(corpus, validation):
        clips = counted(len(rows), "clip of validation speakers only trains", "clips of validation speakers only train")
        yield f"{clips}: what is chosen by validation may promise too much for voices never heard"


def _only_training(corpus: Corpus, part: Rows) -> list[int]:
    """Recordings that only train, of speakers of a part."""
    speakers = _speakers(corpus, part)
    kept = (int(row) for row in _kept_rows(corpus, "train"))
    return [row for row in kept if corpus.clips[row].source == 0 and corpus.clips[row].speaker in speakers]


def _fold_as_speakers(corpus: Corpus, settings: SplitSettings) -> tuple[SplitSettings, tuple[str, ...]]:
    """A fold as what it is, a split by speaker with these test speakers; and a note that names them."""
    if settings.folds is None:
        return settings, ()
    folds = deal_clips(corpus.clips, folds=settings.folds, seed=settings.seed)
    if settings.fold >= len(folds):
        raise DataError(f"split.fold is {settings.fold}, must be 0 to {len(folds) - 1}: there are {len(folds)} folds")
    held = folds[settings.fold]
    names = listed(held, _MOST_NAMES, count_rest=True)
    note = f"fold {settings.fold} of {len(folds)} (numbered from 0): {names} held out"
    return replace(settings, by="speakers", folds=None, fold=0, test_speakers=held), (note,)


def _resolve_kind(corpus: Corpus, settings: SplitSettings) -> str:
    free = [clip for clip in corpus.clips if not clip.keeps_part]
    official = any(clip.part == "test" for clip in free)
    speakers = {clip.speaker for clip in free if clip.speaker}
    if settings.test_speakers:
        return "speakers"
    if settings.by == "auto":
        return "official" if official else "speakers" if len(speakers) >= 3 else "random"
    if settings.by == "official" and not official:
        raise DataError("split.by is official, but the source names no test clips; use random or speakers")
    if settings.by == "speakers" and len(speakers) < 2:
        raise DataError(
            f"split.by is speakers, but {counted(len(speakers), 'speaker is', 'speakers are')} known; it needs at "
            "least 2. Name them (a column, a sub-folder or a pattern) or use by: random"
        )
    return settings.by


def _test_rows(corpus: Corpus, rows: Rows, settings: SplitSettings, kind: str) -> Rows:
    rng = np.random.default_rng((settings.seed, 0))
    if kind == "official":
        return np.array([row for row in rows if corpus.clips[row].part == "test"], dtype=np.int64)
    if kind == "random":
        return _share_of_each_word(corpus, rows, settings.test_share, rng)
    if settings.test_speakers:
        known = {corpus.clips[row].speaker for row in rows}
        if missing := [name for name in settings.test_speakers if name not in known]:
            names = listed(sorted(name for name in known if name), _MOST_NAMES)
            raise DataError(f"split.test_speakers names {', '.join(missing)}, unknown here; there are {names}")
        return np.array([row for row in rows if corpus.clips[row].speaker in settings.test_speakers], dtype=np.int64)
    return _share_of_speakers(corpus, rows, settings.test_share, rng)


def _resolve_validation(corpus: Corpus, rest: Rows, kind: str, validation: ValidationBy) -> str:
    official = any(corpus.clips[row].part == "validation" for row in rest)
    if validation == "official" and not official:
        raise DataError("split.validation is official, but the source names no validation clips; use share")
    if validation != "auto":
        return validation
    if official and kind == "official":
        return "official"
    return "speakers" if kind == "speakers" and len(_speakers(corpus, rest)) >= 4 else "share"


def _validation_rows(corpus: Corpus, rest: Rows, kind: str, share: float, seed: int, groups: Groups) -> Rows:
    """Draw validation clips; again with copies together where, drawn without a look at them, many would be parted."""
    rng = np.random.default_rng((seed, 1))
    if kind == "none":
        return np.zeros(0, np.int64)
    if kind == "official":
        return np.array([row for row in rest if corpus.clips[row].part == "validation"], dtype=np.int64)
    if kind == "speakers":
        if (count := len(_speakers(corpus, rest))) < 2:
            raise DataError(
                f"split.validation is speakers, but {counted(count, 'is', 'are')} left for training; use share or none"
            )
        drawn = _share_of_speakers(corpus, rest, share, rng)
        whole = without_parted(drawn, groups)
        return whole if _is_many(drawn, whole) else drawn
    drawn = _share_of_each_word(corpus, rest, share, rng)
    if not _is_many(drawn, without_parted(drawn, groups)):
        return drawn
    return _share_of_each_word(corpus, rest, share, np.random.default_rng((seed, 1)), groups)


def _is_many(drawn: Rows, whole: Rows) -> bool:
    """Whether enough of the drawn rows are parted from a copy to move what is chosen by them."""
    return len(drawn) - len(whole) > _MOST_PARTED * len(drawn)


def _share_of_each_word(
    corpus: Corpus, rows: Rows, share: float, rng: np.random.Generator, groups: Groups | None = None
) -> Rows:
    """Draw `share` of each word's rows: at least one where there are two, never a word's last, groups whole."""
    drawn: list[int] = []
    for target in range(len(corpus.labels)):
        own = rng.permutation(rows[corpus.targets[rows] == target])
        count = max(1, round(share * len(own))) if share > 0 else 0
        drawn += draw_whole_groups(own.tolist(), min(count, max(0, len(own) - 1)), groups or {})
    return np.sort(np.array(drawn, dtype=np.int64))


def _share_of_speakers(corpus: Corpus, rows: Rows, share: float, rng: np.random.Generator) -> Rows:
    """Draw whole speakers until `share` of them is reached, at least one, each word in proportion as far as can be.

    A clip of no known speaker stays.
    """
    clips = [corpus.clips[row] for row in rows]
    names, counts = count_words([clip.speaker for clip in clips], [clip.label for clip in clips])
    count = min(len(names) - 1, max(1, round(share * len(names))))
    drawn = {names[row] for row in draw_balanced(counts, rng.permutation(len(names)).tolist(), count)}
    return np.array([row for row, clip in zip(rows, clips, strict=True) if clip.speaker in drawn], dtype=np.int64)


def _speakers(corpus: Corpus, rows: Rows) -> set[str]:
    return {speaker for row in rows if (speaker := corpus.clips[row].speaker)}


def _rows(corpus: Corpus, belongs: Callable[[int], bool]) -> Rows:
    return np.array([row for row in range(len(corpus)) if belongs(row)], dtype=np.int64)


def _kept_rows(corpus: Corpus, part: PartName) -> Rows:
    return _rows(corpus, lambda row: corpus.clips[row].keeps_part and corpus.clips[row].part == part)


def _check_classes(corpus: Corpus) -> None:
    counts = Counter(clip.label for clip in corpus.clips)
    if len(counts) < 2:
        only = f"only '{corpus.labels[0]}' is there" if counts else "there are none"
        raise DataError(f"a recogniser needs at least two words, {only}; add a folder of another word or of noise")
    if single := sorted(label for label, count in counts.items() if count < 2):
        names = ", ".join(f"'{label}'" for label in single)
        raise DataError(f"each word needs at least 2 clips (one to train, one to test); {names}: 1")


def _check_parts(corpus: Corpus, split: Split) -> None:
    for part, mend in _MENDS.items():
        if len(split.rows(part)) == 0:
            raise DataError(f"the {split.kind} split leaves no clips to {part}; {mend}")
    trained = {corpus.labels[target] for target in corpus.targets[split.train]}
    if lacking := sorted(set(corpus.labels) - trained):
        names = ", ".join(f"'{label}'" for label in lacking)
        raise DataError(
            f"the {split.kind} split and the validation part leave no training clips of {names}; record more, or use "
            "another split.by or split.validation"
        )


def _note_one_speaker(kind: str, tested: set[str]) -> Iterable[str]:
    if kind == "speakers" and len(tested) == 1:
        yield (
            f"{next(iter(tested))} alone is tested, and the next voice may be understood far better or worse; "
            "split.by: each_speaker leaves out each of few speakers in turn"
        )


def _notes(corpus: Corpus, split: Split) -> Iterable[str]:
    tested = {corpus.labels[target] for target in corpus.targets[split.test]}
    if lacking := sorted(set(corpus.labels) - tested):
        names = ", ".join(f"'{label}'" for label in lacking)
        yield f"no test clips of {names}: the score says nothing about them"
    validated = {corpus.labels[target] for target in corpus.targets[split.validation]}
    if split.chooses_epoch and (lacking := sorted(set(corpus.labels) - validated)):
        names = ", ".join(f"'{label}'" for label in lacking)
        yield f"no validation clips of {names}: the epoch to keep is chosen without them"
    test_speakers = _speakers(corpus, split.test)
    shared = test_speakers & _speakers(corpus, split.train)
    if not test_speakers:
        yield (
            "speakers are not known: people heard in training are probably tested too, so expect less from a new "
            "voice than this score says. Put each speaker's clips into a folder of their own, such as "
            "my-clips/yes/anna/1.wav, or name speakers in a column of a manifest, to get a score for voices never heard"
        )
    elif shared:
        were = "was" if len(shared) == 1 else "were"
        yield (
            f"{split.kind} split, speakers shared: {len(shared)} of the "
            f"{counted(len(test_speakers), 'test speaker')} {were} heard in training, so expect less from a new "
            "voice than this score says"
        )
    nameless = sum(corpus.clips[row].speaker is None and not corpus.clips[row].keeps_part for row in split.train)
    if split.kind == "speakers" and nameless:
        clips_name = counted(nameless, "training clip names", "training clips name")
        yield f"{clips_name} no speaker: a test speaker may be heard there"
