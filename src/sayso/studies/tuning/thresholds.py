"""Thresholds that keep a rate of false alarms, and what each costs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sayso.runtime.detection_curve import MOST_THRESHOLDS, Point, miss_against_alarms
from sayso.runtime.replay import Replay, Track
from sayso.runtime.stream_curve import CurveRow

__all__ = ["THRESHOLDS", "Choice", "choose", "curve_rows", "draw_curve"]

_LEAST_LOG_ODDS, _MOST_LOG_ODDS = -4.0, 10.0
THRESHOLDS: tuple[float, ...] = tuple(
    np.round(1 / (1 + np.exp(-np.linspace(_LEAST_LOG_ODDS, _MOST_LOG_ODDS, MOST_THRESHOLDS))), 8).tolist()
)
"""Spaced evenly in log-odds, from 0.018 to 0.99995."""
_DIGITS = 4


@dataclass(frozen=True)
class Choice:
    """A threshold that was chosen for a word."""

    threshold: float
    keeps: bool
    """Whether it keeps the rate where it was chosen; False: no threshold does, and this is the highest."""
    point: Point
    """What it costs there."""


def draw_curve(replay: Replay, tracks: Sequence[Track], word: str) -> list[Point]:
    """Give what each of `THRESHOLDS` costs a word over streams."""
    return miss_against_alarms(replay, tracks, word, thresholds=THRESHOLDS)


def choose(points: Sequence[Point], most_per_hour: float) -> Choice:
    """Choose the threshold that keeps the rate and misses least: the lowest one, where alarms fall as thresholds rise.

    They do not always. A score that never falls below a low threshold fires once and never again, and one that flickers
    about a high threshold fires several times. Of several that miss as little the one with the fewest alarms is
    chosen, and of those the lowest.

    Args:
        points: of one word, thresholds rising, at least one.
        most_per_hour: false alarms of the word.
    """
    kept = [point for point in points if point.alarms_per_hour <= most_per_hour]
    if not kept:
        return Choice(points[-1].threshold, False, points[-1])
    chosen = min(kept, key=lambda point: (point.misses, point.alarms, point.threshold))
    return Choice(chosen.threshold, True, chosen)


def curve_rows(points: Sequence[Point]) -> tuple[CurveRow, ...]:
    """Give the points at which anything changes, and the last one, as a model file holds them."""
    rows: list[CurveRow] = []
    for place, point in enumerate(points):
        before = points[place - 1] if place else None
        same = before and (before.alarms, before.misses) == (point.alarms, point.misses)
        if not same or place == len(points) - 1:
            share = None if point.miss_share is None else round(point.miss_share, _DIGITS)
            rows.append(CurveRow(point.threshold, round(point.alarms_per_hour, _DIGITS), share))
    return tuple(rows)
