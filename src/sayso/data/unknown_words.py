"""Words that a recipe keeps from training: their clips set apart from those of the words to tell apart."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from sayso.config.schema import did_you_mean
from sayso.data.clips import Listing
from sayso.data.datasets import DatasetConfig
from sayso.data.splits.settings import SplitSettings
from sayso.errors import Fault, SettingsError
from sayso.system.progress import Progress

__all__ = ["list_for_recipe"]


def list_for_recipe(dataset: DatasetConfig, progress: Progress, split: SplitSettings | None = None) -> Listing:
    """A dataset's kept listing as a recipe uses it: clips of `reject_words` stand apart in `unknown`.

    Raises:
        DataError: nothing usable is there.
        SettingsError: the source has no clips of a word to reject, or no two words would be left.
    """
    listing = dataset.kept_listing(progress, split)
    words = frozenset(dataset.reject_words)
    if not words:
        return listing
    if faults := list(_faults(dataset.reject_words, {clip.label for clip in listing.clips})):
        raise SettingsError(faults)
    # What only trains, such as a synthetic voice beside recordings, measures nothing.
    unknown = tuple(clip for clip in listing.clips if clip.label in words and not clip.keeps_part)
    clips = tuple(clip for clip in listing.clips if clip.label not in words)
    return replace(listing, clips=clips, unknown=unknown)


def _faults(rejected: Sequence[str], there: set[str]) -> Iterator[Fault]:
    key = "dataset.reject_words"
    for index, word in enumerate(rejected):
        if word not in there:
            yield Fault(f"{key}[{index}]", f"no clips of '{word}' are there; {did_you_mean(word, there)}")
    for word, count in Counter(rejected).items():
        if count > 1:
            yield Fault(key, f"'{word}' stands there {count} times")
    if len(there - set(rejected)) < 2:
        left = ", ".join(f"'{word}'" for word in sorted(there - set(rejected))) or "none"
        yield Fault(key, f"leaves fewer than two words to tell apart ({left}); name fewer")
