"""The clips of a recipe, packed and divided: what is trained on, what is tested, and what the two share.

Everything here works in each of several processes; what takes long is done once a machine, and found in the cache by
the others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sayso.data.clips import Clip, Listing
from sayso.data.corpus import Corpus, Rows, join, pack
from sayso.data.datasets import DatasetConfig
from sayso.data.faults.quick_look import look_over
from sayso.data.leakage import Leakage, check_added, check_leakage
from sayso.data.leakage.other_clips import check_other_clips
from sayso.data.long_recordings import LongRecordings, read_recordings
from sayso.data.near_copies import look_up_near_copies
from sayso.data.splits import Split, divide_for_speaker, draw_split
from sayso.data.splits.split import LEAST_TO_CHOOSE
from sayso.data.unknown_words import list_for_recipe
from sayso.errors import DataError
from sayso.recipe.negatives import Negatives, check_recordings, cut_words, gather_negatives
from sayso.recipe.recipe import Recipe
from sayso.system.distributed import let_one_per_machine_go_first
from sayso.system.files import digest
from sayso.system.progress import Progress
from sayso.system.wording import counted, in_shell

__all__ = ["BACKGROUND_NOISE", "Packed", "Prepared", "pack_clips", "prepare", "prepare_with_more"]

BACKGROUND_NOISE = "background noise"
"""What `Prepared.other_sounds` calls the noise of the data set."""


@dataclass(frozen=True, eq=False)
class Packed:
    """The packed clips of a recipe, before they are divided."""

    corpus: Corpus
    """Of the words to tell apart."""
    unknown_clips: tuple[Clip, ...] = ()
    """Of words that are kept from training, not packed yet: which of them count depends on the split."""

    def divide(self, recipe: Recipe, progress: Progress, *, compared: Corpus | None = None) -> "Prepared":
        """Divide the clips as a recipe says, which may split them otherwise than the one they were packed for.

        Args:
            recipe: how.
            progress: where to report.
            compared: the first of the clips, among which copies are looked for, that validation is not to part; None:
                all.

        Raises:
            DataError: these clips cannot be divided so.
        """
        with let_one_per_machine_go_first():
            copies = look_up_near_copies(self.corpus if compared is None else compared, progress=progress)
        pairs = [(pair.first, pair.second) for pair in copies]
        split = draw_split(self.corpus, recipe.split, seed=recipe.training.seed, copies=pairs)
        return Prepared(recipe, self.corpus, split, self.unknown_clips, progress)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A recipe with its clips: packed, divided, and compared across the parts."""

    recipe: Recipe
    corpus: Corpus
    split: Split
    unknown_clips: tuple[Clip, ...] = ()
    """As in `Packed`."""
    progress: Progress = field(default_factory=Progress, repr=False)
    """Where the work on them reports."""

    def rows(self, part: str) -> Rows:
        """Rows of the corpus in the part `train`, `validation` or `test`, or in `all`."""
        return self.split.rows(part)

    @cached_property
    def relabelled(self) -> dict[str, int]:
        """How many clips of each part have another word than the source's; empty where none has."""
        marked = [row for row, clip in enumerate(self.corpus.clips) if clip.source_label is not None]
        if not marked:
            return {}
        return {part: int(np.isin(marked, self.rows(part)).sum()) for part in ("train", "validation", "test")}

    @cached_property
    def test_speakers(self) -> tuple[str, ...]:
        """Names of those who speak in the test part, as far as they are known, in order."""
        names = {self.corpus.clips[row].speaker for row in self.split.test}
        return tuple(sorted(name for name in names if name))

    def without_speaker(self, name: str) -> "Prepared":
        """The same recipe and clips with one speaker left out to test, to be worked on silently.

        Raises:
            DataError: the others have not said every word.
        """
        fold = replace(self, split=divide_for_speaker(self.corpus, name), progress=Progress())
        # They do not hang on the split, so they are not gathered again.
        for name in ("_gathered", "_all_recordings", "recordings", "background"):
            vars(fold)[name] = getattr(self, name)
        return fold

    def for_recipe(self, recipe: Recipe) -> "Prepared":
        """The same clips, divided the same, for a recipe that says the same of them.

        Nothing is looked up again but background recordings, where it names others.
        """
        other = replace(self, recipe=recipe)
        kept = {name: value for name, value in vars(self).items() if name not in vars(other)}
        if self._background_places != other._background_places:
            kept.pop("background", None)
        vars(other).update(kept)
        return other

    @property
    def _background_places(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(place for part in self.recipe.augment for place in part.background))

    def with_negatives(self, samples: NDArray[np.int16], what: str) -> "Prepared":
        """The same, with windows of longer sound that train as none of the words besides; nothing is looked up again.

        Args:
            samples: (windows, samples).
            what: says in a note what they are.
        """
        more = replace(self)
        vars(more).update(vars(self))
        for name in ("_gathered", "negatives"):
            if negatives := getattr(self, name):
                vars(more)[name] = negatives.with_more(samples, what, are_windows=True)
        return more

    @cached_property
    def negatives(self) -> Negatives | None:
        """Sounds that are none of the words, which train; None where the recipe names none.

        Raises:
            DataError: a data set of them cannot be used, or holds clips of the words.
        """
        gathered, cut = self._gathered, self.recipe.rejection.cut_words
        if gathered is None or not cut:
            return gathered
        words = cut_words(self.corpus, self.split.train, cut)
        return gathered.with_more(words, f"so do {counted(len(words), 'clip')} in which a word is cut")

    @cached_property
    def unheard_negatives(self) -> Rows:
        """Rows of the negatives that are left out, as a speaker who is tested says them."""
        if self.negatives is None or self.split.kind != "speakers":
            return np.zeros(0, np.int64)
        return self.negatives.said_by(self.test_speakers)

    @cached_property
    def _gathered(self) -> Negatives | None:
        """Those that do not hang on the split."""
        rejection = self.recipe.rejection
        if not rejection.has_negatives:
            return None
        # Streams have windows of the recordings of their own.
        recordings = self.recordings if self.recipe.training.on == "clips" else None
        with let_one_per_machine_go_first():
            return gather_negatives(rejection, self.corpus, recordings, progress=self.progress)

    @cached_property
    def recordings(self) -> LongRecordings | None:
        """Long recordings in which none of the words is spoken; None where the recipe names none.

        Raises:
            DataError: they are not there, or cannot be read, or some are clips of the words.
        """
        read, minutes = self._all_recordings, self.recipe.rejection.minutes
        if read is None or minutes is None:
            return read
        return read.drawn(60 * minutes, seed=self.recipe.training.seed)

    @cached_property
    def _all_recordings(self) -> LongRecordings | None:
        """Those that are named, before some are drawn."""
        places = self.recipe.rejection.recordings
        if not places:
            return None
        read = read_recordings(places, self.corpus.audio.sample_rate, progress=self.progress)
        check_recordings(read, self.corpus, given="rejection.recordings (--negatives)")
        return read

    @cached_property
    def background(self) -> LongRecordings | None:
        """Recordings that augmentations add to clips beside those of the data set; None where the recipe names none.

        Raises:
            DataError: they are not there, or cannot be read.
        """
        places = self._background_places
        return read_recordings(places, self.corpus.audio.sample_rate, progress=self.progress) if places else None

    @property
    def other_sounds(self) -> dict[str, str]:
        """SHA-256 of what trains beside the clips, as far as there is any, by what it is.

        These are the same for every split and seed.

        Raises:
            DataError: as by the properties that hold them.
        """
        found = {
            BACKGROUND_NOISE: self.corpus.noise_hash if self.corpus.noise else None,
            "clips of other words": digest(sorted(self._gathered.fingerprints)) if self._gathered else None,
            "other recordings": self._all_recordings.content_hash if self._all_recordings else None,
            "background recordings": self.background.content_hash if self.background else None,
        }
        return {what: known for what, known in found.items() if known is not None}

    @cached_property
    def unknown_words(self) -> Corpus | None:
        """Packed clips of `dataset.reject_words`, as far as they belong with the test part; None without such words.

        They are of its speakers where it was chosen by speaker, the source's own test clips where it is the official
        one, and all of them where it was drawn at random: known and unknown words differ in nothing but the word.

        Raises:
            DataError: none of them belongs with the test part, they cannot be read, or they train as negatives.
        """
        words = self.recipe.dataset.reject_words
        if not words:
            return None
        tested = tuple(clip for clip in self.unknown_clips if self._belongs_with_test(clip))
        if not tested:
            raise DataError(
                f"dataset.reject_words: no clips of {', '.join(words)} belong with the test part of the "
                f"{self.split.kind} split; name other words, or use another split.by"
            )
        bad_share = self.recipe.dataset.max_bad_share
        with let_one_per_machine_go_first():
            unknown = pack(Listing(tested), self.recipe.audio, progress=self.progress, max_bad_share=bad_share)
        if self.negatives is not None:
            self.negatives.check_apart(unknown, "clip of words to reject")
        return unknown

    @cached_property
    def quick_look(self) -> str | None:
        """What is plainly wrong with the recordings, in one line; None: nothing is, or nobody recorded these clips."""
        dataset = self.recipe.dataset
        if dataset.is_made:
            return None
        with let_one_per_machine_go_first():
            closer = f"sayso audit {in_shell(dataset.known_as)}"
            return look_over(self.corpus, closer=closer, progress=self.progress)

    @cached_property
    def leakage(self) -> Leakage:
        """What test clips, and clips of unknown words, share with what is trained on.

        Raises:
            DataError: the very samples of one are trained on, and that is not allowed by name.
        """
        allowed, unknown = self.recipe.dataset.allow_copies, self.unknown_words
        with let_one_per_machine_go_first():
            tested = check_leakage(self.corpus, self.split, allow_copies=allowed, progress=self.progress)
            if unknown is None:
                return tested
            others = check_other_clips(
                self.corpus,
                self.split,
                unknown,
                what="clip of words to reject",
                allow_copies=allowed,
                progress=self.progress,
            )
            facts = {f"unknown_{name}": value for name, value in others.facts.items()}
            return Leakage((*tested.notes, *others.notes), tested.facts | facts)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the score must know of the clips, of the split, and of what the parts share."""
        negatives = self.negatives
        return (
            *self.corpus.notes,
            *((self.quick_look,) if self.quick_look else ()),
            *self.split.notes,
            *self._relabel_notes(),
            *self._epoch_notes(),
            *((negatives.note,) if negatives else ()),
            *(note for read in (self.recordings, self.background) if read for note in read.notes),
            *self.leakage.notes,
        )

    def _relabel_notes(self) -> Iterator[str]:
        if tested := self.relabelled.get("test"):
            all_tested = counted(len(self.split.test), "test clip")
            yield f"{tested:,} of {all_tested} marked with another word than the source's (dataset.relabel)"

    def _epoch_notes(self) -> Iterator[str]:
        training, validation = self.recipe.training, self.split.validation
        if training.keep == "best" and len(validation) and not self.split.chooses_epoch:
            few = counted(len(validation), "validation clip is", "validation clips are")
            yield f"{few} too few to choose an epoch by (it takes {LEAST_TO_CHOOSE}): the last one counts"
        if training.patience and not self.split.chooses_epoch:
            few = "too few validation clips" if len(validation) else "no validation clips"
            yield f"training.patience has {few} to wait for: all {training.epochs:,} epochs are trained"

    def _belongs_with_test(self, clip: Clip) -> bool:
        if self.split.kind == "speakers":
            return clip.speaker in self.test_speakers
        return self.split.kind != "official" or clip.part == "test"


def prepare_with_more(before: Prepared, recipe: Recipe, progress: Progress) -> Prepared:
    """Pack and divide the clips of a recipe that has more of them than one before; only the new ones are decoded.

    Raises:
        DataError: the new clips cannot be used, or the test part would not stay what it was.
    """
    old = list_for_recipe(before.recipe.dataset, progress, before.recipe.split)
    listing = list_for_recipe(recipe.dataset, progress, recipe.split)
    there = {_place(clip) for clip in old.clips}
    new = Listing(tuple(clip for clip in listing.clips if _place(clip) not in there), listing.noise[len(old.noise) :])
    if not new.clips:
        raise DataError("all of these clips are in the run already; give it others")
    more = pack(new, recipe.audio, progress=progress, max_bad_share=recipe.dataset.max_bad_share)
    corpus = join(before.corpus, more, notes=(*before.corpus.notes, *listing.notes))
    prepared = Packed(corpus, before.unknown_clips).divide(recipe, progress, compared=before.corpus)
    if [corpus.clips[row] for row in prepared.split.test] != [before.corpus.clips[row] for row in before.split.test]:
        raise DataError("these clips would change which of the old ones are tested; train anew with all of them")
    added = np.arange(len(before.corpus), len(corpus))
    allowed = recipe.dataset.allow_copies
    with let_one_per_machine_go_first():
        # Found by comparing the new clips alone, so that it takes no longer than they are many.
        vars(prepared)["leakage"] = check_added(
            before.leakage, corpus, prepared.split, added, allow_copies=allowed, progress=progress
        )
        vars(prepared)["quick_look"] = _look_at(prepared, added)
    return prepared


def _look_at(prepared: Prepared, added: Rows) -> str | None:
    """Look at recordings that were added beside others; voices that nobody recorded are left out."""
    beside: Sequence[DatasetConfig] = getattr(prepared.recipe.dataset, "training", ())
    recorded = {place: dataset for place, dataset in enumerate(beside, 1) if not dataset.is_made}
    corpus = prepared.corpus
    only = np.array([row for row in added if corpus.clips[row].source in recorded], dtype=np.int64)
    if not len(only):
        return None
    newest = recorded[corpus.clips[only[-1]].source]
    closer = f"sayso audit {in_shell(newest.known_as)}"
    return look_over(corpus, closer=closer, progress=prepared.progress, only=only)


def _place(clip: Clip) -> tuple[str, float | None, float | None]:
    return clip.path, clip.start_seconds, clip.end_seconds


def prepare(recipe: Recipe, progress: Progress) -> Prepared:
    """Pack and divide the clips of a recipe.

    Raises:
        SettingsError: a word to reject is not there.
        DataError: the clips cannot be used as the recipe says.
    """
    return pack_clips(recipe, progress).divide(recipe, progress)


def pack_clips(recipe: Recipe, progress: Progress) -> Packed:
    """List and pack the clips of a recipe. Raises as `prepare`."""
    with let_one_per_machine_go_first():
        listing = list_for_recipe(recipe.dataset, progress, recipe.split)
        corpus = pack(listing, recipe.audio, progress=progress, max_bad_share=recipe.dataset.max_bad_share)
    return Packed(corpus, listing.unknown)
