"""Recordings with more clips beside them that only train, such as synthetic voices of the same words."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from sayso.config.schema import did_you_mean
from sayso.data.clips import Listing
from sayso.data.datasets import DATASETS, DatasetConfig
from sayso.data.splits.settings import SplitSettings
from sayso.errors import DataError, Fault
from sayso.system.progress import Progress
from sayso.system.wording import counted, listed

__all__ = ["MixedConfig", "mix"]

_MOST_NAMES = 5


def mix(
    recordings: DatasetConfig, beside: Sequence[DatasetConfig], *, untested_words: Sequence[str] = ()
) -> "MixedConfig":
    """Give recordings, which may be mixed with others already, more that only trains."""
    if isinstance(recordings, MixedConfig):
        words = tuple(dict.fromkeys((*recordings.untested_words, *untested_words)))
        return replace(recordings, training=(*recordings.training, *beside), untested_words=words)
    shared = {field.name: getattr(recordings, field.name) for field in fields(DatasetConfig)}
    own = replace(recordings, **{field.name: field.default for field in fields(DatasetConfig)})
    return MixedConfig(recordings=own, training=tuple(beside), untested_words=tuple(untested_words), **shared)


@DATASETS.register("mixed")
@dataclass(frozen=True, kw_only=True)
class MixedConfig(DatasetConfig):
    """Recordings, divided as `split` says, and clips of other data sets that only ever train."""

    recordings: DatasetConfig
    """What is divided into training, validation and test part."""
    training: tuple[DatasetConfig, ...]
    """What trains beside them, of the same words: synthetic voices, say. None of it validates or tests."""
    untested_words: tuple[str, ...] = ()
    """Words of `training` that no recording has, so that nothing tells how well they are recognised."""

    def faults(self) -> Iterator[Fault]:
        """Yield a fault where nothing is mixed, or where a data set inside is mixed itself."""
        if not self.training:
            yield Fault("training", "is empty, must name what trains beside the recordings")
        beside = ((f"training[{index}]", inner) for index, inner in enumerate(self.training))
        for key, inner in (("recordings", self.recordings), *beside):
            if isinstance(inner, MixedConfig):
                yield Fault(key, "is mixed itself; list all that trains in one place")
            if inner.reject_words:
                yield Fault(f"{key}.reject_words", "belongs one level up, beside recordings")

    @property
    def known_as(self) -> str:
        """What a command is given for the recordings."""
        return self.recordings.known_as

    def location(self) -> Path | None:
        """Give the folder of the recordings."""
        return self.recordings.location()

    def licences(self) -> tuple[str, ...]:
        """Whose the clips of all of them are, and under which licences."""
        every = (licence for each in (self.recordings, *self.training) for licence in each.licences())
        return tuple(dict.fromkeys(every))

    def anchor(self) -> "MixedConfig":
        """The same with paths that hold from any working folder."""
        inner = [each.anchor() for each in self.training]
        own, recordings = super().anchor(), self.recordings.anchor()
        return replace(self, exclude=own.exclude, relabel=own.relabel, recordings=recordings, training=tuple(inner))

    def listing(self, progress: Progress) -> Listing:
        """List all of them; as `listing_for`."""
        return self.listing_for(SplitSettings(), progress)

    def listing_for(self, split: SplitSettings, progress: Progress) -> Listing:
        """List the recordings as their own data set does for such a split, and behind them what only trains.

        Raises:
            DataError: as the data sets inside; or what trains beside has a word that no recording has.
        """
        recorded = self.recordings.kept_listing(progress, split)
        clips, noise, notes = list(recorded.clips), list(recorded.noise), list(recorded.notes)
        words = {clip.label for clip in recorded.clips} | {*self.untested_words}
        sizes = Counter[str]()
        for source, dataset in enumerate(self.training, 1):
            beside = dataset.kept_listing(progress, split)
            counts = Counter(clip.label for clip in beside.clips)
            if strange := sorted(counts.keys() - words):
                names, known = listed(strange, _MOST_NAMES), did_you_mean(strange[0], words)
                raise DataError(f"dataset.training ({dataset.kind}) has words that no recording has: {names}; {known}")
            clips += [replace(clip, part="train", keeps_part=True, source=source) for clip in beside.clips]
            noise += beside.noise
            sizes[dataset.kind] += len(beside.clips)
        notes += [
            f"{counted(size, 'clip')} ({kind}) train beside {counted(len(recorded.clips), 'recording')}; none of them "
            "is tested"
            for kind, size in sizes.items()
        ]
        return Listing(tuple(clips), tuple(noise), tuple(notes), recorded.unknown)
