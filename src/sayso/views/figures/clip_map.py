"""A map of clips: each a point in two dimensions, those that are alike near one another.

Laid out by t-SNE (van der Maaten & Hinton (2008), "Visualizing data using t-SNE"), since it keeps neighbours: of the
ten nearest of 600 spoken words six to seven are among the ten nearest on the map, with the two main directions (PCA) or
those that tell the words apart best (linear discriminants) one to three. What it does not keep are distances between
groups, and how dense they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sayso.metrics.neighbours import find_neighbours, find_outliers, standardise

__all__ = ["MOST_MAPPED", "MOST_OUTLIERS", "ClipMap", "Doubted", "map_clips"]

MOST_MAPPED = 400
"""Points of a map: each brings its sound, and more could not be told apart."""
MOST_OUTLIERS = 100
"""Clips that are listed as their neighbours bear another word; all of them are on the map."""
LEAST_MAPPED = 12
_PERPLEXITY = 20.0
# After 300 steps as many neighbours are kept as after 1,000.
_STEPS = 300
_DIRECTIONS = 30


@dataclass(frozen=True, slots=True)
class Doubted:
    """A clip whose neighbours bear another word."""

    place: int
    """Which of the clips."""
    word: str
    """What most of its neighbours bear."""
    share: float
    """How many of them, 0 to 1."""


@dataclass(frozen=True, eq=False)
class ClipMap:
    """Where clips lie, and which of them lie among others."""

    places: NDArray[np.int64]
    """Which clips are drawn, (points,), in order."""
    points: NDArray[np.float64]
    """Where, (points, 2), 0 to 1; without units."""
    doubted: tuple[Doubted, ...]
    """The surest first."""
    found: int
    """How many there are, also those that are not listed."""
    neighbours: int
    """How many nearest clips each was asked by; 0: too few clips to say of any that it lies among others."""
    kept: float
    """Share of the nearest clips, among those drawn, that are nearest on the map too."""
    clips: int
    """How many were asked."""


def map_clips(vectors: NDArray[np.float32], labels: Sequence[str]) -> ClipMap | None:
    """Lay out clips by what is known of them, and find those whose neighbours bear another word.

    Where there are more than a map holds, those that are listed are drawn, and of the others some at random.

    Args:
        vectors: (clips, numbers).
        labels: the word of each, (clips,).

    Returns:
        The map, the same each time on one machine; None where there are fewer clips than make one.
    """
    if len(labels) < LEAST_MAPPED:
        return None
    words = sorted(set(labels))
    number = {word: place for place, word in enumerate(words)}
    unit = standardise(vectors)
    outliers, neighbours = find_outliers(unit, np.array([number[label] for label in labels], np.int64))
    listed = outliers[:MOST_OUTLIERS]
    places = _drawn(len(labels), [outlier.place for outlier in listed])
    points, kept = _lay_out(unit[places])
    return ClipMap(
        places=places,
        points=points,
        doubted=tuple(Doubted(outlier.place, words[outlier.word], outlier.share) for outlier in listed),
        found=len(outliers),
        neighbours=neighbours,
        kept=kept,
        clips=len(labels),
    )


def _drawn(clips: int, listed: Sequence[int]) -> NDArray[np.int64]:
    """Which clips are on the map."""
    others = np.setdiff1d(np.arange(clips), np.array(listed, np.int64))
    some = np.random.default_rng(0).permutation(others)[: max(0, MOST_MAPPED - len(listed))]
    return np.sort(np.concatenate((np.array(listed, np.int64), some)))


def _lay_out(unit: NDArray[np.float32]) -> tuple[NDArray[np.float64], float]:
    # Imported here: most of what this package is asked for needs neither.
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    # Of a single number the second direction is empty.
    left, spread, _ = np.linalg.svd(np.pad(unit - unit.mean(axis=0), ((0, 0), (0, 1))), full_matrices=False)
    few = (left * spread)[:, :_DIRECTIONS].astype(np.float32)
    begin = few[:, :2] / max(float(few[:, 0].std()), 1e-9) * 1e-4
    # Sums of several threads have other last digits each time, and these grow.
    with threadpool_limits(1):
        tsne = TSNE(
            perplexity=min(_PERPLEXITY, (len(unit) - 1) / 3),
            init=begin,  # pyright: ignore[reportArgumentType] - the package says str, and takes both
            max_iter=_STEPS,
            random_state=0,
        )
        points = np.asarray(tsne.fit_transform(few), np.float64)
    return _within(points), _share_kept(unit, points)


def _within(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Both axes by one scale, from 0 to 1."""
    low, high = points.min(axis=0), points.max(axis=0)
    size = max(float((high - low).max()), 1e-12)
    return 0.5 + (points - (low + high) / 2) / size


def _share_kept(unit: NDArray[np.float32], points: NDArray[np.float64]) -> float:
    count = min(10, len(unit) - 1)
    apart = np.square(points[:, None] - points[None]).sum(axis=2)
    np.fill_diagonal(apart, np.inf)
    on_map = np.argpartition(apart, count - 1, axis=1)[:, :count]
    pairs = zip(find_neighbours(unit, count).places, on_map, strict=True)
    return float(np.mean([len({*here} & {*there}) / count for here, there in pairs]))
