"""Sources of clips, one file each: a frozen dataclass registered with `DATASETS` that lists clips."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from sayso.config.registry import Part, Registry
from sayso.config.schema import Range, Share
from sayso.data.clips import Listing
from sayso.data.exclusions import match_exclusions
from sayso.errors import DataError
from sayso.system.files import expand_home
from sayso.system.progress import Progress

__all__ = ["DATASETS", "Dataset"]


@dataclass(frozen=True, kw_only=True)
class Dataset(Part):
    """Base of every source of clips. One file in `datasets/` each."""

    registry: ClassVar["Registry[Dataset]"]

    split: Literal["auto", "official", "random", "speakers", "folds"] = "auto"
    """How the test part is chosen: the source's own, at random, by speaker, or one of several folds by speaker; auto
    takes the source's own, else by speaker where speakers are known, else random."""
    test_share: Share = 0.2
    """Share of the clips (random) or of the speakers (speakers) held out for testing."""
    test_speakers: tuple[str, ...] = ()
    """With split speakers: exactly these are held out."""
    folds: Annotated[int, Range(least=2)] | Literal["leave-one-speaker-out"] | None = None
    """With split folds: into how many the speakers are divided, each word in proportion; or leave-one-speaker-out, a
    fold a speaker, by name."""
    fold: Annotated[int, Range(least=0)] = 0
    """With split folds: the one whose speakers are held out, from 0."""
    split_seed: Annotated[int, Range(least=0)] = 0
    """Seed of a random split, of the choice of speakers or of folds; apart from the training's own seed."""
    train_speakers: Annotated[int, Range(least=1)] | None = None
    """Train on this many of the training part's speakers; null: all. Test and validation stay as they are. A larger
    number keeps the speakers of a smaller one."""
    train_clips_per_speaker: Annotated[int, Range(least=1)] | None = None
    """Train on this many clips of each training speaker, words in turn; null: all. Where no speaker is known all clips
    count as one speaker's."""
    subset_seed: Annotated[int, Range(least=0)] = 0
    """Seed of the order in which train_speakers and train_clips_per_speaker draw."""
    exclude: str | None = None
    """An exclusion file (CSV with the columns clip and, where clips are stretches of a recording, start_seconds), such
    as `sayso audit` writes: those clips are left out."""
    reject_words: tuple[str, ...] = ()
    """Words of the source that are in no part and no label: heard only when scoring, to measure how well words never
    learned are rejected. speech_commands takes words outside `words` here, every other source some of its own."""
    max_bad_share: Share = 0.1
    """Share of files that may be unreadable; they are skipped and listed. More is an error."""
    allow_copies: tuple[str, ...] = ()
    """Clips that may have the same samples in training and in the test, by the end of their paths, such as
    `yes/1.wav`, or a shell pattern for it (a star alone: all): they are noted beside the score. Others are an error."""

    def listing(self, progress: Progress) -> Listing:
        """List the clips, fetching or making the recordings first where need be.

        Raises:
            DataError: nothing usable is there; the message says how to mend it.
        """
        raise NotImplementedError

    def kept_listing(self, progress: Progress) -> Listing:
        """List the clips without those that the exclusion file names, and with a note that says how many they are.

        Raises:
            DataError: as `listing`; or the exclusion file cannot be used, names clips that are gone,
                those of another data set, or all.
        """
        listing = self.listing(progress)
        if not self.exclude:
            return listing
        path = expand_home(self.exclude)
        clips = (*listing.clips, *listing.unheard)
        out, note = match_exclusions(path, [(clip.path, clip.start_seconds) for clip in clips])
        heard = len(listing.clips)
        kept = tuple(clip for place, clip in enumerate(listing.clips) if place not in out)
        unheard = tuple(clip for place, clip in enumerate(listing.unheard, heard) if place not in out)
        if listing.clips and not kept:
            raise DataError(f"{path}: names every clip, so that none is left; take some lines out")
        if tested := sum(listing.clips[place].split == "test" for place in out if place < heard):
            note += f"; {tested} of them from the source's own test part, which is another one without them"
        return replace(listing, clips=kept, unheard=unheard, notes=(*listing.notes, note))

    def anchor(self) -> "Dataset":
        """Give the same dataset with paths that hold from any working folder, for the recipe that a run keeps."""
        if not self.exclude:
            return self
        return replace(self, exclude=os.path.abspath(expand_home(self.exclude)))  # noqa: PTH100 - links stay as they are

    def location(self) -> Path | None:
        """Tell where the recordings lie on this machine, or None when they are not here yet."""
        return None


DATASETS: Registry[Dataset] = Registry("sayso.data.datasets", noun="dataset", group="sayso.datasets")
Dataset.registry = DATASETS
