"""What is known of trials before the first is trained: clips on both sides of a split, unfit teachers, and notes."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sayso.errors import DataError, RunError
from sayso.experiment.teacher import check_teacher
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
        RunError: a teacher does not fit, or heard what is scored; the parts of which that is so are counted.
    """
    notes: list[tuple[str, str]] = []
    refused: dict[str, DataError | RunError] = {}
    names: set[str] = set()
    known: dict[tuple[object, ...], tuple[str, ...] | DataError | RunError] = {}
    for name, prepared in parts:
        dataset, split = prepared.recipe.dataset, prepared.split
        others = (dataset.allow_copies, dataset.reject_words, prepared.recipe.training.teacher)
        key = (prepared.corpus.content_hash, split.split_hash, split.kind, *others)
        if (found := known.get(key)) is None:
            found = known[key] = _check(prepared)
        if isinstance(found, DataError | RunError):
            refused.setdefault(name, found)
            found = ()
        first = name not in names
        names.add(name)
        notes += [(note, name) for note in (*prepared.corpus.notes, *split.notes, *(found if first else ()))]
    if refused:
        name, error = next(iter(refused.items()))
        others = counted(len(refused) - 1, "other split", "other splits")
        raise type(error)(f"{name}: {error}" + (f" ({others} of the same kind)" if len(refused) > 1 else "")) from error
    return tuple(_said_once(notes, len(names)))


def _check(prepared: Prepared) -> tuple[str, ...] | DataError | RunError:
    try:
        check_teacher(prepared)
        return prepared.leakage.notes
    except (DataError, RunError) as error:
        return error


def _said_once(notes: Iterable[tuple[str, str]], parts: int) -> Iterable[str]:
    names: dict[str, list[str]] = {}
    for note, name in dict.fromkeys(notes):
        names.setdefault(note, []).append(name)
    for note, held in names.items():
        yield note if len(held) == parts else f"{listed(held, _MOST_NAMES)}: {note}"
