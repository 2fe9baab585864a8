"""The check that runs before every training: does the test part hold what the training has heard?"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sayso.data.corpus import Corpus, Rows, take
from sayso.data.leakage.names import describe_pair, explain_refusal, is_any_allowed, list_names
from sayso.data.near_copies import NearCopy, look_up_near_copies
from sayso.data.splits.draw import divide_for_speaker
from sayso.data.splits.settings import EACH_SPEAKER
from sayso.data.splits.split import Split
from sayso.errors import DataError
from sayso.system.progress import Progress
from sayso.system.wording import counted

__all__ = ["Leakage", "check_added", "check_leakage"]


_MEND_ADDED = "give a folder without the copies"


@dataclass(frozen=True)
class Leakage:
    """What the test part shares with what is trained on, where it is no error."""

    notes: tuple[str, ...]
    """What stands beside the score."""
    facts: dict[str, Any]
    """What the run's manifest keeps: counts, and the clips by name."""


def check_leakage(
    corpus: Corpus,
    split: Split,
    *,
    allow_copies: Sequence[str] = (),
    progress: Progress | None = None,
    mend: str | None = None,
) -> Leakage:
    """Compare the test part with the training and validation parts: speakers, equal samples, near copies.

    Args:
        corpus: the clips.
        split: its parts.
        allow_copies: ends of paths, or patterns for them, of clips whose copies are a note and no error; see
            `sayso.data.datasets.DatasetConfig.allow_copies`.
        progress: where to report.
        mend: what can be done about copies that are not allowed; None: what `explain_refusal` says.

    Raises:
        DataError: a test clip has the samples of a training or validation clip, and neither is allowed by name.
    """
    if split.kind == EACH_SPEAKER:
        speakers = sorted({speaker for row in split.test if (speaker := corpus.clips[row].speaker)})
        splits = [divide_for_speaker(corpus, speaker) for speaker in speakers]
        found = [
            check_leakage(corpus, each, allow_copies=allow_copies, progress=progress, mend=mend) for each in splits
        ]
        return _together(found)
    pairs = look_up_near_copies(corpus, progress=progress)
    heard = {int(row) for part in (split.train, split.validation) for row in part}
    tested = {int(row) for row in split.test}
    groups = _groups(pairs)
    same = {row: copies for row, copies in _same_across(groups, heard, tested)}
    refused = [
        row
        for row, copies in same.items()
        if not is_any_allowed((corpus.clips[copy] for copy in (row, *copies)), allow_copies)
    ]
    if refused:
        raise DataError(explain_refusal(corpus, refused, "test clip", mend=mend))
    near = [pair for pair in pairs if pair.likeness < 1]
    alike = {row: pair for row, pair in _near_across(near, groups, heard, tested) if row not in same}
    trained, held = {int(row) for row in split.train}, {int(row) for row in split.validation}
    across = (*_same_across(groups, trained, held), *_near_across(near, groups, trained, held))
    validated = sorted({row for row, _ in across})
    clashes = [pair for pair in near if corpus.clips[pair.first].label != corpus.clips[pair.second].label]
    return Leakage(
        notes=(
            *_promise_notes(corpus, split),
            *_notes(corpus, sorted(same), alike, clashes),
            *(_validation_notes(corpus, validated) if split.chooses_epoch else ()),
        ),
        facts={
            "shared_speakers": len(_speakers(corpus, split.train, split.validation) & _speakers(corpus, split.test)),
            "same_samples": [corpus.names[row] for row in sorted(same)],
            "near_copies": [describe_pair(alike[row], corpus, corpus) for row in sorted(alike)],
            "near_copies_under_two_labels": [describe_pair(pair, corpus, corpus) for pair in clashes],
            "copies_in_validation": [corpus.names[row] for row in validated],
        },
    )


