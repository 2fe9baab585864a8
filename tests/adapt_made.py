"""What tests of `adapt` begin with: a recipe on the pretrained representation, and tones that are words."""

import numpy as np
import soundfile

from conftest import RATE
from runs_made import small_recipe
from sayso.config.overrides import merge
from sayso.config.schema import dump
from sayso.recipe.recipe import recipe_from_values


def recipe(folder, **sections):
    changes = {
        "audio": {"sample_rate": 16_000, "clip_seconds": 0.8},
        "features": {"kind": "speech_embedding"},
        "model": {"kind": "pooled_mlp", "hidden": 32},
        "augment": [],
        "training": {"epochs": 25, "learning_rate": 5e-3, "precision": "float32"},
    }
    return recipe_from_values(merge(merge(dump(small_recipe(folder)), changes), sections), source="test")


def write_word(folder, hertz, speakers=("eve", "fay"), clips=3):
    """A tone for a word of its own."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(int(hertz))
    for speaker in speakers:
        for index in range(clips):
            time = np.arange(RATE // 2) / RATE
            tone = 0.3 * np.sin(2 * np.pi * hertz * rng.uniform(0.97, 1.03) * time)
            samples = tone + 0.01 * rng.standard_normal(len(time))
            soundfile.write(folder / f"{speaker}_{index}.wav", samples.astype(np.float32), RATE)
    return folder
