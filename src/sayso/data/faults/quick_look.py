"""The look that recordings get before every training: the faults that packed samples show in seconds, in one line."""

from collections import Counter
from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from sayso.data.corpus import Corpus, Rows, take
from sayso.data.faults import detectors
from sayso.data.faults.catalogue import list_detectors_in
from sayso.data.faults.detector import Detector, Finding
from sayso.data.faults.recording import Recording
from sayso.system.progress import Progress
from sayso.system.wording import counted

__all__ = ["LEAST_OF_WORD", "look_over"]

LEAST_OF_WORD = 5
"""Recordings of a word, fewer of which teach nobody; as many as `adapt` makes a new word of."""
_FULL_SCALE = 32768.0


def look_over(corpus: Corpus, *, closer: str, progress: Progress, only: Rows | None = None) -> str | None:
    """Say what is plainly wrong with the recordings of a corpus; None: nothing is.

    Faults that only the files show, such as a cut end, are left to the audit.

    Args:
        corpus: packed clips.
        closer: the command that looks closer.
        progress: where to report.
        only: rows of the recordings that are looked at, the others having been before; None: those of the first source.
    """
    rows = [row for row, clip in enumerate(corpus.clips) if clip.source == 0] if only is None else only.tolist()
    looked_at, places = (corpus, rows) if only is None else (take(corpus, only), range(len(only)))
    counts = Counter(clip.label for clip in corpus.clips)
    found = [
        *_faults(looked_at, {*places}, progress),
        *_rare_words({corpus.clips[row].label for row in rows}, counts),
    ]
    return f"a quick look found {'; '.join(found)}: {closer} looks closer" if found else None


def _faults(corpus: Corpus, told: Collection[int], progress: Progress) -> Iterator[str]:
    quick = [detector for detector in list_detectors_in(detectors) if detector.quick]
    values = _measure(corpus, quick)
    for detector, measured in zip(quick, values, strict=True):
        findings = [finding for finding in detector.find(measured, corpus, progress, threads=1) if finding.row in told]
        if findings:
            worst = max(findings, key=lambda finding: (finding.severity, -finding.row))
            rows = {finding.row for finding in findings}
            yield f"{detector.name} in {counted(len(rows), 'clip')} ({_example(corpus, worst, len(rows))})"


def _example(corpus: Corpus, finding: Finding, clips: int) -> str:
    such = "" if clips == 1 else "such as "
    return f"{such}{corpus.names[finding.row]}, {finding.detail}"


def _measure(corpus: Corpus, quick: list[Detector]) -> list[NDArray[np.float64]]:
    """What each of these detectors measures of all clips, (clips, numbers)."""
    rows = [[detector.measure(recording, corpus.audio) for detector in quick] for recording in _recordings(corpus)]
    return [np.array([row[place] for row in rows], np.float64) for place in range(len(quick))]


def _recordings(corpus: Corpus) -> Iterator[Recording]:
    """Yield each clip without the silence that was put around a short one, as far as there is more."""
    for clip in corpus.samples:
        sound = np.flatnonzero(clip)
        heard = clip[sound[0] : sound[-1] + 1] if len(sound) else clip
        yield Recording(heard.astype(np.float32) / np.float32(_FULL_SCALE), corpus.audio.sample_rate)


def _rare_words(words: Collection[str], counts: Counter[str]) -> Iterator[str]:
    for word in sorted(words):
        # Voices beside them teach a word of a single recording too.
        if (count := counts[word]) < LEAST_OF_WORD:
            yield f"only {counted(count, 'recording')} of '{word}', which nobody learns from so few"
