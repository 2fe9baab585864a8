"""The ranked table: scores with intervals, verdicts, costs, and what shared speakers would have made of the scores."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from sayso.errors import RunError
from sayso.metrics.intervals import speaker_interval
from sayso.runs.folder import RunFolder
from sayso.studies.comparison.contestants import Contestant
from sayso.studies.comparison.plan import Plan
from sayso.studies.comparison.verdicts import LEVEL, judge_pairs, least_reachable
from sayso.studies.trials.answers import Answers, read_answers
from sayso.studies.trials.folder import TRIALS
from sayso.studies.trials.trial import Trial
from sayso.system.files import read_json, write_csv, write_json
from sayso.system.progress import Progress
from sayso.system.wording import counted

__all__ = ["make_table", "name_limits", "score_row", "write_tables"]


def make_table(plan: Plan, folder: Path, progress: Progress) -> dict[str, Any]:
    """Make the table of a comparison whose trials are all finished.

    Args:
        plan: its trials.
        folder: of the comparison; exported models and what was measured on them are kept in it.
        progress: where to report.

    Returns:
        What `comparison.json` holds. All but `measured`, which are times, is the same whenever it is made anew.

    Raises:
        RunError: a trial is damaged.
        ModelError: a model cannot be exported.
    """
    trials = folder / TRIALS
    held = {
        contestant.name: read_answers([trial for trial in _of(plan, contestant) if trial.fold in plan.folds], trials)
        for contestant in plan.contestants
    }
    if len({answers.clips for answers in held.values()}) > 1:
        raise RunError(f"{folder}: its recipes were not tested on the same clips; remove trials, and start again")
    ranked = sorted(held, key=lambda name: (-float(held[name].mean.mean()), name))
    answers = {name: held[name] for name in ranked}
    contestants = {contestant.name: contestant for contestant in plan.contestants}
    costs = _costs([contestants[name] for name in ranked], plan, folder, progress)
    rows = [
        {"rank": rank, **_row(contestants[name], answers[name], plan, trials), **costs[name][0]}
        for rank, name in enumerate(ranked, 1)
    ]
    pairs = judge_pairs(answers)
    speakers = len(next(iter(answers.values())).by_speaker)
    return {
        "split": plan.split_label.partition(":")[0],
        "split_label": plan.split_label,
        "random_label": plan.random_label,
        "speakers_shared": plan.speakers_shared,
        "folds": len(plan.folds),
        "seeds": list(plan.seeds),
        "threads": plan.trials[0].threads,
        "clips": len(next(iter(answers.values())).clips),
        "speakers": speakers,
        "notes": [*plan.notes, *name_limits(speakers, len(pairs))],
        "recipes": rows,
        "pairs": [asdict(pair) | {"ci95": list(pair.ci95) if pair.ci95 else None} for pair in pairs],
        "measured": {name: costs[name][1] for name in ranked},
    }


def write_tables(table: Mapping[str, Any], folder: Path) -> None:
    """Write `comparison.json`, `ranking.csv`, `pairs.csv` and `speakers.csv`, each atomically."""
    write_json(folder / "comparison.json", table)
    labels = {key: table[key] for key in ("split_label", "random_label") if table[key]}
    ranking = [
        {key: value for key, value in _flat(row) if key not in ("by_speaker", "by_seed")}
        | table["measured"][row["recipe"]]
        | labels
        for row in table["recipes"]
    ]
    write_csv(folder / "ranking.csv", ranking)
    header = ("first", "second", "difference", "ci95_low", "ci95_high", "p", "p_corrected", "verdict")
    write_csv(folder / "pairs.csv", [dict(_flat(pair)) for pair in table["pairs"]], header=header)
    names = [row["recipe"] for row in table["recipes"]]
    speakers = [
        {"speaker": speaker} | {row["recipe"]: row["by_speaker"][speaker] for row in table["recipes"]}
        for speaker in table["recipes"][0]["by_speaker"]
    ]
    write_csv(folder / "speakers.csv", speakers, header=["speaker", *names])


def _of(plan: Plan, contestant: Contestant) -> list[Trial]:
    return [trial for trial in plan.trials if trial.recipe_name == contestant.name]


def score_row(name: str, answers: Answers) -> dict[str, Any]:
    """What the table says of the answers of one recipe, of that name."""
    by_speaker = answers.by_speaker
    known = None if None in answers.speakers else [*by_speaker.values()]  # else it would be of other clips
    interval = known and speaker_interval([hits for hits, _ in known], [total for _, total in known])
    return {
        "recipe": name,
        "accuracy": float(answers.mean.mean()),
        "speaker_ci95": list(interval) if interval else None,
        "seeds_deviation": _deviation(answers.by_seed),
        "by_seed": answers.by_seed,
        "by_speaker": {name: hits / total for name, (hits, total) in by_speaker.items()},
    }


def _row(contestant: Contestant, answers: Answers, plan: Plan, trials: Path) -> dict[str, Any]:
    row = score_row(contestant.name, answers)
    shared = [trial for trial in _of(plan, contestant) if trial.fold not in plan.folds]
    if shared:
        scores = [_accuracy(trials / trial.name) for trial in shared]
        random = statistics.fmean(scores)
        row |= {"random_split": random, "random_split_deviation": _deviation(scores), "gap": random - row["accuracy"]}
    return row


def _costs(
    contestants: Sequence[Contestant], plan: Plan, folder: Path, progress: Progress
) -> dict[str, tuple[dict[str, int], dict[str, float]]]:
    """By recipe: parameters and multiply-adds; and what was measured: seconds of a trial, milliseconds an answer."""
    costs: dict[str, tuple[dict[str, int], dict[str, float]]] = {}
    with progress.task("costs", total=len(contestants), unit="recipes") as task:
        for contestant in contestants:
            trials = _of(plan, contestant)
            seconds, cpu_seconds = _times([folder / TRIALS / trial.name for trial in trials])
            counts, milliseconds = _answer_costs(contestant, trials[0], folder)
            measured = {
                "training_seconds": seconds,
                "cpu_seconds": cpu_seconds,
                "milliseconds_an_answer": milliseconds,
            }
            costs[contestant.name] = counts, measured
            task.advance()
    return costs


def _answer_costs(contestant: Contestant, trial: Trial, folder: Path) -> tuple[dict[str, int], float]:
    """Count and measure once a recipe, as long as it and Sayso stay the same."""
    kept = folder / "models" / f"{contestant.name}.json"
    model = kept.with_suffix(".onnx")
    measured_on = {"trial": trial.values(), "sayso": version("sayso")}
    try:
        known = read_json(kept)
        if {key: known[key] for key in measured_on} == measured_on and model.is_file():
            return known["counts"], known["milliseconds_an_answer"]
    except (OSError, ValueError, KeyError, TypeError):
        pass  # never measured, or half written: once more
    from sayso.classifier.cost import count_multiply_adds
    from sayso.studies.comparison.costs import ANSWERS, exported, time_answer

    classifier = exported(RunFolder(folder / TRIALS / trial.name).weights, model, contestant.corpus)
    counts = {"parameters": classifier.parameters_count, "multiply_adds": count_multiply_adds(classifier)}
    clips = [np.array(contestant.corpus.samples[row]) for row in range(min(ANSWERS, len(contestant.corpus)))]
    milliseconds = round(time_answer(model, clips), 3)
    write_json(kept, measured_on | {"counts": counts, "milliseconds_an_answer": milliseconds})
    return counts, milliseconds


def name_limits(speakers: int, pairs: int) -> Iterator[str]:
    """Say where so few speakers do not allow so many pairs to be told apart."""
    if not pairs:
        return
    if speakers < 2:
        yield f"{counted(speakers, 'speaker is', 'speakers are')} known: nothing can be said of which recipe is better"
        return
    least = least_reachable(speakers, pairs)
    if least > LEVEL:
        enough = (more for more in range(speakers, 100) if least_reachable(more, pairs) <= LEVEL)
        needed = next(enough, None)
        ways = [f"it takes {needed} speakers"] if needed else []
        ways += ["compare fewer recipes"] if pairs > 1 else []
        yield (
            f"no verdicts: {speakers} speakers that all agreed would give a corrected p of {least:.2g} over "
            f"{counted(pairs, 'pair')}, and {LEVEL} is wanted; {', or '.join(ways)}"
        )


def _deviation(scores: Sequence[float]) -> float | None:
    return statistics.stdev(scores) if len(scores) > 1 else None


def _accuracy(folder: Path) -> float:
    return RunFolder(folder).metrics()["test"]["accuracy"]


def _times(folders: Sequence[Path]) -> tuple[float, float]:
    """Median of the trials' trainings by the clock, and of all that they did in processor time."""
    manifests = [RunFolder(folder).manifest() for folder in folders]
    medians = (statistics.median(each[key] for each in manifests) for key in ("training_seconds", "cpu_seconds"))
    seconds, cpu_seconds = (round(median, 2) for median in medians)
    return seconds, cpu_seconds


def _flat(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Intervals as two columns."""
    for key, value in row.items():
        if key.endswith("ci95"):
            low, high = value or (None, None)
            yield from ((f"{key}_low", low), (f"{key}_high", high))
        else:
            yield key, value
