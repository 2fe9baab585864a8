"""The map of an audit: clips by what a pretrained network hears in them, without any training."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from sayso.audio import AudioFormat, resample, to_float
from sayso.classifier.module import AtPeak
from sayso.data.clips import name_clips
from sayso.data.corpus import Corpus, Rows
from sayso.data.faults.detector import Detector, Finding
from sayso.features.speech_embedding import LEAST_SAMPLES, SAMPLE_RATE, SpeechEmbeddingConfig
from sayso.system.progress import Progress
from sayso.views.figures.clip_map import map_clips
from sayso.views.html.clip_map import MappedClips

__all__ = ["MOST_AT_ONCE", "draw_map", "embed_words"]

MOST_AT_ONCE = 3_000
"""Of more clips a map is drawn only where it is asked for: it takes a second for some 800 of them."""
_MOST_ASKED = 20_000
_BATCH = 256


def draw_map(
    corpus: Corpus, findings: Mapping[Detector, Sequence[Finding]], progress: Progress, *, threads: int | None
) -> MappedClips | None:
    """Lay out the clips in which something is to be heard, and find those among another word's; None: too few.

    Args:
        corpus: the clips that could be read.
        findings: by detector.
        progress: where to report.
        threads: of the network; None: as many as torch takes.
    """
    silent = {each.row for detector, found in findings.items() if detector.means_silent for each in found}
    rows = np.setdiff1d(np.arange(len(corpus)), np.array(sorted(silent), np.int64))
    rows = np.sort(np.random.default_rng(0).permutation(rows)[:_MOST_ASKED])
    if len({corpus.clips[row].label for row in rows}) < 2:
        return None
    clip_map = map_clips(
        embed_words(corpus, rows, progress, threads=threads), [corpus.clips[row].label for row in rows]
    )
    return clip_map and MappedClips(
        clip_map,
        name_clips(corpus.clips, [corpus.clips[row] for row in rows]),
        lambda place: (np.array(corpus.samples[rows[place]]), corpus.audio.sample_rate),
    )


def embed_words(corpus: Corpus, rows: Rows, progress: Progress, *, threads: int | None) -> NDArray[np.float32]:
    """What Google's speech embedding hears in rows of a corpus: its mean and maximum over time, (rows, 192)."""
    length = max(LEAST_SAMPLES, round(corpus.audio.clip_samples * SAMPLE_RATE / corpus.audio.sample_rate))
    audio = AudioFormat(sample_rate=SAMPLE_RATE, clip_seconds=length / SAMPLE_RATE)
    network = AtPeak(SpeechEmbeddingConfig().build(audio))
    network.fill()
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    made: list[NDArray[np.float32]] = []
    try:
        with progress.task("mapping", total=len(rows), unit="clips") as task, torch.inference_mode():
            for start in range(0, len(rows), _BATCH):
                block = rows[start : start + _BATCH]
                heard = network.eval()(torch.from_numpy(_at_its_rate(corpus, block, length)))
                pooled = torch.cat((heard.mean(dim=3), heard.amax(dim=3)), dim=1)  # (batch, 2, 96)
                made.append(pooled.flatten(1).numpy())
                task.advance(len(block))
    finally:
        torch.set_num_threads(before)
    return np.concatenate(made)


def _at_its_rate(corpus: Corpus, rows: Rows, length: int) -> NDArray[np.float32]:
    """Samples of some rows at the network's rate, with silence around where they are short, (rows, length)."""
    placed = np.zeros((len(rows), length), np.float32)
    for place, row in enumerate(rows):
        samples = resample(to_float(corpus.samples[row]), corpus.audio.sample_rate, SAMPLE_RATE)[:length]
        before = (length - len(samples)) // 2
        placed[place, before : before + len(samples)] = samples
    return placed
