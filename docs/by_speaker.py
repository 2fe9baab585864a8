"""What a finished `sayso compare` says, as the rows of a table: one for each shipped recipe it compared."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from measured import current_hash, kept_keys, keys_of, recipe_paths
from result_rows import percent

from sayso.errors import RunError

__all__ = ["compared_recipes", "comparison_rows", "stale_recipes"]

Facts = dict[str, Any]
# What a comparison gives to each of its trials; all else must be as in the recipe.
_OF_THE_TRIAL = {
    *(f"split.{key}" for key in ("by", "test_speakers", "test_share", "folds", "fold", "seed")),
    *(f"training.{key}" for key in ("seed", "threads")),
}


def compared_recipes(folder: Path, names: list[str]) -> Facts:
    """The table of a comparison, its recipes under the names they have below `recipes/`.

    Args:
        folder: what `--out` of `sayso compare` named.
        names: the recipes it must have compared, such as `fsdd/quick`.

    Raises:
        RunError: it is not finished, or compared other recipes.
    """
    try:
        table: Facts = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
        rows = {row["recipe"]: row | table["measured"][row["recipe"]] for row in table["recipes"]}
    except (OSError, ValueError, KeyError) as error:
        raise RunError(f"{folder}: holds no finished comparison") from error
    paths = {name: recipe_paths()[name] for name in names}
    if {path.stem for path in paths.values()} != rows.keys():
        raise RunError(f"{folder}: compares {', '.join(sorted(rows))}, not {', '.join(names)}")
    for path in paths.values():
        trial, own = kept_keys(_trials(folder) / f"{path.stem}-fold-1-seed-0" / "recipe.yaml"), keys_of(path)
        if other := {key for key in trial.keys() | own.keys() if trial.get(key) != own.get(key)} - _OF_THE_TRIAL:
            raise RunError(f"{folder}: its {path.stem} differs from {path.name} in {', '.join(sorted(other))}")
    kept = ("folds", "seeds", "threads", "clips", "speakers", "notes", "pairs")
    return {key: table[key] for key in kept} | {
        "recipes": [
            {"name": name, "recipe_hash": current_hash(path)} | rows[path.stem]
            for name, path in sorted(paths.items(), key=lambda item: rows[item[1].stem]["rank"])
        ]
    }


def _trials(folder: Path) -> Path:
    """Where the trials of a comparison lie; one made before they were called so has cells."""
    return folder / "trials" if (folder / "trials").is_dir() else folder / "cells"


def stale_recipes(table: Mapping[str, Any]) -> list[str]:
    """Recipes that have changed since they were compared."""
    paths = recipe_paths()
    rows = table.get("recipes", [])
    return [r["name"] for r in rows if r["name"] not in paths or r["recipe_hash"] != current_hash(paths[r["name"]])]


def comparison_rows(table: Mapping[str, Any]) -> list[dict[str, str]]:
    """Cells of the page's table, the best recipe first."""
    return [_cells(row) for row in table.get("recipes", [])]


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    low, high = row["speaker_ci95"]
    worst = min(row["by_speaker"], key=lambda name: row["by_speaker"][name])
    return {
        "recipe": f"`recipes/{row['name']}.yaml`",
        "accuracy": f"**{percent(row['accuracy'])}**",
        "interval": f"{percent(low)} to {percent(high)}",
        "seeds": "one alone" if row["seeds_deviation"] is None else f"± {percent(row['seeds_deviation'])}",
        "worst": f"{worst} {percent(row['by_speaker'][worst])}",
        "random": percent(row["random_split"]),
        "gap": f"{100 * row['gap']:+.1f}",
        "parameters": f"{row['parameters']:,}",
        "multiply_adds": f"{row['multiply_adds'] / 1e6:,.1f}",
        "cpu_seconds": f"{row['cpu_seconds']:.0f}",
        "milliseconds": f"{row['milliseconds_an_answer']:.2f}",
    }
