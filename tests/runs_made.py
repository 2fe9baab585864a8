"""A small training that tests share: tones by word and speaker, a network of a few hundred numbers."""

from pathlib import Path

from sayso.experiment.run import Run
from sayso.experiment.train import train
from sayso.recipe.prepared import open_data
from sayso.recipe.recipe import Recipe, recipe_from_values
from sayso.system.progress import Progress

__all__ = ["small_recipe", "small_run"]


def small_recipe(folder: Path, **training: object) -> Recipe:
    """Three tones, four speakers, two epochs."""
    values = {
        "dataset": {
            "kind": "folder",
            "path": str(folder),
            "test_share": 0.5,
            "speaker": "pattern",
            "speaker_pattern": r"/(?P<speaker>[a-z]+)_\d",
        },
        "audio": {"sample_rate": 8000, "clip_seconds": 0.5},
        "features": {"kind": "mel", "n_mels": 12, "hop_seconds": 0.02},
        "model": {"kind": "tc_resnet", "channels": [4, 6, 8], "width": 1},
        "training": {"epochs": 2, "batch_size": 8, "validation": "share", "validation_share": 0.2, "threads": 1}
        | training,
    }
    return recipe_from_values(values, source="test")


def small_run(folder: Path, out: Path, **training: object) -> Run:
    """Train it."""
    return train(small_recipe(folder, **training), out=out)


def small_data(folder: Path):
    """Its clips and split."""
    return open_data(small_recipe(folder), Progress())
