"""Which recipes differ, by their speakers: paired tests, corrected for their number, and what they cannot tell."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sayso.metrics.scores import paired_difference
from sayso.studies.trials.answers import Answers
from sayso.system.wording import counted

__all__ = ["LEVEL", "Pair", "holm", "judge_pairs", "least_reachable", "name_nameless", "sign_flip_p"]

LEVEL = 0.05
_EXACT_SPEAKERS = 16
_DRAWS = 100_000
_CHUNK = 1_000

Verdict = Literal["better", "not told apart", "no verdict"]


@dataclass(frozen=True)
class Pair:
    """Two recipes on the same clips."""

    first: str
    """The one with the higher accuracy on clips whose speakers are known; as ranked where that is equal."""
    second: str
    difference: float
    """Accuracy of the first less that of the second, -1 to 1."""
    ci95: tuple[float, float] | None
    """Its interval over speakers; None with fewer than two of them."""
    p: float | None
    """Of the sign-flip test; None without speakers."""
    p_corrected: float | None
    """By Holm, over all pairs."""
    verdict: Verdict


def judge_pairs(ranked: Mapping[str, Answers]) -> list[Pair]:
    """Test every pair of recipes.

    Only clips whose speaker is known count. Where so few speakers could not give a corrected p of 0.05 or less,
    whatever they said, there is no verdict; clips never stand in for speakers.

    Args:
        ranked: name to answers on the same clips, the best first.

    Returns:
        Each pair once.
    """
    names = list(itertools.combinations(ranked, 2))
    if not names:
        return []
    known = [place for place, speaker in enumerate(next(iter(ranked.values())).speakers) if speaker is not None]
    speakers = [next(iter(ranked.values())).speakers[place] for place in known]
    count = len(set(speakers))
    if count < 2:
        gains = [float((ranked[one].mean - ranked[two].mean).mean()) for one, two in names]
        return [Pair(*pair, gain, None, None, None, "no verdict") for pair, gain in zip(names, gains, strict=True)]
    # Ranked are all clips, tested those of known speakers, on which the order may be another.
    names = [
        (two, one) if ranked[two].mean[known].sum() > ranked[one].mean[known].sum() else (one, two)
        for one, two in names
    ]
    tested = [_tested(ranked[one].mean[known], ranked[two].mean[known], speakers) for one, two in names]
    corrected = holm([p for _, _, p in tested])
    possible = least_reachable(count, len(names)) <= LEVEL
    return [
        Pair(*pair, difference, interval, p, whole, _verdict(whole, possible))
        for pair, (difference, interval, p), whole in zip(names, tested, corrected, strict=True)
    ]


def name_nameless(speakers: Sequence[str | None]) -> Iterator[str]:
    """Say what it costs that clips name no speaker; `speakers` are those of all clips."""
    if nameless := speakers.count(None):
        some = counted(nameless, "clip names no speaker", "clips name no speaker")
        told = "no clip names its speaker" if nameless == len(speakers) else some
        yield f"{told}: verdicts rest on known speakers alone, and scores have no interval over speakers"


def least_reachable(speakers: int, pairs: int) -> float:
    """The smallest corrected p that so many speakers can give when they all agree.

    >>> least_reachable(6, 1), least_reachable(6, 28)
    (0.03125, 0.875)
    """
    alone = max(2.0 ** (1 - speakers), 1 / (_DRAWS + 1) if speakers > _EXACT_SPEAKERS else 0.0)
    return min(1.0, pairs * alone)


def sign_flip_p(gains: Sequence[float]) -> float:
    """Two-sided p of a sign-flip permutation test: were the two recipes the same, each gain could as well be a loss.

    All signs are tried for up to 16 speakers; for more, 100,000 are drawn, always the same, and the observed signs
    count as one of them (Phipson & Smyth (2010), "Permutation p-values should never be zero").

    Args:
        gains: of each speaker: right answers of one recipe less those of the other, means over seeds.

    >>> sign_flip_p([1.0, 2.0, 1.0, 3.0])
    0.125
    """
    wide = np.asarray(gains, dtype=np.float64)
    limit = abs(float(wide.sum())) - 1e-9 * float(np.abs(wide).sum() + 1)
    if len(wide) <= _EXACT_SPEAKERS:
        patterns = np.arange(2 ** len(wide))[:, None] >> np.arange(len(wide)) & 1
        return float((np.abs(_flipped(patterns, wide)) >= limit).mean())
    rng = np.random.default_rng(0)
    as_far = 1
    for _ in range(_DRAWS // _CHUNK):
        patterns = rng.integers(0, 2, (_CHUNK, len(wide)), dtype=np.int8)
        as_far += int((np.abs(_flipped(patterns, wide)) >= limit).sum())
    return as_far / (_DRAWS + 1)


def holm(values: Sequence[float]) -> list[float]:
    """Correct p-values for how many there are.

    Source: S. Holm (1979), "A simple sequentially rejective multiple test procedure".

    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    corrected = [0.0] * len(values)
    highest = 0.0
    for place, index in enumerate(sorted(range(len(values)), key=lambda index: values[index])):
        highest = max(highest, min(1.0, (len(values) - place) * values[index]))
        corrected[index] = highest
    return corrected


def _tested(
    first: NDArray[np.float64], second: NDArray[np.float64], speakers: Sequence[str | None]
) -> tuple[float, tuple[float, float], float]:
    difference, interval = paired_difference(first.tolist(), second.tolist(), speakers)
    place = {speaker: index for index, speaker in enumerate(dict.fromkeys(speakers))}
    gains = np.bincount([place[speaker] for speaker in speakers], weights=first - second)
    return difference, interval, sign_flip_p(gains.tolist())


def _flipped(patterns: NDArray[np.integer], gains: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums of the gains with the signs of each pattern of 0 and 1, (patterns,)."""
    return gains.sum() - 2 * (patterns @ gains)


def _verdict(corrected: float, possible: bool) -> Verdict:
    if not possible:
        return "no verdict"
    return "better" if corrected <= LEVEL else "not told apart"
