"""What is known of trials before the first is trained: clips on both sides of a split, and notes for the reader."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sayso.errors import DataError
from sayso.recipe.prepared import Prepared
from sayso.system.wording import counted, listed

__all__ = ["Checked", "check_splits"]

_MOST_NAMES = 3


class Checked(NamedTuple):
    """One recipe with its clips divided, as some of the trials train and test on them."""

    name: str
    """For messages, such as `quick fold-1`."""
    prepared: Prepared


def check_splits(parts: Sequence[Checked]) -> tuple[str, ...]:
    """Check each part for leakage, and give the notes on its clips, its split and what its test part shares.

    A note that does not hold for all parts names those for which it does. Of parts of one name, such as those of
    several seeds, the first tells of near copies. Equal parts are checked once.

    Raises:
        DataError: a test part holds samples that are trained on; the others that do are counted.
    """
    notes: list[tuple[str, str]] = []
    refused: dict[str, DataError] = {}
    names: set[str] = set()
    known: dict[tuple[object, ...], tuple[str, ...] | DataError] = {}
    for name, prepared in parts:
        dataset, split = prepared.recipe.dataset, prepared.split
        copies = (dataset.allow_copies, dataset.reject_words)
        key = (prepared.corpus.content_hash, split.split_hash, split.kind, *copies)
        if (found := known.get(key)) is None:
            found = known[key] = _leakage(prepared)
        if isinstance(found, DataError):
            refused.setdefault(name, found)
            found = ()
        first = name not in names
        names.add(name)
        notes += [(note, name) for note in (*prepared.corpus.notes, *split.notes, *(found if first else ()))]
    if refused:
        name, error = next(iter(refused.items()))
        others = counted(len(refused) - 1, "other split", "other splits")
        raise DataError(f"{name}: {error}" + (f" ({others} of the same kind)" if len(refused) > 1 else "")) from error
    return tuple(_said_once(notes, len(names)))


def _leakage(prepared: Prepared) -> tuple[str, ...] | DataError:
    try:
        return prepared.leakage.notes
    except DataError as error:
        return error


def _said_once(notes: Iterable[tuple[str, str]], parts: int) -> Iterable[str]:
    names: dict[str, list[str]] = {}
    for note, name in dict.fromkeys(notes):
        names.setdefault(note, []).append(name)
    for note, held in names.items():
        yield note if len(held) == parts else f"{listed(held, _MOST_NAMES)}: {note}"
