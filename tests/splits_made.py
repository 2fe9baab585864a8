"""Clips of every word by every speaker, and how they are divided."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sayso.audio import AudioFormat
from sayso.data.clips import Clip
from sayso.data.corpus import Corpus
from sayso.data.splits import Split, SplitSettings, draw_split

__all__ = ["corpus_of", "grid", "speakers_of", "split_of"]


def corpus_of(clips: Sequence[Clip], *, prints: Sequence[str] = ()) -> Corpus:
    audio = AudioFormat(sample_rate=1000, clip_seconds=0.001)
    samples = np.zeros((len(clips), 1), np.int16)
    marks = tuple(prints) or tuple(clip.path for clip in clips)
    return Corpus(clips=tuple(clips), samples=samples, audio=audio, fingerprints=marks)


def grid(words: str = "abc", speakers: str | None = "pqrst", clips: int = 4, **more: Any) -> list[Clip]:
    """`clips` clips of every word by every speaker."""
    whom: Sequence[str | None] = [None] if speakers is None else list(speakers)
    return [Clip(f"{w}/{s}_{i}", w, s, **more) for w in words for s in whom for i in range(clips)]


def split_of(
    clips: Sequence[Clip] | Corpus,
    *,
    training_seed: int = 0,
    **settings: Any,
) -> Split:
    corpus = clips if isinstance(clips, Corpus) else corpus_of(clips)
    return draw_split(corpus, SplitSettings(**({"validation_share": 0.2} | settings)), seed=training_seed)


def speakers_of(clips: Sequence[Clip], rows: Sequence[int]) -> set[str | None]:
    return {clips[row].speaker for row in rows}
