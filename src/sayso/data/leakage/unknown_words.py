"""The same check for words that are never learned: a score on clips that were learned after all says nothing."""

from collections.abc import Sequence

from sayso.data.corpus import Corpus
from sayso.data.leakage import Leakage
from sayso.data.leakage.names import describe_pair, explain_refusal, is_any_allowed, name_clips
from sayso.data.near_copies import look_up_copies_across
from sayso.data.splits.draw import Split
from sayso.errors import DataError
from sayso.system.progress import Progress
from sayso.system.wording import counted, path_tail

__all__ = ["check_unheard"]


def check_unheard(
    corpus: Corpus,
    split: Split,
    unheard: Corpus,
    *,
    allow_copies: Sequence[str] = (),
    progress: Progress | None = None,
) -> Leakage:
    """Compare clips of words never learned with the training and validation parts: equal samples, near copies.

    Args:
        corpus: the clips of the words to learn.
        split: their parts.
        unheard: the clips of other words, all of which are scored.
        allow_copies: as for `sayso.data.leakage.check_leakage`.
        progress: where to report.

    Raises:
        DataError: one of them has the samples of a training or validation clip, and neither is allowed by name.
    """
    heard = {int(row) for part in (split.train, split.validation) for row in part}
    pairs = [pair for pair in look_up_copies_across(corpus, unheard, progress=progress) if pair.first in heard]
    copies_of: dict[int, list[int]] = {}
    for pair in pairs:
        if pair.likeness == 1:
            copies_of.setdefault(pair.second, []).append(pair.first)
    same = sorted(copies_of)
    if refused := [
        row
        for row in same
        if not is_any_allowed((unheard.clips[row], *(corpus.clips[copy] for copy in copies_of[row])), allow_copies)
    ]:
        raise DataError(explain_refusal(unheard, refused, "clip of words to reject"))
    alike = {pair.second: describe_pair(pair, corpus, unheard) for pair in pairs if pair.second not in copies_of}
    notes: list[str] = []
    if same:
        copies = counted(len(same), "clip of words to reject is", "clips of words to reject are")
        notes.append(
            f"{copies} exactly copied in training, as allowed ({name_clips(unheard, same)}): learned after all"
        )
    if alike:
        copies = counted(len(alike), "clip of words to reject has", "clips of words to reject have")
        notes.append(f"{copies} near copies in training, such as {alike[min(alike)]}: perhaps learned after all")
    facts = {
        "unheard_same_samples": [path_tail(unheard.clips[row].path) for row in same],
        "unheard_near_copies": [alike[row] for row in sorted(alike)],
    }
    return Leakage(tuple(notes), facts)
