"""Sources of clips, one file each: settings registered with `DATASETS`, which list the clips."""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from sayso.config.overrides import parse_overrides, retold
from sayso.config.registry import Part, Registry
from sayso.config.schema import Share, did_you_mean, read
from sayso.data.clips import Listing
from sayso.data.exclusions import match_exclusions
from sayso.data.relabels import relabel_clips
from sayso.data.splits.settings import SplitSettings
from sayso.errors import DataError, Fault, SettingsError
from sayso.system.files import expand_home
from sayso.system.progress import Progress

__all__ = ["DATASETS", "DatasetConfig", "find_dataset", "values_of_source"]


@dataclass(frozen=True, kw_only=True)
class DatasetConfig(Part):
    """Base of the settings of every source of clips, one file in `datasets/` each.

    A data set builds nothing: its settings list the clips themselves.
    """

    registry: ClassVar["Registry[DatasetConfig]"]
    is_made: ClassVar[bool] = False
    """Whether a program makes its clips, so that nobody recorded them."""
    licence: ClassVar[str] = ""
    """Whose its clips are, and under which licence, as it stands in a model's card; empty: as who made them says."""

    exclude: str | None = None
    """An exclusion file (CSV with the columns clip and, where clips are stretches of a recording, start_seconds), such
    as `sayso audit` writes: those clips are left out."""
    relabel: str | None = None
    """A relabel file (CSV with the columns clip, label and, where clips are stretches of a recording, start_seconds),
    such as the `marks.csv` of a run's report: those clips have that word instead of the source's."""
    reject_words: tuple[str, ...] = ()
    """Words of the source that are in no part and no label: heard only when scoring, to measure how well unknown
    words are rejected. speech_commands takes words outside `words` here, every other source some of its own."""
    max_bad_share: Share = 0.1
    """Share of files that may be unreadable; they are skipped and listed. More, or most of one word, is an error."""
    allow_copies: tuple[str, ...] = ()
    """Clips that may have the same samples in training and in the test, by the end of their paths, such as
    `yes/1.wav`, or a shell pattern for it (a star alone: all): they are noted beside the score. Others are an error."""

    def listing(self, progress: Progress) -> Listing:
        """List the clips, fetching or making the recordings first where need be.

        Raises:
            DataError: nothing usable is there; the message says how to mend it.
        """
        raise NotImplementedError

    def listing_for(self, split: SplitSettings, progress: Progress) -> Listing:
        """List the clips as `listing` does; sources that make clips for each part make them for such a split."""
        del split
        return self.listing(progress)

    def kept_listing(self, progress: Progress, split: SplitSettings | None = None) -> Listing:
        """List the clips without those that the exclusion file names, with the words of the relabel file.

        A note says of each file how many clips it changed.

        Raises:
            DataError: as `listing`; or one of the files cannot be used, names clips that are gone or those of another
                data set; or all clips are excluded, or a word is none of the data set's.
        """
        listing = self.listing_for(split or SplitSettings(), progress)
        out, excluded = self._find_excluded(listing)
        if self.relabel:
            clips, note = relabel_clips(expand_home(self.relabel), listing.clips, left_out=out)
            listing = replace(listing, clips=clips, notes=(*listing.notes, note))
        if not self.exclude:
            return listing
        heard = len(listing.clips)
        kept = tuple(clip for place, clip in enumerate(listing.clips) if place not in out)
        unknown = tuple(clip for place, clip in enumerate(listing.unknown, heard) if place not in out)
        return replace(listing, clips=kept, unknown=unknown, notes=(*listing.notes, excluded))

    def _find_excluded(self, listing: Listing) -> tuple[Collection[int], str]:
        """Places of the clips, and behind them of those of unknown words, that are left out; and a note about them."""
        if not self.exclude:
            return (), ""
        path = expand_home(self.exclude)
        clips = (*listing.clips, *listing.unknown)
        out, note = match_exclusions(path, [(clip.path, clip.start_seconds) for clip in clips])
        heard = len(listing.clips)
        if listing.clips and all(place in out for place in range(heard)):
            raise DataError(f"{path}: names every clip, so that none is left; take some lines out")
        if tested := sum(listing.clips[place].part == "test" for place in out if place < heard):
            note += f"; {tested} of them from the source's own test part, which is another one without them"
        return out, note

    def anchor(self) -> "DatasetConfig":
        """The same dataset with paths that hold from any working folder, for the recipe that a run keeps."""
        return replace(self, exclude=_anchored(self.exclude), relabel=_anchored(self.relabel))

    @property
    def known_as(self) -> str:
        """What a command is given for these clips: a path, or else the kind."""
        return self.kind

    def licences(self) -> tuple[str, ...]:
        """Whose its clips are and under which licences, as pages that hold some of them have to say."""
        return (self.licence,) if self.licence else ()

    def location(self) -> Path | None:
        """Tell where the recordings lie on this machine, or None when they are not here yet."""
        return None


DATASETS: Registry[DatasetConfig] = Registry("sayso.data.datasets", noun="dataset", group="sayso.datasets")
DatasetConfig.registry = DATASETS


def find_dataset(source: str, overrides: Sequence[str] = ()) -> DatasetConfig:
    """Read the settings of a data set that is named by its kind, or by the path of a folder or manifest.

    Args:
        source: kind or path.
        overrides: `key=value` texts, settings of the data set.

    Raises:
        SettingsError: there is no such data set, or a setting does not fit.
    """
    values, laid_over = values_of_source(source), parse_overrides(overrides)
    try:
        return read(DatasetConfig, values | laid_over)
    except SettingsError as error:
        raise retold(error, source=source, laid_over=laid_over) from error


def values_of_source(source: str) -> dict[str, str]:
    """Give the plain values of a data set's settings that its kind, or the path of a folder or manifest, says.

    Raises:
        SettingsError: it is neither.
    """
    names = DATASETS.names()
    if source in names:
        return {"kind": source}
    if not Path(source).exists() and "/" not in source and "\\" not in source:
        fault = Fault("", f"no such folder or manifest, and no dataset '{source}'; {did_you_mean(source, names)}")
        raise SettingsError([fault], source=source)
    return {"kind": "folder", "path": source}


def _anchored(path: str | None) -> str | None:
    return path and os.path.abspath(expand_home(path))  # noqa: PTH100 - links stay as they are
