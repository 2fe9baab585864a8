"""What would help most by the curves: more people, or more recordings of each; or that they cannot tell."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from sayso.system.wording import percent

__all__ = ["Most", "tell_most"]

_CANNOT = "these curves cannot tell what would help most"


class Most(TypedDict):
    """What `learning-curve.json` says of it."""

    helps: str | None
    """The unit of which more would help most; None: that cannot be told."""
    told: str
    """So in words, with the reason; no capital, no full stop."""


def tell_most(axes: Sequence[Mapping[str, Any]]) -> Most:
    """Say which of the axes gains more where its size is doubled, and from what that is known.

    Where the intervals of both overlap neither is named: which of them is higher may be chance.

    Args:
        axes: as `learning-curve.json` holds them.
    """
    fitted = sorted((axis for axis in axes if axis["verdict"] == "fitted"), key=lambda axis: axis["doubled"])
    if not fitted:
        return {"helps": None, "told": f"{_CANNOT}: {'; '.join(_why(axis) for axis in axes)}"}
    best, others = fitted[0], [axis for axis in axes if axis is not fitted[0]]
    if any(_overlap(best, other) for other in fitted[1:]):
        both = " and ".join(f"with twice the {axis['unit']} {_reached(axis)}" for axis in fitted)
        return {"helps": None, "told": f"{_CANNOT}: {both} would be right, which chance could turn round"}
    beside = "; ".join(
        f"with twice the {other['unit']} {_reached(other)}" if other["verdict"] == "fitted" else _why(other)
        for other in others
    )
    told = f"more {best['unit']}: with twice as many {_reached(best)} would be right"
    return {"helps": best["unit"], "told": f"{told}; {beside}" if beside else told}


def _reached(axis: Mapping[str, Any]) -> str:
    low, high = axis["doubled_ci95"]
    return f"{percent(1 - axis['doubled'])} (95 %: {100 * (1 - high):.1f} to {percent(1 - low)})"


def _why(axis: Mapping[str, Any]) -> str:
    if axis["verdict"] == "flat":
        return f"of more {axis['unit']} no gain shows"
    return f"for {axis['unit']} no curve could be fitted"


def _overlap(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one["doubled_ci95"][1] >= other["doubled_ci95"][0]
