"""The same check for clips beside the corpus, such as unknown words."""

from collections.abc import Sequence

from sayso.data.corpus import Corpus
from sayso.data.leakage import Leakage
from sayso.data.leakage.names import describe_pair, explain_refusal, is_any_allowed, list_names
from sayso.data.near_copies import look_up_copies_across
from sayso.data.splits.draw import Split
from sayso.errors import DataError
from sayso.system.progress import Progress
from sayso.system.wording import counted

__all__ = ["check_other_clips"]


def check_other_clips(
    corpus: Corpus,
    split: Split,
    others: Corpus,
    *,
    what: str,
    section: str = "dataset.",
    allow_copies: Sequence[str] = (),
    progress: Progress | None = None,
) -> Leakage:
    """Compare clips that are scored too with the training and validation parts: equal samples, near copies.

    Args:
        corpus: the clips of the words to learn.
        split: their parts.
        others: the other clips, all of which are scored, in the same audio format.
        what: what each of them is, such as `clip of words to reject`, with `clip` in it.
        section: what stands before keys of their data set where they are set.
        allow_copies: as for `sayso.data.leakage.check_leakage`.
        progress: where to report.

    Returns:
        Notes, and the facts `same_samples` and `near_copies`.

    Raises:
        DataError: one of them has the samples of a training or validation clip, and neither is allowed by name.
    """
    heard = {int(row) for part in (split.train, split.validation) for row in part}
    pairs = [pair for pair in look_up_copies_across(corpus, others, progress=progress) if pair.first in heard]
    copies_of: dict[int, list[int]] = {}
    for pair in pairs:
        if pair.likeness == 1:
            copies_of.setdefault(pair.second, []).append(pair.first)
    same = sorted(copies_of)
    if refused := [
        row
        for row in same
        if not is_any_allowed((others.clips[row], *(corpus.clips[copy] for copy in copies_of[row])), allow_copies)
    ]:
        raise DataError(explain_refusal(others, refused, what, section=section))
    alike = {pair.second: describe_pair(pair, corpus, others) for pair in pairs if pair.second not in copies_of}
    several = what.replace("clip", "clips")
    notes: list[str] = []
    if same:
        copies = counted(len(same), f"{what} is", f"{several} are")
        notes.append(f"{copies} exactly copied in training, as allowed ({list_names(others, same)}): learned after all")
    if alike:
        copies = counted(len(alike), f"{what} has", f"{several} have")
        notes.append(f"{copies} near copies in training, such as {alike[min(alike)]}: perhaps learned after all")
    facts = {
        "same_samples": [others.names[row] for row in same],
        "near_copies": [alike[row] for row in sorted(alike)],
    }
    return Leakage(tuple(notes), facts)
