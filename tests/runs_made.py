"""A small training that tests share: tones by word and speaker, a network of a few hundred numbers."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import write_tones
from sayso import cli
from sayso.experiment.run import Run
from sayso.experiment.train import train
from sayso.recipe.prepared import Prepared, prepare
from sayso.recipe.recipe import Recipe, recipe_from_values, recipe_yaml
from sayso.system.progress import Progress

__all__ = ["prepared_by", "small_prepared", "small_recipe", "small_run", "train_by_program"]

_OF_THE_SPLIT = ("validation", "validation_share")


def small_recipe(folder: Path, **keys: object) -> Recipe:
    """Three tones, four speakers, two epochs; `model`: another; other keys are of its training, or of the split."""
    split = {key: keys.pop(key) for key in _OF_THE_SPLIT if key in keys}
    model = keys.pop("model", {"kind": "tc_resnet", "channels": [4, 6, 8], "width": 1})
    values = {
        "dataset": {
            "kind": "folder",
            "path": str(folder),
            "speaker": "pattern",
            "speaker_pattern": r"/(?P<speaker>[a-z]+)_\d",
        },
        "split": {"test_share": 0.5, "validation": "share", "validation_share": 0.2} | split,
        "audio": {"sample_rate": 8000, "clip_seconds": 0.5},
        "features": {"kind": "mel", "n_mels": 12, "hop_seconds": 0.02},
        "model": model,
        "training": {"epochs": 2, "batch_size": 8, "threads": 1} | keys,
    }
    return recipe_from_values(values, source="test")


def small_run(folder: Path, out: Path, **keys: object) -> Run:
    """Train it."""
    return train(small_recipe(folder, **keys), out=out)


def small_prepared(folder: Path, progress: Progress | None = None, **keys: object) -> Prepared:
    """Its clips, divided; what comes of them later reports to `progress`."""
    return replace(prepare(small_recipe(folder, **keys), Progress()), progress=progress or Progress())


def prepared_by(recipe: Recipe, prepared: Prepared) -> Prepared:
    """The same clips in the same parts, for another recipe."""
    return replace(prepared, recipe=recipe)


def train_by_program(root: Path) -> Path:
    """Train on tones as `sayso train` does, into `root`: the clips in `tones`, `tones.yaml`, `run`, and a `cache`."""
    recipe = root / "tones.yaml"
    recipe.write_text(recipe_yaml(small_recipe(write_tones(root / "tones"), epochs=3)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAYSO_CACHE", str(root / "cache"))
        patch.setattr(sys, "argv", ["sayso", "train", str(recipe), "--out", str(root / "run")])
        with pytest.raises(SystemExit) as end:
            cli.main()
    assert end.value.code == 0
    return root
