"""Scores at every size, the curves through them and their answers, as JSON and CSV hold them."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from sayso.errors import RunError
from sayso.studies.learning_curve.most import tell_most
from sayso.studies.learning_curve.plan import Plan
from sayso.studies.learning_curve.sizes import Axis
from sayso.studies.learning_curve.verdict import judge, tell_answers
from sayso.studies.trials.answers import Answers, read_answers
from sayso.system.files import write_csv, write_json

__all__ = ["make_table", "write_tables"]


def make_table(plan: Plan, trials: Path) -> dict[str, Any]:
    """Make the table of curves whose trials are all finished.

    Args:
        plan: the trials.
        trials: where their folders lie.

    Returns:
        What `learning-curve.json` holds; errors and accuracies are 0 to 1.

    Raises:
        RunError: a trial is damaged, or was tested on other clips.
    """
    answers = {key: read_answers(own, trials) for key, own in plan.trials.items()}
    first = next(iter(answers.values()))
    if any(other.clips != first.clips for other in answers.values()):
        raise RunError(f"{trials}: not all were tested on the same clips; remove that folder, and start again")
    units = _units(first.speakers)
    words = Counter(label for *_, label in first.clips)
    guessing = 1 - max(words.values()) / len(first.clips)
    axes = [_axis(axis, [answers[axis.name, size] for size in axis.sizes], units, guessing) for axis in plan.axes]
    return {
        "recipe": plan.name,
        "source": str(Path(plan.source).resolve()),
        "split": plan.split.kind,
        "speakers_shared": plan.split.speakers_shared,
        "test_clips": len(first.clips),
        "test_speakers": len(first.by_speaker),
        "intervals_over": "speakers" if len(first.by_speaker) > 1 else "clips",
        "guessing": 1 - guessing,
        "seeds": len(first.right),
        "threads": plan.different[0].threads,
        "notes": list(plan.notes),
        "most": tell_most(axes),
        "axes": axes,
    }


def write_tables(table: Mapping[str, Any], folder: Path) -> tuple[Path, Path]:
    """Write `learning-curve.json` and `learning-curve.csv`, each atomically."""
    files = folder / "learning-curve.json", folder / "learning-curve.csv"
    write_json(files[0], table)
    rows = [
        {
            "axis": axis["axis"],
            "size": point["size"],
            "mean_size": point["mean_size"],
            "accuracy": point["accuracy"],
            "ci95_low": point["ci95"][0],
            "ci95_high": point["ci95"][1],
        }
        for axis in table["axes"]
        for point in axis["points"]
    ]
    write_csv(files[1], rows)
    return files


def _axis(axis: Axis, answers: Sequence[Answers], units: Sequence[str], guessing: float) -> dict[str, Any]:
    curve = judge(axis.means, 1 - np.stack([each.right for each in answers]), units, guessing=guessing)
    points = [
        {
            "size": size,
            "mean_size": mean,
            "accuracy": 1 - error,
            "ci95": [max(0.0, 1 - high), 1 - low],
            "by_seed": each.by_seed,
        }
        for size, mean, error, (low, high), each in zip(
            axis.sizes, axis.means, curve.errors, curve.ci95, answers, strict=True
        )
    ]
    fitted = {key: value for key, value in asdict(curve).items() if key not in ("errors", "ci95")}
    return {
        "axis": axis.name,
        "unit": axis.unit,
        "points": points,
        **_finite(fitted),
        "answers": list(tell_answers(curve, axis.means, axis.unit)),
    }


def _units(speakers: Sequence[str | None]) -> list[str]:
    """What is drawn anew: speakers, and each clip that names none; all clips where there are no two speakers."""
    if len(set(speakers) - {None}) < 2:
        return [f"clip {place}" for place in range(len(speakers))]
    return [f"clip {place}" if speaker is None else f"speaker {speaker}" for place, speaker in enumerate(speakers)]


def _finite(value: Any) -> Any:
    """The same with null for infinite, which JSON cannot write."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and math.isinf(value) else value
