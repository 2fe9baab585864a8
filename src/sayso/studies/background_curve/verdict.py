"""Alarms an hour against minutes of background: their intervals, the curve through them, and what it answers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sayso.studies.learning_curve.draws import DRAWS, Interval, draw_deviations, find_limits, intervals_around
from sayso.studies.learning_curve.fit import LEAST_SIZES, fit_curves
from sayso.system.wording import counted, rounded

__all__ = ["FURTHEST", "Curve", "judge", "tell_answers"]

FURTHEST = 4.0
"""How many times the most minutes a curve is followed."""
_PLACES = 60
# `fit_curves` keeps what it gives below 1.
_ROOM = 10.0


@dataclass(frozen=True)
class Curve:
    """Alarms an hour at each size with intervals, the curve through them, and what it answers."""

    rates: tuple[float, ...]
    """(sizes,)"""
    ci95: tuple[Interval, ...]
    """(sizes,)"""
    verdict: Literal["fitted", "flat", "too few sizes", "no alarms", "another shape"]
    """flat: between the fewest and the most minutes no gain shows; only what is fitted answers."""
    exponent: float | None = None
    band: tuple[tuple[float, float, float, float], ...] = ()
    """Minutes, alarms an hour, lower and upper limit of 95 %, up to twice the most minutes."""
    minutes_for_half: float | None = None
    """At which the curve has half the alarms of the most minutes; infinite where it never comes so low."""
    minutes_for_half_ci95: Interval | None = None


def judge(
    minutes: Sequence[float],
    alarms: NDArray[np.float64],
    hours: NDArray[np.float64],
    independent_hours: float,
    *,
    seed: int = 0,
) -> Curve:
    """Fit the curve where the alarms allow it.

    Intervals are a bootstrap over the sources of background and over the seeds, together for all sizes and widened
    where either are few, but at least as wide as of alarms that come independently in the different background
    (Poisson, one alarm added, so that none leaves doubt too).

    Args:
        minutes: rising, each above 0, (sizes,).
        alarms: how often the models fired over each source of test background, (sizes, seeds, sources).
        hours: how long each source was replayed, (sources,).
        independent_hours: of the test background, each second counted once.
        seed: of the draws.
    """
    rates, drawn = _draw(alarms, hours, independent_hours, seed)
    intervals = intervals_around(rates, drawn)
    known = Curve(tuple(rates.tolist()), intervals, "too few sizes")
    if not alarms.any():
        return replace(known, verdict="no alarms")
    if find_limits((drawn[:, 0] - drawn[:, -1])[:, None])[0][0] <= 0:
        return replace(known, verdict="flat")
    if len(minutes) < LEAST_SIZES:
        return known
    return _fitted(known, np.asarray(minutes, np.float64), rates, drawn)


def _fitted(known: Curve, at: NDArray[np.float64], rates: NDArray[np.float64], drawn: NDArray[np.float64]) -> Curve:
    scale = _ROOM * max(float(rates.max()), float(drawn.max()))
    weights = 1 / np.maximum(drawn.var(axis=0), 1e-9)
    best, others = fit_curves(at, rates[None] / scale, weights), fit_curves(at, drawn / scale, weights)
    through = best.errors(at)[0] * scale
    inside = [low <= rate <= high for rate, (low, high) in zip(through, known.ci95, strict=True)]
    if inside.count(False) > 1 or not inside[-1]:
        return replace(known, verdict="another shape")
    places = np.geomspace(at[0], 2 * at[-1], _PLACES)
    limits = find_limits(others.errors(places) * scale)
    band = zip(places.tolist(), (best.errors(places)[0] * scale).tolist(), limits, strict=True)
    last = at[-1:]
    return replace(
        known,
        verdict="fitted",
        exponent=float(best.exponent[0]),
        band=tuple((size, rate, *own) for size, rate, own in band),
        minutes_for_half=float(best.sizes_for(best.errors(last)[:, 0] / 2)[0]),
        minutes_for_half_ci95=find_limits(others.sizes_for(others.errors(last)[:, 0] / 2)[:, None])[0],
    )


def _draw(
    alarms: NDArray[np.float64], hours: NDArray[np.float64], independent_hours: float, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Alarms an hour, (sizes,), and as other sources and seeds could have given them, (2,000, sizes)."""
    rng = np.random.default_rng((seed, 6))
    by_seed = alarms.sum(axis=2) / hours.sum()
    rates = by_seed.mean(axis=1)
    off = draw_deviations(rates, alarms.mean(axis=1), hours, by_seed, rng)
    least = (rates * independent_hours + 1) / independent_hours**2
    lacking = np.sqrt(np.maximum(least - off.var(axis=0), 0))
    return rates, np.maximum(rates + off + lacking * rng.standard_normal((DRAWS, len(rates))), 0)


def tell_answers(curve: Curve, minutes: Sequence[float], independent_hours: float) -> Iterator[str]:
    """Say in plain words what a curve answers and what it cannot.

    Args:
        curve: what `judge` gave.
        minutes: as it was given them.
        independent_hours: of test background.
    """
    last = rounded(minutes[-1])
    cannot = "how many more would halve the alarms cannot be said"
    hours = f"{rounded(independent_hours)} h of different test background"
    if curve.verdict == "no alarms":
        yield f"no model fired at all in {hours}: there is nothing to halve; give more of it (--background)"
    elif curve.verdict == "flat":
        yield (
            f"from {rounded(minutes[0])} to {last} minutes no gain shows that {hours} and these seeds could tell from "
            f"chance; {cannot}"
        )
    elif curve.verdict == "too few sizes":
        yield f"no curve is fitted through {counted(len(minutes), 'size')}, it takes {LEAST_SIZES}; {cannot}"
    elif curve.verdict == "another shape":
        yield f"the alarms do not fall as such curves do, the best one misses their intervals; {cannot}"
    else:
        yield f"to halve the alarms: {_for_half(curve, minutes[-1])}"


def _for_half(curve: Curve, now: float) -> str:
    assert curve.minutes_for_half is not None
    assert curve.minutes_for_half_ci95 is not None
    low, high = (size - now for size in curve.minutes_for_half_ci95)
    needed, furthest = curve.minutes_for_half - now, (FURTHEST - 1) * now
    if needed > furthest:
        told = f"more than {rounded(furthest)} more minutes, if any number does; the curve is followed no further"
        return f"{told} (95 %: {rounded(min(low, furthest))} or more)"
    upper = rounded(high) if high <= furthest else f"more than {rounded(furthest)}, if any number does"
    return f"{rounded(needed)} more minutes of background like this (95 %: {rounded(low)} to {upper})"
