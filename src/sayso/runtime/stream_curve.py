"""What `sayso tune` measured, as it travels in the model file: what each threshold of a word costs."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sayso.metrics.rates import replayed_rate

__all__ = ["CurveRow", "StreamCurve", "dump_curve", "read_curve"]


@dataclass(frozen=True)
class CurveRow:
    """What one threshold of a word costs."""

    threshold: float
    """In [0, 1]."""
    alarms_per_hour: float
    miss_share: float | None
    """Share of the words that is missed, in [0, 1]; None where the word was never said."""


@dataclass(frozen=True)
class StreamCurve:
    """Misses against false alarms an hour, of each word, over streams of words that had no part in the training."""

    words: Mapping[str, tuple[CurveRow, ...]]
    """Of each word up to 200 rows, thresholds rising."""
    replayed_hours: float
    """Length of all streams, above 0."""
    independent_hours: float
    """Length of their background, each second of it counted once, above 0."""
    background: str
    """What it was."""

    def at(self, word: str, threshold: float) -> CurveRow | None:
        """Give what a threshold costs: the row just below it; None of a word, or a threshold, that was not measured."""
        rows = [row for row in self.words.get(word, ()) if row.threshold <= threshold]
        return rows[-1] if rows else None

    def at_most(self, row: CurveRow) -> float:
        """How many alarms an hour a row may stand for: the exact one-sided 95 % bound over independent hours."""
        count = round(row.alarms_per_hour * self.replayed_hours)
        return replayed_rate(count, self.replayed_hours, self.independent_hours).at_most


def dump_curve(curve: StreamCurve) -> str:
    """Write a curve as JSON."""
    words = {
        word: [[row.threshold, row.alarms_per_hour, row.miss_share] for row in rows]
        for word, rows in curve.words.items()
    }
    values = {
        "words": words,
        "replayed_hours": curve.replayed_hours,
        "independent_hours": curve.independent_hours,
        "background": curve.background,
    }
    return json.dumps(values, ensure_ascii=False, allow_nan=False)


def read_curve(text: str) -> StreamCurve:
    """Read a curve that `dump_curve` wrote.

    Raises:
        ValueError: it is none.
    """
    try:
        values = json.loads(text)
        hours = [_number(values[key], least=0.0) for key in ("replayed_hours", "independent_hours")]
        words = {str(word): tuple(map(_row, rows)) for word, rows in values["words"].items()}
        background = str(values["background"])
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("stream_curve is none") from error
    if not all(hours):
        raise ValueError("stream_curve over no hours")
    return StreamCurve(words, hours[0], hours[1], background)


def _row(row: Sequence[Any]) -> CurveRow:
    threshold, alarms, share = row
    missed = None if share is None else _number(share, least=0.0, most=1.0)
    return CurveRow(_number(threshold, least=0.0, most=1.0), _number(alarms, least=0.0), missed)


def _number(value: Any, *, least: float, most: float = math.inf) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(f"stream_curve with {value!r}")
    return float(value)
