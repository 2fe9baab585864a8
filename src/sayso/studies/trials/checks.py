"""What is known of cells before the first is trained: clips on both sides of a split, and notes for the reader."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sayso.data.corpus import Corpus
from sayso.data.leakage import check_leakage
from sayso.data.splits.draw import Split
from sayso.errors import DataError
from sayso.system.progress import Progress
from sayso.system.wording import counted, listed

__all__ = ["Part", "checked_notes"]

_MOST_NAMES = 3


@dataclass(frozen=True, eq=False)
class Part:
    """One split of one recipe's clips, which some of the cells train and test on."""

    name: str
    """For messages, such as `quick fold-1`."""
    corpus: Corpus
    split: Split
    allow_copies: Sequence[str]


def checked_notes(parts: Sequence[Part], progress: Progress) -> tuple[str, ...]:
    """Check each part for leakage, and give the notes on its clips, its split and what its test part shares.

    A note that does not hold for all parts names those for which it does. Of parts of one name, such as those of
    several seeds, the first tells of near copies. Equal parts are checked once.

    Raises:
        DataError: a test part holds samples that are trained on; the others that do are counted.
    """
    notes: list[tuple[str, str]] = []
    refused: dict[str, DataError] = {}
    names: set[str] = set()
    known: dict[tuple[str, ...], tuple[str, ...] | DataError] = {}
    for part in parts:
        key = (part.corpus.content_hash, part.split.split_hash, part.split.kind, *part.allow_copies)
        if (found := known.get(key)) is None:
            found = known[key] = _leakage(part, progress)
        if isinstance(found, DataError):
            refused.setdefault(part.name, found)
            found = ()
        first = part.name not in names
        names.add(part.name)
        notes += [(note, part.name) for note in (*part.corpus.notes, *part.split.notes, *(found if first else ()))]
    if refused:
        name, error = next(iter(refused.items()))
        others = counted(len(refused) - 1, "other split", "other splits")
        raise DataError(f"{name}: {error}" + (f" ({others} of the same kind)" if len(refused) > 1 else "")) from error
    return tuple(_said_once(notes, len(names)))


def _leakage(part: Part, progress: Progress) -> tuple[str, ...] | DataError:
    try:
        return check_leakage(part.corpus, part.split, allow_copies=part.allow_copies, progress=progress).notes
    except DataError as error:
        return error


def _said_once(notes: Iterable[tuple[str, str]], parts: int) -> Iterable[str]:
    names: dict[str, list[str]] = {}
    for note, name in dict.fromkeys(notes):
        names.setdefault(note, []).append(name)
    for note, held in names.items():
        yield note if len(held) == parts else f"{listed(held, _MOST_NAMES)}: {note}"
