"""Figures computed anew against those that are written down."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard

import numpy as np

from sayso.evaluation.calibration import score_calibration
from sayso.metrics.scores import score
from sayso.runs.predictions import Predictions

__all__ = ["SCORE_TOLERANCE", "TOLERANCE", "WEIGHTS_TOLERANCE", "differences", "scores_of", "wrong_answer"]

TOLERANCE = 1e-4
"""How far a probability computed anew may lie from the one written down; other processors round otherwise."""
SCORE_TOLERANCE = 1e-6
"""How far a score computed from `predictions.csv`, which has nine digits, may lie from `metrics.json`."""
WEIGHTS_TOLERANCE = 1e-3
"""The same of one computed by the weights, where probabilities that nearly tie may change places."""

_EXACT = ("parameters", "n", "fitted_on_clips")
"""What is counted, and no answer may change."""


def wrong_answer(read: Predictions) -> str:
    """Where `predictions.csv` contradicts itself; empty where it does not."""
    stray = next((clip.label for clip in read.clips if clip.label not in read.labels), None)
    if stray is not None:
        return f"predictions.csv has the label '{stray}', and no probability of it"
    best = [read.labels[place] for place in read.probabilities.argmax(axis=1)]
    for line, (one, other) in enumerate(zip(best, read.predicted, strict=True), start=2):
        if one != other:
            return f"predictions.csv, line {line}: the word predicted is not the most probable one"
    return ""


def scores_of(read: Predictions, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """What `metrics.json` is to hold of the test part, by the predictions and the temperature that it names."""
    index = {label: place for place, label in enumerate(read.labels)}
    targets = np.array([index[clip.label] for clip in read.clips], dtype=np.int64)
    speakers = [clip.speaker or None for clip in read.clips]
    calibration = metrics.get("calibration")
    stated = calibration if isinstance(calibration, Mapping) else {}
    temperature, clips = stated.get("temperature"), stated.get("fitted_on_clips")
    return {
        "test": score(targets, read.probabilities, labels=read.labels, speakers=speakers),
        "labels": list(read.labels),
        "calibration": score_calibration(
            targets,
            read.probabilities,
            temperature=temperature if isinstance(temperature, int | float) else 1.0,
            fitted_on=clips if isinstance(clips, int) else 0,
            temperatures=_by_speaker(stated.get("temperature_by_speaker"), speakers),
            speakers=speakers,
        ),
    }


def _by_speaker(stated: Any, speakers: Sequence[str | None]) -> Mapping[str, float] | None:
    """What is written down as each speaker's temperature; None where it is not one number for each who speaks."""
    known = isinstance(stated, Mapping) and {*speakers} <= {*stated}
    return stated if known and all(isinstance(value, int | float) for value in stated.values()) else None


def differences(anew: Any, written: Any, *, tolerance: float, key: str = "") -> Iterator[str]:
    """Every place where what is written down is not what was computed anew, in words.

    Args:
        anew: what was computed, as JSON would hold it.
        written: what is written down; what has no counterpart in either differs too.
        tolerance: how far numbers may lie apart, both relatively and absolutely.
        key: where both lie; empty at the top.
    """
    if isinstance(anew, Mapping) and isinstance(written, Mapping):
        for name in sorted({*anew, *written}):
            below = f"{key}.{name}" if key else str(name)
            yield from differences(anew.get(name), written.get(name), tolerance=tolerance, key=below)
    elif isinstance(anew, list | tuple) and isinstance(written, list) and len(anew) == len(written):
        for place, (one, other) in enumerate(zip(anew, written, strict=True)):
            yield from differences(one, other, tolerance=tolerance, key=f"{key}[{place}]")
    elif _number(anew) and _number(written):
        near = 0.0 if key.rpartition(".")[2] in _EXACT else tolerance
        if not math.isclose(anew, written, rel_tol=near, abs_tol=near):
            yield f"{key} is {written:.6g}, computed anew {anew:.6g}"
    elif anew != written:
        yield f"{key} is {_short(written)}, computed anew {_short(anew)}"


def _number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
