"""Augmentations, each alone and all together: what held-out speakers get of them.

`python -m benchmarks.augmentations` trains the network of `recipes/fsdd/quick.yaml` on 100 clips of each of five
speakers of FSDD and tests it on the sixth, each speaker in turn: without any augmentation, with each one alone as it is
by default, with mixup, and with all augmentations. It prints a table in Markdown. Trainings are kept in `--runs` and
never done twice: what was stopped goes on, and another `--seeds` adds what is missing. Nothing is chosen by it.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from sayso.augment import AUGMENTATIONS
from sayso.data.splits.settings import LEAVE_ONE_OUT
from sayso.metrics.scores import paired_difference
from sayso.studies.comparison.plan import Plan, make_plan
from sayso.studies.trials.answers import Answers, read_answers
from sayso.studies.trials.folder import claimed
from sayso.studies.trials.run_trials import check_asked, run_trials
from sayso.system.progress import Progress
from sayso.system.wording import counted

BASE = Path(__file__).parents[1] / "recipes/fsdd/quick.yaml"
CLIPS, EPOCHS, MIXUP = 100, 25, 0.2
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
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time, a thread each")
    parser.add_argument("--runs", type=Path, default=Path("build/augmentations"))
    options = parser.parse_args()
    check_asked(seeds=options.seeds, jobs=options.jobs, threads=1, on="", out=options.runs)
    sources = _write_recipes(options.runs.with_name(f"{options.runs.name}-recipes"))
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
        print("\n".join(_table(_answers(plan, folder.trials), options.seeds)))


class _Lines(Progress):
    """Says what failed; how far it is, the folder of trials tells."""

    def note(self, text: str) -> None:
        print(text, flush=True)


def _write_recipes(folder: Path) -> dict[str, Path]:
    """Write a recipe for each row of the table; by name."""
    kinds = sorted((part.kind for part in AUGMENTATIONS), key=lambda kind: (*ORDER, kind).index(kind))
    rows: dict[str, dict[str, Any]] = {NONE: _recipe([])}
    rows |= {kind: _recipe([kind]) for kind in kinds}
    rows[MIXED] = _recipe([], mixup=MIXUP)
    rows[ON_CLIPS] = _recipe([kind for kind in kinds if kind != "surround"])
    rows[ALL] = _recipe(kinds)
    folder.mkdir(parents=True, exist_ok=True)
    for name, values in rows.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return {name: folder / f"{name}.yaml" for name in rows}


def _recipe(kinds: list[str], **training: Any) -> dict[str, Any]:
    return {
        "extends": str(BASE),
        "split": {"validation": "none", "train_clips_per_speaker": CLIPS},
        "augment": [{"kind": kind} for kind in kinds],
        "training": {"epochs": EPOCHS, "keep": "last", **training},
    }


def _answers(plan: Plan, trials: Path) -> dict[str, Answers]:
    names = [contestant.name for contestant in plan.contestants]
    return {name: read_answers([trial for trial in plan.trials if trial.recipe_name == name], trials) for name in names}


def _table(answers: Mapping[str, Answers], seeds: int) -> list[str]:
    plain = answers[NONE]
    lines = ["| augmentation | right | more than none | 95 % over speakers | worst speaker |", "|---|---|---|---|---|"]
    labels = {NONE: "none", MIXED: f"`training.mixup: {MIXUP}`", ON_CLIPS: "all but `surround`", ALL: "all"}
    for name, own in answers.items():
        more, limits = paired_difference(own.mean.tolist(), plain.mean.tolist(), own.speakers)
        shares = {speaker: hits / clips for speaker, (hits, clips) in own.by_speaker.items()}
        worst = min(shares, key=lambda speaker: shares[speaker])
        compared = " | "
        if name != NONE:
            compared = f"{100 * more:+.1f} | {100 * limits[0]:+.1f} to {100 * limits[1]:+.1f}"
        label = labels.get(name, f"`{name}`")
        lines.append(f"| {label} | {100 * own.mean.mean():.1f} | {compared} | {worst}, {100 * shares[worst]:.1f} |")
    return [f"{counted(len(plain.clips), 'clip')}, {counted(seeds, 'seed')}", "", *lines]


if __name__ == "__main__":
    main()
