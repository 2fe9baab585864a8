"""The same check for unknown words: a score on clips that were learned after all says nothing."""

from collections.abc import Sequence

from sayso.data.corpus import Corpus
from sayso.data.leakage import Leakage
from sayso.data.leakage.names import describe_pair, explain_refusal, is_any_allowed, name_clips
from sayso.data.near_copies import look_up_copies_across
from sayso.data.splits.draw import Split
from sayso.errors import DataError
from sayso.system.progress import Progress
from sayso.system.wording import counted, path_tail

__all__ = ["check_unknown_words"]


def check_unknown_words(
    corpus: Corpus,
    split: Split,
    unknown: Corpus,
    *,
    allow_copies: Sequence[str] = (),
    progress: Progress | None = None,
) -> Leakage:
    """Compare clips of unknown words with the training and validation parts: equal samples, near copies.

    Args:
        corpus: the clips of the words to learn.
        split: their parts.
        unknown: the clips of other words, all of which are scored.
        allow_copies: as for `sayso.data.leakage.check_leakage`.
        progress: where to report.

    Raises:
        DataError: one of them has the samples of a training or validation clip, and neither is allowed by name.
    """
    heard = {int(row) for part in (split.train, split.validation) for row in part}
    pairs = [pair for pair in look_up_copies_across(corpus, unknown, progress=progress) if pair.first in heard]
    copies_of: dict[int, list[int]] = {}
    for pair in pairs:
        if pair.likeness == 1:
            copies_of.setdefault(pair.second, []).append(pair.first)
    same = sorted(copies_of)
    if refused := [
        row
        for row in same
        if not is_any_allowed((unknown.clips[row], *(corpus.clips[copy] for copy in copies_of[row])), allow_copies)
    ]:
        raise DataError(explain_refusal(unknown, refused, "clip of words to reject"))
    alike = {pair.second: describe_pair(pair, corpus, unknown) for pair in pairs if pair.second not in copies_of}
    notes: list[str] = []
    if same:
        copies = counted(len(same), "clip of words to reject is", "clips of words to reject are")
        notes.append(
            f"{copies} exactly copied in training, as allowed ({name_clips(unknown, same)}): learned after all"
        )
    if alike:
        copies = counted(len(alike), "clip of words to reject has", "clips of words to reject have")
        notes.append(f"{copies} near copies in training, such as {alike[min(alike)]}: perhaps learned after all")
    facts = {
        "unknown_same_samples": [path_tail(unknown.clips[row].path) for row in same],
        "unknown_near_copies": [alike[row] for row in sorted(alike)],
    }
    return Leakage(tuple(notes), facts)
