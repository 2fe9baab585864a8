"""Rows of the page of results: facts and published figures as the text of cells."""

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from measured import settings_text

from sayso.metrics.intervals import mean_interval

__all__ = ["compared_line", "contest_lines", "lines_of", "names_of", "percent", "span"]

Facts = dict[str, Any]

# What a contest's entry holds beside what its sides took, which stands under its unit.
_OF_EVERY_CONTEST = {"title", "figures", "targets", "missed", "notes"}
_ROUND_FROM = 1000


def names_of(row: Mapping[str, Any]) -> dict[str, str]:
    """The recipes of a row by fold; a row without folds has one, without a name."""
    return row["folds"] if "folds" in row else {"": row["recipe"]}


def lines_of(row: Mapping[str, Any], runs: Sequence[Facts]) -> Iterator[dict[str, str]]:
    """One line for each set of settings that a row's recipes were run with, and one that says so if they were not."""
    names = names_of(row)
    mine = [facts for facts in runs if facts["recipe"] in names.values()]
    wanted = sorted({json.dumps(facts["settings"], sort_keys=True) for facts in mine}) or ["{}"]
    for text in wanted:
        settings = json.loads(text)
        line = {"what": row["what"], "published": row["published"], "source": row["source"], "reach": ""}
        line |= {"ours": "not run yet", "train": "", "epochs": "", "minutes": "", "machine": ""}
        fold, recipe = next(iter(names.items()))
        path = f"recipes/{recipe}.yaml".replace(f"-{fold}.yaml", "-SPEAKER.yaml") if fold else f"recipes/{recipe}.yaml"
        line["command"] = f"sayso train {path}{settings_text(settings)}"
        yield line | measured_cells(row, names, [facts for facts in mine if facts["settings"] == settings])


def measured_cells(row: Mapping[str, Any], names: Mapping[str, str], runs: Sequence[Facts]) -> dict[str, str]:
    """The cells that come from runs; seeds count that every fold was run with."""
    by_fold = {fold: {f["seed"]: f for f in runs if f["recipe"] == name} for fold, name in names.items()}
    seeds = sorted(set.intersection(*(set(by_seed) for by_seed in by_fold.values())))
    used = [by_seed[seed] for by_seed in by_fold.values() for seed in seeds]
    if not seeds:
        return {}
    means = [statistics.fmean(by_seed[seed]["test"]["accuracy"] for by_seed in by_fold.values()) for seed in seeds]
    ours = f"**{percent(statistics.fmean(means))}**{_doubt(means, seeds, used)}"
    if len(names) > 1:
        folds = [
            f"{fold} {percent(statistics.fmean(by_seed[seed]['test']['accuracy'] for seed in seeds))}"
            for fold, by_seed in by_fold.items()
        ]
        ours += f"; {', '.join(folds)}"
    # Facts of older runs do not say it; the row's own words do.
    if labels := sorted({facts["split"] for facts in used if facts.get("split")}):
        ours += f"; {', '.join(labels)}"
    cells = {
        "ours": ours,
        "train": percent(statistics.fmean(facts["train_accuracy"] for facts in used)),
        "epochs": span([facts["epochs"] for facts in used]),
        "minutes": span([facts["minutes"] for facts in used]),
        "machine": "; ".join(sorted({facts["machine"] for facts in used})),
    }
    if "reach" in row:
        verdict = "reached" if 100 * statistics.fmean(means) >= row["reach"] - 1e-9 else "missed"
        cells["reach"] = f"{row['reach']:g}, {verdict}"
    return cells


def _doubt(means: Sequence[float], seeds: Sequence[int], used: Sequence[Facts]) -> str:
    """How far the mean is to be trusted: by seeds where there are several, and by the speakers or clips tested."""
    tested = "" if len(used) > len(seeds) else f"; {_over_speakers(used)}"
    if limits := mean_interval(means):
        return f" ± {percent((limits[1] - limits[0]) / 2)} ({len(seeds)} seeds{tested})"
    return f" (seed {seeds[0]} alone{tested})"


def _over_speakers(used: Sequence[Facts]) -> str:
    tests = [facts["test"] for facts in used]
    by_speaker = all(test["speaker_accuracy_ci95"] for test in tests)
    limits = [test["speaker_accuracy_ci95"] if by_speaker else test["accuracy_ci95"] for test in tests]
    low, high = (percent(statistics.fmean(ends)) for ends in zip(*limits, strict=True))
    tested = f"{tests[0]['speakers']} speakers" if by_speaker else f"{tests[0]['n']} clips"
    return f"{low} to {high} over {tested}"


def compared_line(entry: Mapping[str, Any]) -> dict[str, str]:
    """One line of the table of comparisons."""
    first, second = (name.rpartition("/")[2] for name in entry["recipes"])
    low, high = entry["ci95"]
    better = first if low > 0 else second if high < 0 else ""
    return {
        "first": first + settings_text(entry["settings"]),
        "second": second,
        "difference": f"{100 * entry['difference']:+.2f}",
        "interval": f"{100 * low:+.2f} to {100 * high:+.2f}",
        "on": f"{entry['n']:,} clips, {entry['speakers']:,} speakers",
        "seeds": ", ".join(map(str, entry["seeds"])),
        "verdict": f"{better} is better" if better else "no telling",
    }


def contest_lines(held: Mapping[str, Any]) -> dict[str, Any]:
    """One contest of the benchmarks: what the sides took, and the figures with their aims."""
    unit = next(key for key in held if key not in _OF_EVERY_CONTEST)
    taken = held[unit]
    figures: list[str] = []
    for name, value in held["figures"].items():
        aim = (
            f" (aim {held['targets'][name]}{', missed' * (name in held['missed'])})" if name in held["targets"] else ""
        )
        figures.append(f"{name}: {value:.2f}{aim}")
    shown = "s" if unit == "seconds" else unit
    sides = ", ".join(
        f"{side} {value:{'.3g' if value < _ROUND_FROM else ',.0f'}} {shown}" for side, value in taken.items()
    )
    return {"title": held["title"], "sides": sides, "figures": figures}


def percent(share: float) -> str:
    """A share in per cent, two digits.

    >>> percent(0.9933)
    '99.33'
    """
    return f"{100 * share:.2f}"


def span(numbers: Sequence[float]) -> str:
    """One number, or the least and the most.

    >>> span([1.52, 0.9]), span([50, 50])
    ('0.9 to 1.5', '50')
    """
    shown = [f"{number:.1f}" if isinstance(number, float) else str(number) for number in (min(numbers), max(numbers))]
    return shown[0] if shown[0] == shown[1] else " to ".join(shown)
