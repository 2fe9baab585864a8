"""What a curve answers: what twice as much would bring, what half the errors would take, and when it cannot tell."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sayso.studies.learning_curve.draws import Interval, draw_errors, find_limits, intervals_around
from sayso.studies.learning_curve.fit import LEAST_SIZES, ErrorCurves, fit_curves
from sayso.system.wording import counted, percent

__all__ = ["FURTHEST", "Curve", "judge", "tell_answers"]

FURTHEST = 4.0
"""How many times the largest size a curve is followed."""
_BAND_PLACES = 60
_DRAWN_TO = 2.0


@dataclass(frozen=True)
class Curve:
    """Errors at every size with intervals, the curve through them, and what it answers. Errors are 0 to 1."""

    errors: tuple[float, ...]
    """(sizes,)"""
    ci95: tuple[Interval, ...]
    """(sizes,)"""
    verdict: Literal["fitted", "flat", "too few sizes", "another shape"]
    """flat: between the smallest and the largest size no gain shows. Only what is fitted answers."""
    at_chance: int = 0
    """How many sizes, from the smallest, do no better than guessing; the curve begins after them."""
    floor: float | None = None
    scale: float | None = None
    exponent: float | None = None
    band: tuple[tuple[float, float, float, float], ...] = ()
    """Size, error, lower and upper limit of 95 %, from the first size that is fitted to twice the largest."""
    missed: tuple[int, ...] = ()
    """Places of the sizes whose interval the curve does not pass through; two, or the largest: another shape."""
    now: float | None = None
    """The curve's error with the largest size."""
    doubled: float | None = None
    """The error with twice the largest size."""
    doubled_ci95: Interval | None = None
    size_for_half: float | None = None
    """The size that halves the error of the largest; infinite where the curve never comes so low."""
    size_for_half_ci95: Interval | None = None


def judge(sizes: Sequence[float], wrong: NDArray[np.float64], units: Sequence[object], *, guessing: float) -> Curve:
    """Fit the curve where the errors allow it.

    Where a recogniser still guesses, errors do not fall as a power law: the sizes up to the first that is better are
    left out (the "small data region" of Hestness et al. (2017), "Deep learning scaling is predictable, empirically").

    Args:
        sizes: rising, each above 0, (sizes,).
        wrong: 1 where the answer was wrong, else 0, (sizes, seeds, clips).
        units: who speaks each clip, or a name for each clip, (clips,).
        guessing: the error of always answering the most frequent word, 0 to 1.
    """
    drawn, mean = draw_errors(wrong, units), wrong.mean(axis=(1, 2))
    intervals = intervals_around(mean, drawn)
    start = next((at for at, (_, high) in enumerate(intervals) if high < guessing), len(sizes))
    known = Curve(tuple(mean.tolist()), intervals, "too few sizes", at_chance=start)
    if len(sizes) > 1 and find_limits((drawn[:, 0] - drawn[:, -1])[:, None])[0][0] <= 0:
        return replace(known, verdict="flat")
    if len(sizes) - start < LEAST_SIZES:
        return known
    at = np.asarray(sizes[start:], dtype=np.float64)
    weights = 1 / np.maximum(drawn[:, start:].var(axis=0), 1e-9)
    best, others = fit_curves(at, mean[None, start:], weights), fit_curves(at, drawn[:, start:], weights)
    fitted = best.errors(at)[0].tolist()
    missed = tuple(
        place for place, error in enumerate(fitted, start) if not intervals[place][0] <= error <= intervals[place][1]
    )
    if len(missed) > 1 or len(sizes) - 1 in missed:
        return replace(known, verdict="another shape", missed=missed)
    return _answered(replace(known, verdict="fitted", missed=missed), at, best, others)


