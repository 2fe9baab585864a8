"""What the intervals cover, by simulation: without arguments it simulates, and writes `intervals.md` anew.

The numbers are kept in `interval_coverage.json`, the words in `intervals.md.j2`. With --check nothing is written: it
fails when the page is not made of them, or when some cells that are simulated again have come to cover anything else.
"""

import argparse
import itertools
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import jinja2
import numpy as np
from numpy.typing import NDArray

from sayso.metrics.intervals import speaker_intervals, wilson_interval
from sayso.system.files import write_json, write_text

__all__ = ["CORPORA", "HARD", "USUAL", "Cell", "main", "page_text", "simulated"]

HERE = Path(__file__).parent
NUMBERS, PAGE, TEMPLATE = HERE / "interval_coverage.json", HERE / "intervals.md", HERE / "intervals.md.j2"
CORPORA = 1000
_SEED = 5
_CHECKED_AGAIN = 12
_MOST_MOVED = 0.0025
_UNEQUAL_DEVIATION = 0.7  # of the logarithm of the number of clips: the largest of 20 speakers has some 12 x the least
_KINDS = ("beta", "logit-normal")
Corpora = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class Cell:
    """One kind of corpus: speakers whose true accuracies are drawn around a mean, each with some clips."""

    speakers: int
    clips: int
    """Of each speaker, or on average."""
    accuracy: float
    """Mean true accuracy over all speakers that there could be."""
    kind: Literal["beta", "logit-normal"]
    spread: float
    """Of beta: the correlation of two clips of one speaker. Of logit-normal: the deviation of the log-odds."""
    unequal: bool
    """Whether speakers have different numbers of clips (log-normal)."""

    def corpora(self, count: int) -> Corpora:
        """Right answers and clips of each speaker, both (count, speakers); always the same ones."""
        place = (self.speakers, self.clips, round(1000 * self.accuracy), _KINDS.index(self.kind))
        rng = np.random.default_rng((_SEED, *place, round(1000 * self.spread), int(self.unequal)))
        shape = (count, self.speakers)
        clips = np.full(shape, self.clips)
        if self.unequal:
            sizes = self.clips * np.exp(_UNEQUAL_DEVIATION * rng.standard_normal(shape) - _UNEQUAL_DEVIATION**2 / 2)
            clips = np.maximum(1, np.round(sizes)).astype(np.int64)
        return rng.binomial(clips, self._accuracies(rng, shape)), clips

    def _accuracies(self, rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float64]:
        if self.kind == "beta":
            weight = (1 - self.spread) / self.spread
            return rng.beta(self.accuracy * weight, (1 - self.accuracy) * weight, shape)
        return _sigmoid(_middle(self.accuracy, self.spread) + self.spread * rng.standard_normal(shape))


def _cells(
    speakers: Sequence[int], clips: Sequence[int], accuracies: Sequence[float], spreads: Sequence[tuple[str, float]]
) -> tuple[Cell, ...]:
    sizes = (False, True)
    return tuple(
        Cell(people, many, accuracy, kind, spread, unequal)  # type: ignore[arg-type]
        for people, many, accuracy, (kind, spread), unequal in itertools.product(
            speakers, clips, accuracies, spreads, sizes
        )
    )


USUAL = _cells(
    (6, 20, 60, 200, 600),
    (20, 50),
    (0.7, 0.8, 0.9, 0.95, 0.99),
    (("beta", 0.02), ("beta", 0.05), ("logit-normal", 0.5), ("logit-normal", 1.0)),
)
"""Corpora as tests of words are: what the interval has to hold for."""
HARD = _cells((6, 20, 60, 200), (50, 200), (0.97, 0.99), (("beta", 0.1), ("logit-normal", 1.5)))
"""Corpora in which nearly everybody is understood always and a few hardly ever."""


def simulated(cell: Cell, *, corpora: int = CORPORA) -> dict[str, Any]:
    """Simulate corpora of one kind: the share of them whose interval holds the true mean accuracy, by method."""
    hits, clips = cell.corpora(corpora)
    low, high = speaker_intervals(hits, clips).T
    sums = zip(hits.sum(axis=1).tolist(), clips.sum(axis=1).tolist(), strict=True)
    alone = np.array([wilson_interval(right, total) for right, total in sums])
    return asdict(cell) | {
        "over_speakers": float(np.mean((low <= cell.accuracy) & (cell.accuracy <= high))),
        "over_clips": float(np.mean((alone[:, 0] <= cell.accuracy) & (cell.accuracy <= alone[:, 1]))),
        "width_points": round(100 * float(np.median(high - low)), 2),
    }


def page_text(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """The page as it must be for these numbers."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    usual, hard = rows["usual"], rows["hard"]
    return template.render(
        corpora=CORPORA,
        cells=len(usual),
        usual=list(_ranges(usual, ("speakers", "accuracy"))),
        hard=list(_ranges(hard, ("speakers", "accuracy"))),
        outside=[row for row in usual if not _wanted(row)[0] <= round(row["over_speakers"], 4) <= _wanted(row)[1]],
        percent=_percent,
    )


def _ranges(rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Lowest, mean and highest coverage of both methods over all cells that agree in `keys`."""
    for values in dict.fromkeys(tuple(row[key] for key in keys) for row in rows):
        own = [row for row in rows if tuple(row[key] for key in keys) == values]
        facts = {
            method: {"least": min(shares), "mean": float(np.mean(shares)), "most": max(shares)}
            for method in ("over_speakers", "over_clips")
            for shares in [[row[method] for row in own]]
        }
        yield dict(zip(keys, values, strict=True)) | facts


def _wanted(row: Mapping[str, Any]) -> tuple[float, float]:
    return (0.90, 0.98) if row["speakers"] < 20 else (0.93, 0.97)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _sigmoid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-values))


def _middle(accuracy: float, deviation: float) -> float:
    """The middle of the log-odds for which the mean accuracy is what it is to be, by halving."""
    at = np.linspace(-9, 9, 2001)
    weights = np.exp(-np.square(at) / 2)
    low, high = -20.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        mean = float((weights * _sigmoid(middle + deviation * at)).sum() / weights.sum())
        low, high = (middle, high) if mean < accuracy else (low, middle)
    return middle


def _stale(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page_text(rows):
        yield f"{PAGE.name} is not made of {NUMBERS.name}"
    cells = {"usual": USUAL, "hard": HARD}
    for name, wanted in cells.items():
        if [Cell(**{key: row[key] for key in Cell.__dataclass_fields__}) for row in rows[name]] != list(wanted):
            yield f"{NUMBERS.name} has other cells ({name})"
            return
    for index in np.linspace(0, len(USUAL) - 1, _CHECKED_AGAIN).astype(int):
        again, kept = simulated(USUAL[index]), rows["usual"][index]
        # Another processor's last bits may move a corpus or two across the border.
        if any(abs(again[method] - kept[method]) > _MOST_MOVED for method in ("over_speakers", "over_clips")):
            yield f"the interval covers something else by now: {USUAL[index]}"


def main(arguments: Iterable[str]) -> int:
    """Write numbers and page, or check them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args(list(arguments)).check
    if check:
        stale = list(_stale(json.loads(NUMBERS.read_text(encoding="utf-8"))))
        for line in stale:
            print(f"stale: {line}; run `python docs/interval_coverage.py` and commit")
        return int(bool(stale))
    rows = {"usual": [simulated(cell) for cell in USUAL], "hard": [simulated(cell) for cell in HARD]}
    write_json(NUMBERS, rows)
    write_text(PAGE, page_text(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
