"""What finished runs say, as a few numbers each: which shipped recipe, how it scored, what it cost, on what machine.

The runs themselves are too large to keep; `measured.json` keeps these facts, and `results.py` makes the page of them.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sayso.config.overrides import load_yaml, merge
from sayso.config.schema import dump
from sayso.errors import RunError, SettingsError
from sayso.metrics.intervals import speaker_interval
from sayso.metrics.scores import paired_difference
from sayso.recipe.recipe import Recipe, read_kept_recipe, read_recipe
from sayso.runs.folder import RunFolder
from sayso.runs.predictions import read_predictions
from sayso.system.files import digest
from sayso.system.wording import counted, path_tail

__all__ = [
    "ROOT",
    "compared",
    "current_hash",
    "facts_of",
    "find_runs",
    "kept_keys",
    "keys_of",
    "merged",
    "recipe_paths",
    "settings_text",
    "shipped",
]

ROOT = Path(__file__).parent.parent
Facts = dict[str, Any]
# Where and how it ran. A row shows these, they make no other recipe of it.
_MACHINE = {f"training.{key}" for key in ("seed", "device", "threads", "precision", "track", "track_to")}
_ABOUT_TEST = ("accuracy", "accuracy_ci95", "n", "speakers")


def shipped() -> dict[str, dict[str, Any]]:
    """Every recipe that comes with Sayso: its name and all its keys."""
    return {name: keys_of(path) for name, path in recipe_paths().items()}


def recipe_paths() -> dict[str, Path]:
    """Every recipe that comes with Sayso: its name, such as `origins/fsdd-scattering`, and its file."""
    paths = sorted(path for path in (ROOT / "recipes").rglob("*.yaml") if path.name != "base.yaml")
    return {path.relative_to(ROOT / "recipes").with_suffix("").as_posix(): path for path in paths}


def current_hash(path: Path) -> str:
    """SHA-256 of what a recipe, those it extends and its teacher's write down.

    Keys that Sayso gains later do not change it.
    """
    return digest(_written(path))


def find_runs(folders: Iterable[Path]) -> list[RunFolder]:
    """Every run at or below these folders, in order of their paths, without teachers that lie in their students' runs.

    Raises:
        RunError: there is none at or below one of them.
    """
    found: set[Path] = set()
    for folder in folders:
        below = {file.parent for file in folder.rglob("recipe.yaml") if not _is_teacher(file.parent)}
        if not below:
            raise RunError(f"{folder}: no run there, nor below it")
        found |= below
    return [RunFolder(path) for path in sorted(found)]


def _is_teacher(folder: Path) -> bool:
    student = RunFolder(folder.parent)
    return folder == student.teacher.path and student.recipe.is_file()


def facts_of(run: RunFolder, recipes: Mapping[str, Mapping[str, Any]]) -> Facts:
    """The facts of one run.

    Raises:
        RunError: it has not finished, or is of no shipped recipe, even with other settings for training.
    """
    name, settings = _recognised(run, recipes)
    if not run.finished:
        raise RunError(f"{run.path}: not finished")
    metrics, manifest = run.metrics(), run.manifest()
    speakers = metrics["test"]["per_speaker"].values()
    hits = [round(speaker["accuracy"] * speaker["n"]) for speaker in speakers]
    return {
        "recipe": name,
        "settings": settings,
        "seed": manifest["seed"],
        "test": {key: metrics["test"][key] for key in _ABOUT_TEST}
        | {"speaker_accuracy_ci95": speaker_interval(hits, [speaker["n"] for speaker in speakers])},
        "split": run.split_label(),
        "train_accuracy": metrics["train"]["accuracy"],
        "parameters": metrics["parameters"],
        "clips": manifest["clips"],
        "epochs": manifest["epochs"],
        # A run that was stopped knows how long it trained in all, and how long its last session was.
        "minutes": round(max(manifest["duration_seconds"], manifest["training_seconds"]) / 60, 2),
        "machine": _machine(manifest),
        "created": manifest["created"],
        "versions": {key: manifest["versions"][key] for key in ("sayso", "torch")},
        "recipe_hash": current_hash(recipe_paths()[name]),
    }


def merged(old: Iterable[Facts], new: Iterable[Facts]) -> list[Facts]:
    """Old facts and new ones in order; of one recipe, settings and seed the run that was begun last counts."""
    latest: dict[tuple[Any, ...], Facts] = {}
    for facts in sorted((*old, *new), key=lambda facts: facts["created"]):
        latest[facts["recipe"], json.dumps(facts["settings"], sort_keys=True), facts["seed"]] = facts
    return [latest[key] for key in sorted(latest)]


def compared(pairs: Iterable[Sequence[str]], runs: Iterable[tuple[RunFolder, Facts]]) -> list[dict[str, Any]]:
    """Paired differences in test accuracy of two recipes, wherever runs of both are among `runs`.

    Runs are compared that differ from their recipes by the same settings, were trained at one precision and have the
    same test clips; what each clip counts is the mean over seeds.
    """
    by_recipe: dict[tuple[str, str], dict[int, RunFolder]] = defaultdict(dict)
    for run, facts in sorted(runs, key=lambda item: item[1]["created"]):
        by_recipe[facts["recipe"], json.dumps(facts["settings"], sort_keys=True)][facts["seed"]] = run
    found: list[dict[str, Any]] = []
    for first, second in pairs:
        for settings in sorted({settings for name, settings in by_recipe if name == first}):
            one, two = by_recipe[first, settings], by_recipe.get((second, settings), {})
            seeds = sorted(one.keys() & two.keys())
            if not seeds or not _same_precision([side[seed] for side in (one, two) for seed in seeds]):
                continue
            mine, other = (_mean_right([side[seed] for seed in seeds]) for side in (one, two))
            if mine.keys() != other.keys():
                raise RunError(f"{first} and {second}: their runs have not the same test clips")
            clips = sorted(mine)
            speakers = [speaker or None for _, _, speaker in clips]
            difference, limits = paired_difference(
                [mine[clip] for clip in clips], [other[clip] for clip in clips], speakers
            )
            found.append(
                {
                    "recipes": [first, second],
                    "settings": json.loads(settings),
                    "seeds": seeds,
                    "difference": difference,
                    "ci95": list(limits),
                    "n": len(clips),
                    "speakers": len({speaker for speaker in speakers if speaker}),
                }
            )
    return found


def _same_precision(runs: Sequence[RunFolder]) -> bool:
    return len({run.manifest()["precision"] for run in runs}) == 1


def settings_text(settings: Mapping[str, Any]) -> str:
    """Settings as the options of `sayso train`.

    >>> settings_text({"training.epochs": 15})
    ' --set training.epochs=15'
    """
    return "".join(f" --set {key}={json.dumps(value)}" for key, value in settings.items())


def _recognised(run: RunFolder, recipes: Mapping[str, Mapping[str, Any]]) -> tuple[str, dict[str, Any]]:
    """The recipe that a run is nearest to, and the settings for training by which it differs from it."""
    try:
        own = kept_keys(run.recipe)
    except SettingsError as error:
        raise RunError(f"{run.path}: its recipe is not of this Sayso: {error}") from error
    near: list[tuple[int, str, dict[str, Any]]] = []
    for name, keys in recipes.items():
        differing = {key for key in own.keys() | keys.keys() if own.get(key) != keys.get(key)} - _MACHINE
        if all(key.startswith(("training.", "split.validation")) for key in differing):
            near.append((len(differing), name, {key: own.get(key) for key in sorted(differing)}))
    if not near:
        raise RunError(f"{run.path}: of no recipe below recipes/, even with other settings for training")
    return min(near, key=lambda entry: entry[:2])[1:]


def keys_of(path: Path) -> dict[str, Any]:
    """All keys of a recipe, as `training.epochs`, with their plain values."""
    return _keys(read_recipe(path))


def kept_keys(path: Path) -> dict[str, Any]:
    """The same of the recipe that a run keeps, which an earlier Sayso may have written."""
    return _keys(read_kept_recipe(path))


def _keys(recipe: Recipe) -> dict[str, Any]:
    keys: dict[str, Any] = {}
    for section, values in dump(recipe).items():
        keys |= {f"{section}.{key}": value for key, value in values.items()} if isinstance(values, dict) else {}
        keys |= {} if isinstance(values, dict) else {section: values}
    if (file := recipe.training.teacher_file) is not None:
        # What comes before the end of the path is the machine's.
        keys["training.teacher"] = path_tail(str(file))
    return keys


def _written(path: Path, *, teaches: bool = False) -> dict[str, Any]:
    values: dict[str, Any] = load_yaml(path.read_text(encoding="utf-8"))
    base = values.pop("extends", None)
    training = values.get("training", {})
    if teacher := training.get("teacher"):
        values["training"] = training | {"teacher": _written(path.parent / teacher, teaches=True)}
    values = merge(_written(path.parent / base), values) if base else values
    # A teacher hears what it teaches of at the clips' own speed; where none is named, a recipe of before is the same.
    if teaches or not values.get("test_time_speeds"):
        values.pop("test_time_speeds", None)
    return values


def _mean_right(runs: Sequence[RunFolder]) -> dict[tuple[str, str, str], float]:
    """For each test clip (word/file, start, speaker) the share of the runs that name it right."""
    right: dict[tuple[str, str, str], list[bool]] = defaultdict(list)
    for run in runs:
        read = read_predictions(run.predictions_file)
        for clip, hit in zip(read.clips, read.right.tolist(), strict=True):
            # What comes before the end of the path is the machine's.
            right[path_tail(clip.clip), clip.start_seconds, clip.speaker].append(hit)
    return {clip: sum(hits) / len(runs) for clip, hits in right.items()}


def _machine(manifest: Mapping[str, Any]) -> str:
    machine = manifest["machine"]
    what = machine.get("gpu") or (
        "a GPU" if manifest["device"] != "cpu" else counted(manifest["threads"], "CPU thread")
    )
    return f"{what}, {manifest['precision']}"
