"""`python -m benchmarks.near_copy_numbers`: what becomes of the search for near copies when one of its numbers changes.

Copies are planted among real clips: softer, earlier, later, noisy, coded, resampled. A line for each change tells how
many of them are found, how many other pairs are named (two of them are the source's own repeats), and how many pairs
had to be proved.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

import sayso.data.near_copies as search
from benchmarks.copying import Samples, copying_kinds
from sayso.audio import AudioFormat
from sayso.data.corpus import pack
from sayso.data.datasets import DatasetConfig
from sayso.data.datasets.fsdd import FsddConfig
from sayso.data.datasets.speech_commands import SpeechCommandsConfig
from sayso.data.near_copies import band, candidates, correlation
from sayso.system.progress import Progress

CLIPS, COPIES = 1_500, 350
CHANGES: tuple[tuple[ModuleType, str, tuple[float, ...]], ...] = (
    (band, "_FADE_SECONDS", (0.001, 0.05)),
    (candidates, "_QUIETEST_RMS", (0.3, 3.0)),
    (candidates, "_HOP_SECONDS", (0.002, 0.008)),
    (candidates, "_SMOOTHING_HOPS", (5, 9, 33)),
    (candidates, "_APART_HOPS", (6, 24)),
    (candidates, "_LEAST_PEAK_SHARE", (0.001, 0.1)),
    (candidates, "_MOMENTS", (2, 8)),
    (candidates, "_MOMENTS_SOUGHT", (1, 4)),
    (candidates, "_PATCH_SECONDS", (0.1, 0.4)),
    (candidates, "_PATCH_FRAMES", (4, 16)),
    (candidates, "_FRAME_SECONDS", (0.016, 0.064)),
    (candidates, "_BANDS", (6, 24)),
    (candidates, "_PATCH_FLOOR_SHARE", (0.001, 0.1)),
    (candidates, "_LEAST_PATCH_LIKENESS", (0.85, 0.96)),
    (candidates, "_MOST_NEIGHBOURS", (2, 4, 16)),
    (correlation, "LEAST_LIKENESS", (0.8, 0.88, 0.97)),
    (correlation, "_LEAST_LIKENESS_THROUGHOUT", (0.0, 0.7, 0.93)),
    (correlation, "_STRETCH_SECONDS", (0.025, 0.1)),
    (correlation, "_LEAST_STRETCH_ENERGY_SHARE", (0.005, 0.2)),
    (correlation, "_LEAST_OVERLAP_ENERGY_SHARE", (0.1, 0.5)),
    (correlation, "_LEAST_COARSE_LIKENESS", (0.3, 0.8)),
    (correlation, "_FINER_STEPS_A_SAMPLE", (1, 2, 8)),
)


@dataclass(frozen=True, eq=False)
class Planted:
    """Clips with changed copies of some of them behind the others."""

    name: str
    samples: Samples
    pairs: set[tuple[int, int]]
    """The clips that were copied, each with its copy."""
    sample_rate: int


def main() -> None:
    """Plant copies, change one number at a time, and print what is found."""
    sets = [*_plant("fsdd", FsddConfig(), 8_000), *_plant("speech commands", SpeechCommandsConfig(), 16_000)]
    _show("as it is", sets)
    for module, name, values in CHANGES:
        before = getattr(module, name)
        for value in values:
            setattr(module, name, value)
            _show(f"{name} {value:g} instead of {before:g}", sets)
        setattr(module, name, before)


def _plant(name: str, dataset: DatasetConfig, rate: int) -> Iterator[Planted]:
    """Plant copies among some of the clips; and, to see which other pairs are named, among twice as many."""
    whole = pack(dataset.listing(Progress()), AudioFormat(sample_rate=rate), progress=Progress())
    for count in (CLIPS, 2 * CLIPS):
        clips = np.array(whole.samples[np.random.default_rng(0).permutation(len(whole))[:count]])
        rows = np.random.default_rng(1).choice(len(clips), COPIES, replace=False)
        kinds = copying_kinds(rate)
        copies = [kinds[at % len(kinds)](clips[row], at) for at, row in enumerate(rows)]
        pairs = {(int(row), len(clips) + at) for at, row in enumerate(rows)}
        yield Planted(f"{name}, {len(clips):,}", np.concatenate((clips, copies)), pairs, rate)


def _show(what: str, sets: list[Planted]) -> None:
    cells: list[str] = []
    for planted in sets:
        proofs = 0
        prove = search.prove

        def count(samples: Samples, pairs: NDArray[np.int64], where: band.Band, prove: Callable = prove) -> Iterator:
            nonlocal proofs
            proofs += len(pairs)
            return prove(samples, pairs, where)

        search.prove = count
        found = search.find_near_copies(planted.samples, sample_rate=planted.sample_rate)
        search.prove = prove
        got = {(pair.first, pair.second) for pair in found}
        cells.append(
            f"{planted.name}: {len(got & planted.pairs)}/{COPIES}, others {len(got - planted.pairs)}, proofs {proofs:,}"
        )
    print(f"{what:<54}{' | '.join(cells)}", flush=True)


if __name__ == "__main__":
    main()
