"""At which sizes a recipe is trained: chosen, or checked when they are given, before the first trial is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sayso.data.clips import Clip
from sayso.data.splits.subsets import limit_sizes, rank_clips, rank_speakers
from sayso.errors import DataError, Fault, SettingsError
from sayso.system.wording import counted

__all__ = ["AXES", "Axis", "AxisName", "known_speakers", "make_axis"]

AxisName = Literal["speakers", "clips"]
AXES: tuple[AxisName, ...] = ("speakers", "clips")
_CHOSEN = 6


@dataclass(frozen=True)
class Axis:
    """What is made smaller, and how small."""

    name: AxisName
    unit: str
    """What is counted, in the plural."""
    key: str
    """The recipe's key, in its section `split`."""
    sizes: tuple[int, ...]
    """Rising."""
    means: tuple[float, ...]
    """What each size comes to: speakers, or clips a speaker, fewer than the size where some have not as many."""
    most: tuple[int, ...]
    """The whole size with each seed."""

    def whole(self, size: int, seed: int) -> bool:
        """Whether that is the whole training part of a seed."""
        return size >= self.most[seed]


def make_axis(name: AxisName, parts: Sequence[Sequence[Clip]], sizes: Sequence[int]) -> Axis:
    """Choose about six sizes, evenly on a logarithmic scale, or check those given.

    Args:
        name: which axis.
        parts: the clips of the whole training part with each seed; some validation parts depend on it.
        sizes: those given; none: they are chosen.

    Raises:
        SettingsError: sizes that are too small for every word, or larger than what is there.
        DataError: no speakers are known, or there is no more than one size to be had.
    """
    known = known_speakers(parts[0])
    if name == "speakers" and known < 2:
        raise DataError(
            f"a curve over speakers needs at least 2 in the training part, {counted(known, 'is', 'are')} known there; "
            "name them (a column, a sub-folder or a pattern), hold out fewer, or use --clips"
        )
    ranks = [_RANKS[name](part, seed=seed) for seed, part in enumerate(parts)]
    limits = [limit_sizes(part, each) for part, each in zip(parts, ranks, strict=True)]
    least = max(low for low, _ in limits)
    most = min(high for _, high in limits) if name == "speakers" else max(high for _, high in limits)
    unit = "speakers" if name == "speakers" else "clips of each speaker" if known else "clips"
    if least >= most:
        raise DataError(f"no curve can be drawn: fewer than all {most} training {unit} leave a word without clips")
    chosen = _checked(sizes, least, most, name, unit) if sizes else _spread(_first(name, parts[0], least, most), most)
    means = tuple(
        float(np.mean([_mean_size(name, part, each, size) for part, each in zip(parts, ranks, strict=True)]))
        for size in chosen
    )
    key = "train_speakers" if name == "speakers" else "train_clips_per_speaker"
    return Axis(name, unit, key, chosen, means, tuple(high for _, high in limits))


def known_speakers(clips: Sequence[Clip]) -> int:
    """How many speakers the clips name."""
    return len({clip.speaker for clip in clips if clip.speaker and not clip.keeps_part})


def _first(name: AxisName, clips: Sequence[Clip], least: int, most: int) -> int:
    """Where chosen sizes begin: one clip of each word from each speaker, if that leaves room for more."""
    words = len({clip.label for clip in clips})
    return words if name == "clips" and least < words <= most // 4 else least


def _spread(least: int, most: int) -> tuple[int, ...]:
    return tuple(sorted({round(size) for size in np.geomspace(least, most, _CHOSEN).tolist()}))


def _checked(sizes: Sequence[int], least: int, most: int, name: AxisName, unit: str) -> tuple[int, ...]:
    faults = [
        Fault(f"--{name}", f"{size} leaves a word without training clips, must be {least} or more")
        if size < least
        else Fault(f"--{name}", f"{size} is too many, the training part has {most} {unit}")
        for size in sizes
        if not least <= size <= most
    ]
    if faults:
        raise SettingsError(faults)
    if len(set(sizes)) < 2:
        raise SettingsError([Fault(f"--{name}", "a curve needs 2 sizes or more, better 4")])
    return tuple(sorted(set(sizes)))


def _mean_size(name: AxisName, clips: Sequence[Clip], ranks: NDArray[np.int64], size: int) -> float:
    if name == "speakers":
        return float(size)
    speakers = known_speakers(clips)
    counts = np.array([not speakers or clip.speaker is not None for clip in clips])
    return int(((ranks >= 0) & (ranks < size) & counts).sum()) / max(1, speakers)


_RANKS: dict[AxisName, Callable[..., NDArray[np.int64]]] = {"speakers": rank_speakers, "clips": rank_clips}
