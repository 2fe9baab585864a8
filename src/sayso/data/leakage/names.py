"""Clips by name: in a message, in the manifest, and where a person allows copies of them."""

import json
import shlex
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from sayso.data.clips import Clip, name_clips
from sayso.data.corpus import Corpus
from sayso.data.near_copies import NearCopy
from sayso.system.wording import counted, listed, path_ends

__all__ = ["describe_pair", "explain_refusal", "is_any_allowed", "list_names"]

_MOST_NAMES = 3
# A line to be copied must not fill the screen.
_MOST_TO_ALLOW = 10


def is_any_allowed(clips: Iterable[Clip], names: Sequence[str]) -> bool:
    """Whether one of these clips is allowed to have copies.

    `names` is as `sayso.data.datasets.DatasetConfig.allow_copies`.
    """
    paths = [f"/{clip.path}".replace("\\", "/") for clip in clips]
    return any(path.endswith(f"/{name}") or fnmatchcase(path, f"*/{name}") for path in paths for name in names)


def explain_refusal(
    corpus: Corpus, rows: Sequence[int], what: str, *, section: str = "dataset.", mend: str | None = None
) -> str:
    """Say that these clips are exact copies of what is trained on, and what to do about it.

    Args:
        corpus: whose clips they are.
        rows: they.
        what: what each is, such as `test clip`, with `clip` in it.
        section: what stands before keys of the data set where they are set.
        mend: what can be done; None: delete, leave out or allow them by these keys.
    """
    copies = counted(len(rows), f"{what} has", f"{what.replace('clip', 'clips')} have")
    names = _ends(corpus, rows) if len(rows) <= _MOST_TO_ALLOW else ["*"]
    allow = shlex.quote(f"{section}allow_copies={json.dumps(names, ensure_ascii=False)}")
    mend = mend or f"delete the copies, leave them out ({section}exclude), or allow them: --set {allow}"
    return (
        f"{copies} the very samples of a training or validation clip ({list_names(corpus, rows)}), so a score on them "
        f"says nothing about new recordings; {mend}"
    )


def describe_pair(pair: NearCopy, corpus: Corpus, other: Corpus) -> str:
    """Describe a pair of near copies, the second of which is a clip of `other`."""
    first, second = corpus.names[pair.first], other.names[pair.second]
    if first == second:  # of two corpora, each of which has but one of that name
        first, second = name_clips((corpus.clips[pair.first], other.clips[pair.second]))
    return f"{first} and {second} (alike by {pair.likeness:.2f})"


def list_names(corpus: Corpus, rows: Sequence[int]) -> str:
    """Name the first of these clips."""
    return listed([corpus.names[row] for row in rows], _MOST_NAMES)


def _ends(corpus: Corpus, rows: Sequence[int]) -> list[str]:
    """Find the shortest ends of these clips' paths, of two parts or more, that no other clip's path has."""
    ends = path_ends(clip.path for clip in corpus.clips)
    return list(dict.fromkeys(ends[corpus.clips[row].path] for row in rows))
