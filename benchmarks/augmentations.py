"""Augmentations, each alone and all together: what held-out speakers get of them.

`python -m benchmarks.augmentations` trains the network of `recipes/fsdd/quick.yaml` on 100 clips of each of five
speakers of FSDD and tests it on the sixth, each speaker in turn: without any augmentation, with each one alone as it is
by default, with mixup, and with all augmentations; changed samples are those of eight copies of each clip. It prints a
table in Markdown, in which *learned* is the share of the training clips, as they were changed, that was right in the
last epoch: where it is low, `--epochs` were too few. Trainings are kept in `--runs` and never done twice: what was
stopped goes on, and another `--seeds` adds what is missing. Nothing is chosen by it.
"""

import argparse
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from sayso.augment import AUGMENTATIONS
from sayso.data.splits.settings import LEAVE_ONE_OUT
from sayso.metrics.scores import paired_difference
from sayso.runs.folder import RunFolder
from sayso.runs.log import read_log
from sayso.studies.comparison.plan import Plan, make_plan
from sayso.studies.trials.answers import Answers, read_answers
from sayso.studies.trials.folder import claimed
from sayso.studies.trials.run_trials import check_asked, run_trials
from sayso.system.progress import Progress

BASE = Path(__file__).parents[1] / "recipes/fsdd/quick.yaml"
CLIPS, COPIES, MIXUP = 100, 8, 0.2
NONE, MIXED, ON_CLIPS, ALL = "none", "mixup", "all_but_surround", "all"
# From the mouth to the model; parts that are not named come behind these.
ORDER = (
    *("vocal_tract", "pitch", "speed", "room", "time_shift", "surround", "noise"),
    *("equaliser", "gain", "clipping", "band_limit", "codec", "spec_augment"),
)


def main() -> None:
    """Train what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=100, help="of 8 steps each; another number needs other --runs")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time, a thread each")
    parser.add_argument("--runs", type=Path, default=Path("build/augmentations"))
    options = parser.parse_args()
    check_asked(seeds=options.seeds, jobs=options.jobs, threads=1, on="", out=options.runs)
    sources = _write_recipes(options.runs.with_name(f"{options.runs.name}-recipes"), options.epochs)
    plan = make_plan(
        list(sources.values()),
        overrides=(),
        folds=LEAVE_ONE_OUT,
        seeds=options.seeds,
        threads=1,
        gap=False,
        progress=Progress(),
    )
    named = {name: str(path) for name, path in sources.items()}
    with claimed(options.runs, folds=LEAVE_ONE_OUT, sources=named) as folder:
        run_trials(plan.trials, folder, jobs=options.jobs, on="", progress=_Lines())
        print(f"{len(plan.seeds)} x {len(plan.folds)} trainings of {options.epochs} epochs for each row\n")
        print("\n".join(_table(_read_answers(plan, folder.trials), _read_learned(plan, folder.trials))))


class _Lines(Progress):
    """Says what failed; how far it is, the folder of trials tells."""

    def note(self, text: str) -> None:
        print(text, flush=True)


def _write_recipes(folder: Path, epochs: int) -> dict[str, Path]:
    """Write a recipe for each row of the table; by name."""
    kinds = sorted((part.kind for part in AUGMENTATIONS), key=lambda kind: (*ORDER, kind).index(kind))
    rows: dict[str, dict[str, Any]] = {NONE: _recipe([], epochs=epochs)}
    rows |= {kind: _recipe([kind], epochs=epochs) for kind in kinds}
    rows[MIXED] = _recipe([], epochs=epochs, mixup=MIXUP)
    rows[ON_CLIPS] = _recipe([kind for kind in kinds if kind != "surround"], epochs=epochs)
    rows[ALL] = _recipe(kinds, epochs=epochs)
    folder.mkdir(parents=True, exist_ok=True)
    for name, values in rows.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return {name: folder / f"{name}.yaml" for name in rows}


def _recipe(kinds: list[str], **training: Any) -> dict[str, Any]:
    if any(AUGMENTATIONS.get(kind).works_on == "samples" for kind in kinds):
        training["copies"] = COPIES
    return {
        "extends": str(BASE),
        "split": {"validation": "none", "train_clips_per_speaker": CLIPS},
        "augment": [{"kind": kind} for kind in kinds],
        "training": {"keep": "last", **training},
    }


def _read_answers(plan: Plan, trials: Path) -> dict[str, Answers]:
    names = [contestant.name for contestant in plan.contestants]
    return {name: read_answers([trial for trial in plan.trials if trial.recipe_name == name], trials) for name in names}


def _read_learned(plan: Plan, trials: Path) -> dict[str, float]:
    """By name, the accuracy of the last epoch on what it trained on, as the mean of its trainings."""
    learned: dict[str, list[float]] = {}
    for trial in plan.trials:
        rows = [row for row in read_log(RunFolder(trials / trial.name).log) if row.set == "train"]
        learned.setdefault(trial.recipe_name, []).append(rows[-1].accuracy)
    return {name: statistics.fmean(shares) for name, shares in learned.items()}


def _table(answers: Mapping[str, Answers], learned: Mapping[str, float]) -> list[str]:
    plain = answers[NONE]
    header = "| augmentation | right | more than none | 95 % over speakers | worst speaker | learned |"
    lines = [header, "|---|---|---|---|---|---|"]
    labels = {NONE: "none", MIXED: f"`training.mixup: {MIXUP}`", ON_CLIPS: "all but `surround`", ALL: "all"}
    for name, own in answers.items():
        more, limits = paired_difference(own.mean.tolist(), plain.mean.tolist(), own.speakers)
        shares = {speaker: hits / clips for speaker, (hits, clips) in own.by_speaker.items()}
        worst = min(shares, key=lambda speaker: shares[speaker])
        compared = " | "
        if name != NONE:
            compared = f"{100 * more:+.1f} | {100 * limits[0]:+.1f} to {100 * limits[1]:+.1f}"
        label = labels.get(name, f"`{name}`")
        told = f"{worst}, {100 * shares[worst]:.1f} | {100 * learned[name]:.1f}"
        lines.append(f"| {label} | {100 * own.mean.mean():.1f} | {compared} | {told} |")
    return lines


if __name__ == "__main__":
    main()