def check_added(
    before: Leakage,
    corpus: Corpus,
    split: Split,
    added: Rows,
    *,
    allow_copies: Sequence[str] = (),
    progress: Progress | None = None,
) -> Leakage:
    """Compare clips that were added to a training part with the other parts, which stayed what they were.

    Args:
        before: what the parts shared without them.
        corpus: all clips.
        split: their parts.
        added: rows of the training part.
        allow_copies: as for `check_leakage`.
        progress: where to report.

    Raises:
        DataError: as `check_leakage`.
    """
    if split.kind == EACH_SPEAKER:
        return check_leakage(corpus, split, allow_copies=allow_copies, progress=progress, mend=_MEND_ADDED)
    rows = np.sort(np.concatenate((added, split.validation, split.test)))
    trained, held, tested = (np.searchsorted(rows, part) for part in (added, split.validation, split.test))
    found = check_leakage(
        take(corpus, rows),
        Split(trained, held, tested, split.kind),
        allow_copies=allow_copies,
        progress=progress,
        mend=_MEND_ADDED,
    )
    both = _together([before, found])
    shared = len(_speakers(corpus, split.train, split.validation) & _speakers(corpus, split.test))
    return Leakage(both.notes, both.facts | {"shared_speakers": shared})


def _together(found: Sequence[Leakage]) -> Leakage:
    """What several splits of the same clips share, each thing told once."""
    facts: dict[str, Any] = {}
    for key in found[0].facts:
        values = [each.facts[key] for each in found]
        if isinstance(values[0], list):
            facts[key] = list(dict.fromkeys(name for names in values for name in names))
        else:
            facts[key] = sum(values)
    return Leakage(tuple(dict.fromkeys(note for each in found for note in each.notes)), facts)


def _groups(pairs: Sequence[NearCopy]) -> dict[int, list[int]]:
    """Group the rows of equal samples by the first of them; the pairs have that one first."""
    groups: dict[int, list[int]] = {}
    for pair in pairs:
        if pair.likeness == 1:
            groups.setdefault(pair.first, [pair.first]).append(pair.second)
    return groups


def _same_across(
    groups: dict[int, list[int]], heard: Collection[int], tested: Collection[int]
) -> Iterator[tuple[int, list[int]]]:
    """Yield test rows with the rows of the same samples that are trained or validated on."""
    for rows in groups.values():
        copies = [row for row in rows if row in heard]
        if copies:
            yield from ((row, copies) for row in rows if row in tested)


def _near_across(
    near: Sequence[NearCopy], groups: dict[int, list[int]], heard: Collection[int], tested: Collection[int]
) -> Iterator[tuple[int, NearCopy]]:
    """Yield test rows with the pair that shows each to be a near copy of what is trained or validated on."""
    for pair in near:
        for one, other in ((pair.first, pair.second), (pair.second, pair.first)):
            if any(row in heard for row in groups.get(other, [other])):
                yield from ((row, pair) for row in groups.get(one, [one]) if row in tested)


def _speakers(corpus: Corpus, *parts: Rows) -> set[str]:
    return {speaker for part in parts for row in part if (speaker := corpus.clips[row].speaker)}


def _promise_notes(corpus: Corpus, split: Split) -> Iterator[str]:
    """Tell of speakers shared with the validation part alone; the split's own notes tell of those in training."""
    trained, validated, tested = (_speakers(corpus, part) for part in (split.train, split.validation, split.test))
    if split.kind == "speakers" and (shared := (tested & validated) - trained):
        speakers = counted(len(shared), "test speaker is", "test speakers are")
        yield f"{speakers} heard in validation too, though the split is by speaker: the epoch is chosen by their voices"


def _notes(
    corpus: Corpus, same: Sequence[int], alike: dict[int, NearCopy], clashes: Sequence[NearCopy]
) -> Iterator[str]:
    if same:
        copies = counted(len(same), "test clip is an exact copy", "test clips are exact copies")
        allowed = f"as allowed ({list_names(corpus, same)})"
        yield f"{copies} of training or validation clips, {allowed}: the score is too good by that"
    if alike:
        copies = counted(len(alike), "test clip is a near copy", "test clips are near copies")
        such = describe_pair(alike[min(alike)], corpus, corpus)
        yield f"{copies} of training or validation clips, such as {such}: the score may be too good by that"
    if clashes:
        copies = counted(len(clashes), "pair of near copies has", "pairs of near copies have")
        yield f"{copies} two labels, such as {describe_pair(clashes[0], corpus, corpus)}: one of the two may be wrong"


def _validation_notes(corpus: Corpus, rows: Sequence[int]) -> Iterator[str]:
    if rows:
        copies = counted(len(rows), "validation clip has copies", "validation clips have copies")
        names = list_names(corpus, rows)
        yield f"{copies} or near copies in training ({names}): the epoch to keep is chosen by what was trained on too"