def _answered(known: Curve, sizes: NDArray[np.float64], best: ErrorCurves, others: ErrorCurves) -> Curve:
    now, doubled = sizes[-1:], _DRAWN_TO * sizes[-1:]
    places = np.geomspace(sizes[0], doubled[0], _BAND_PLACES)
    band = zip(places.tolist(), best.errors(places)[0].tolist(), find_limits(others.errors(places)), strict=True)
    return replace(
        known,
        floor=float(best.floor[0]),
        scale=float(best.scale[0]),
        exponent=float(best.exponent[0]),
        band=tuple((size, error, *limits) for size, error, limits in band),
        now=float(best.errors(now)[0, 0]),
        doubled=float(best.errors(doubled)[0, 0]),
        doubled_ci95=find_limits(others.errors(doubled))[0],
        size_for_half=float(_size_for_half(best, now)[0]),
        size_for_half_ci95=find_limits(_size_for_half(others, now)[:, None])[0],
    )


def tell_answers(curve: Curve, sizes: Sequence[float], unit: str) -> Iterator[str]:
    """Say in plain words what a curve answers and what it cannot.

    Args:
        curve: what `judge` gave.
        sizes: as it was given them.
        unit: what is counted, in the plural.
    """
    now = sizes[-1]
    if curve.at_chance and curve.verdict != "flat":
        last = _amount(sizes[curve.at_chance - 1])
        yield f"{unit}: up to {last} no better than guessing; no curve goes through those"
    if curve.verdict == "too few sizes":
        left = counted(len(sizes) - curve.at_chance, "size")
        yield f"{unit}: no curve is fitted through {left}; it takes {LEAST_SIZES}"
    elif curve.verdict == "flat":
        yield (
            f"{unit}: from {_amount(sizes[0])} to {_amount(now)} no gain shows that these test clips and seeds could "
            "tell from chance; what more would bring cannot be said"
        )
    elif curve.verdict == "another shape":
        yield (
            f"{unit}: the errors do not fall as such curves do, the best one misses the intervals at "
            f"{_places(curve, sizes)}; what more would bring cannot be said"
        )
    else:
        yield from _answers(curve, now, unit)
        if curve.missed:
            yield f"{unit}: the curve misses the interval at {_places(curve, sizes)}; its shape may be another"


def _answers(curve: Curve, now: float, unit: str) -> Iterator[str]:
    assert curve.now is not None
    assert curve.doubled is not None
    assert curve.doubled_ci95 is not None
    low, high = curve.doubled_ci95
    yield (
        f"with twice the {unit} ({_amount(2 * now)}): {_right(curve.doubled)} (95 %: {_right(high)} to {_right(low)}); "
        f"the curve has {_right(curve.now)} at {_amount(now)}, {_right(curve.errors[-1])} were measured"
    )
    yield f"to halve the errors: {_for_half(curve, now, unit)}"


def _for_half(curve: Curve, now: float, unit: str) -> str:
    assert curve.size_for_half is not None
    assert curve.size_for_half_ci95 is not None
    low, high = (size - now for size in curve.size_for_half_ci95)
    needed, furthest = curve.size_for_half - now, (FURTHEST - 1) * now
    if needed > furthest:
        told = f"more than {_amount(furthest)} more {unit}, if any number does; the curve is followed no further"
        return f"{told} (95 %: {_amount(min(low, furthest))} or more)"
    upper = _amount(high) if high <= furthest else f"more than {_amount(furthest)}, if any number does"
    return f"{_amount(needed)} more {unit} (95 %: {_amount(low)} to {upper})"


def _size_for_half(curves: ErrorCurves, now: NDArray[np.float64]) -> NDArray[np.float64]:
    return curves.sizes_for(curves.errors(now)[:, 0] / 2)


def _amount(count: float) -> str:
    return f"{math.ceil(count - 1e-6):,}"


def _right(error: float) -> str:
    return percent(1 - error)


def _places(curve: Curve, sizes: Sequence[float]) -> str:
    return ", ".join(_amount(sizes[place]) for place in curve.missed)
