"""Whether the clips that a run answered on are those of its test part."""

from sayso.data.clips import Clip
from sayso.data.corpus import Corpus, Rows
from sayso.runs.predictions import Predictions
from sayso.system.wording import counted, path_tail

__all__ = ["find_other_clips"]


def find_other_clips(read: Predictions, corpus: Corpus, test: Rows) -> str:
    """Say where the answers are not on the clips of the test part, in order; empty where they are."""
    wanted = [_row(corpus.clips[row]) for row in test]
    there = [(path_tail(path), *rest) for path, *rest in read.clips]
    if len(wanted) != len(there):
        return f"{counted(len(there), 'clip')} in predictions.csv, {len(wanted)} in the test part"
    for line, (one, other) in enumerate(zip(there, wanted, strict=True), start=2):
        if tuple(one) != other:
            return f"predictions.csv, line {line}: {' '.join(one)}, but the test part has {' '.join(other)} there"
    return ""


def _row(clip: Clip) -> tuple[str, str, str, str]:
    start = "" if clip.start_seconds is None else str(clip.start_seconds)
    return (path_tail(_written(clip.path)), start, _written(clip.speaker or ""), _written(clip.label))


def _written(text: str) -> str:
    """As `write_text` spells it: odd bytes of a file name as an escape."""
    return text.encode(errors="backslashreplace").decode()
