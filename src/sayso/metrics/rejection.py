"""When to believe an answer: risk against coverage, and unknown words told from known ones."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.metrics.intervals import MOST_LOG_ODDS, speaker_groups, speaker_interval, t_quantile, wilson_interval

__all__ = [
    "FALSE_REJECT_RATE",
    "auroc",
    "reject_threshold",
    "rejection",
    "risk_coverage",
    "share_of_clips",
    "threshold_for_right",
]

FALSE_REJECT_RATE = 0.05
"""Share of the clips of known words that a threshold may turn away."""
_RISK = 0.01
# The lowest few of 45 right answers say where a threshold should lie half as surely as the thresholds of other models.
_USUAL_ANSWERS = 100
_CURVE_POINTS = 100


def risk_coverage(right: NDArray[np.bool_], confidence: NDArray[np.float64]) -> dict[str, Any]:
    """How many answers are wrong among the surest ones, however many of those are taken.

    Source: Geifman & El-Yaniv (2017), "Selective classification for deep neural networks". Of clips with the same
    confidence each counts as its share of their errors, since nothing tells which comes first.

    Args:
        right: whether each clip's answer was right, (clips,), at least one.
        confidence: the probability of the answer, (clips,).

    Returns:
        `aurc` (mean risk over all coverages, 0 to 1), `coverage_at_1_percent_risk` (the largest share of clips that can
        be answered with at most 1 % of the answers wrong, by any threshold on the confidence; 0 when there is none) and
        `curve`, at most 100 rows of [coverage, risk], coverage rising.
    """
    order = np.argsort(-confidence, kind="stable")
    sure, wrong = confidence[order], (~right[order]).astype(np.float64)
    ends = np.append(np.flatnonzero(np.diff(sure)), len(sure) - 1)  # the last clip of each confidence
    starts = np.append(0, ends[:-1] + 1)
    shared = np.repeat(np.add.reduceat(wrong, starts) / (ends - starts + 1), ends - starts + 1)
    taken = np.arange(1, len(sure) + 1)
    risk = np.cumsum(shared) / taken
    allowed = ends[risk[ends] <= _RISK + 1e-12]
    shown = np.unique(np.linspace(0, len(sure) - 1, min(_CURVE_POINTS, len(sure))).round().astype(np.int64))
    return {
        "aurc": float(risk.mean()),
        "coverage_at_1_percent_risk": float(taken[allowed[-1]] / len(sure)) if len(allowed) else 0.0,
        "curve": [[round(float(taken[at] / len(sure)), 6), round(float(risk[at]), 6)] for at in shown],
    }


def auroc(
    known: NDArray[np.float64],
    unknown: NDArray[np.float64],
    *,
    known_speakers: Sequence[str | None],
    unknown_speakers: Sequence[str | None],
) -> tuple[float, tuple[float, float] | None]:
    """How often a clip of a known word has more confidence than one of an unknown word, ties counting half.

    The area under the receiver operating characteristic. Its interval is a t-interval on the log-odds over speakers
    (Obuchowski (1997), "Nonparametric analysis of clustered ROC curve data"), each speaker's part corrected for its own
    pull on its side's mean (HC2; MacKinnon & White 1985). Its degrees of freedom are those of the side with fewer
    speakers, and no more than twice (sum of squares)^2 / (sum of fourth powers), as for
    `speaker_intervals`. Its variance is at least that of Hanley & McNeil (1982) for clips on their own
    and an area to which one clip was added on both sides.

    Args:
        known: confidences of clips of known words, (clips,), at least one.
        unknown: confidences of clips of unknown words, at least one.
        known_speakers: who speaks each; one that is not known counts as a speaker of its own.
        unknown_speakers: the same of `unknown`.

    Returns:
        The area in [0, 1], and the lower and upper limit of its 95 % interval, None where either side has fewer than
        two speakers: one voice does not tell how voices differ.
    """
    above, below = _shares_beaten(known, unknown), 1 - _shares_beaten(unknown, known)
    area = float(above.mean())
    groups = speaker_groups([*known_speakers, *unknown_speakers])
    sides = ((groups[: len(known)], above), (groups[len(known) :], below))
    fewest = min(len(set(own.tolist())) for own, _ in sides)
    if fewest < 2:
        return area, None
    squares = np.square(sum(_pulls(own, wins - area, groups=int(groups.max()) + 1) for own, wins in sides))
    between = float(squares.sum())
    degrees = max(1.0, min(fewest - 1, 2 * between**2 / max(float(np.square(squares).sum()), 1e-300)))
    fewer = min(len(known), len(unknown))
    smooth = (area * fewer + 1) / (fewer + 2)
    deviation = math.sqrt(max(between, _variance_of_area(smooth, len(known), len(unknown))))
    spread = min(float(t_quantile(degrees)) * deviation / (smooth * (1 - smooth)), MOST_LOG_ODDS)
    centre = math.log(smooth / (1 - smooth))
    low, high = (1 / (1 + math.exp(-(centre + sign * spread))) for sign in (-1, 1))
    return area, (min(low, area), max(high, area))


def threshold_for_right(
    probabilities: NDArray[np.float64], targets: NDArray[np.int64], *, lost_share: float, usual: float | None = None
) -> float:
    """The highest threshold that turns away at most `lost_share` of the right answers; of wrong ones none is missed.

    Where a usual threshold counts beside them, few answers may be turned away more often, or more seldom, than that.

    Args:
        probabilities: of clips of known words, (clips, words), at least one clip.
        targets: index of the true word of each, (clips,).
        lost_share: 0 to 1, of the clips that are named rightly; where none is, of all.
        usual: a threshold, 0 to 1, that counts as much as the threshold of a hundred answers; None: these alone count.
    """
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == targets
    judged = confidence[right] if right.any() else confidence
    found = reject_threshold(judged, lost_share=lost_share)
    return found if usual is None else float(np.average((found, usual), weights=(len(judged), _USUAL_ANSWERS)))


# 0.29 of 100 clips are 29, and a hair less in floating point.
_SLACK = 1e-9


def reject_threshold(confidence: NDArray[np.float64], *, lost_share: float = FALSE_REJECT_RATE) -> float:
    """The highest threshold below which lies at most `lost_share` of these confidences, those of known words' clips."""
    return float(np.sort(confidence)[math.floor(lost_share * len(confidence) + _SLACK)])


def rejection(
    known: NDArray[np.float64],
    unknown: NDArray[np.float64],
    *,
    known_speakers: Sequence[str | None],
    unknown_speakers: Sequence[str | None],
    threshold: float,
) -> dict[str, Any]:
    """How well confidence tells known words from unknown ones.

    Args:
        known: confidences of test clips of known words, (clips,); rightly recognised or not.
        unknown: confidences of clips of unknown words.
        known_speakers: who speaks each, None where not known.
        unknown_speakers: the same of `unknown`.
        threshold: answers of less confidence are rejected, see `reject_threshold`.

    Returns:
        What `metrics.json` holds under `rejection`: `auroc`; `threshold`, and `false_reject` and `false_accept` at it;
        `curve`, at most 100 rows of [false-reject rate, false-accept rate], one for each of many thresholds; and
        `false_accept_rate_at_5_percent`, of the threshold that these known clips themselves would ask for: to compare
        models by, not to ship.
    """
    area, interval = auroc(known, unknown, known_speakers=known_speakers, unknown_speakers=unknown_speakers)
    return {
        "auroc": area,
        "auroc_ci95": list(interval) if interval else None,
        "threshold": threshold,
        "false_reject": share_of_clips(known < threshold, known_speakers),
        "false_accept": share_of_clips(unknown >= threshold, unknown_speakers),
        "false_accept_rate_at_5_percent": float(np.mean(unknown >= reject_threshold(known))),
        "curve": _trade(known, unknown),
    }


def share_of_clips(counted: NDArray[np.bool_], speakers: Sequence[str | None]) -> Mapping[str, Any]:
    """The share of clips for which something holds: `rate`, `ci95` over clips, `speaker_ci95` over speakers, and `n`.

    Args:
        counted: for which clips it holds, (clips,), at least one.
        speakers: who speaks each; where that is not known of all there is no interval over speakers.
    """
    tally: dict[str, tuple[int, int]] = {}
    for hit, speaker in zip(counted.tolist(), speakers, strict=True):
        if speaker is not None:
            hits, clips = tally.get(speaker, (0, 0))
            tally[speaker] = hits + int(hit), clips + 1
    known = None not in speakers
    over_speakers = speaker_interval(*zip(*tally.values(), strict=True)) if known else None
    return {
        "rate": float(counted.mean()),
        "ci95": list(wilson_interval(int(counted.sum()), len(counted))),
        "speaker_ci95": list(over_speakers) if over_speakers else None,
        "n": len(counted),
    }


def _pulls(own: NDArray[np.int64], distances: NDArray[np.float64], *, groups: int) -> NDArray[np.float64]:
    """What each speaker's clips of one side add to the mean of its distances, corrected for its weight; (groups,)."""
    weight = np.bincount(own, minlength=groups) / len(own)
    return np.bincount(own, weights=distances, minlength=groups) / len(own) / np.sqrt(1 - weight)


def _shares_beaten(values: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each value the share of `others` below it, ties counting half."""
    ranked = np.sort(others)
    return (np.searchsorted(ranked, values, "left") + np.searchsorted(ranked, values, "right")) / (2 * len(others))


def _trade(known: NDArray[np.float64], unknown: NDArray[np.float64]) -> list[list[float]]:
    thresholds = np.append(np.unique(np.concatenate((known, unknown))), np.inf)
    rejected = np.searchsorted(np.sort(known), thresholds, "left") / len(known)
    accepted = 1 - np.searchsorted(np.sort(unknown), thresholds, "left") / len(unknown)
    shown = np.unique(np.linspace(0, len(thresholds) - 1, min(_CURVE_POINTS, len(thresholds))).round().astype(np.int64))
    return [[round(float(rejected[at]), 6), round(float(accepted[at]), 6)] for at in shown]


def _variance_of_area(area: float, known: int, unknown: int) -> float:
    """Hanley & McNeil (1982), "The meaning and use of the area under a ROC curve", equation 1."""
    first, second = area / (2 - area), 2 * area**2 / (1 + area)
    odd = area * (1 - area)
    return (odd + (known - 1) * (first - area**2) + (unknown - 1) * (second - area**2)) / (known * unknown)
