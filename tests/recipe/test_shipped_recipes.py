"""Every recipe that comes with Sayso trains one step, on made-up sound in place of its recordings."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sayso.classifier.module import Classifier
from sayso.config.schema import dump
from sayso.data.clips import Clip
from sayso.data.corpus import Corpus
from sayso.data.splits.draw import Split
from sayso.recipe.negatives import Negatives
from sayso.recipe.prepared import Prepared
from sayso.recipe.recipe import Recipe, read_recipe
from sayso.recipe.teaching import teaching_recipe
from sayso.runs.folder import RunFolder
from sayso.runs.log import read_log
from sayso.system.files import digest
from sayso.training import Teacher, fit

ROOT = Path(__file__).parents[2] / "recipes"
SHIPPED = sorted(path for path in ROOT.rglob("*.yaml") if path.name != "base.yaml")
WORDS = ("left", "right")
FEW = 20
trained: set[str] = set()


def made_up_corpus(recipe: Recipe) -> Corpus:
    """Six clips of noise that swells, of two words."""
    rng = np.random.default_rng(0)
    swell = np.hanning(recipe.audio.clip_samples)
    samples = (9000 * swell * rng.uniform(-1, 1, (6, recipe.audio.clip_samples))).astype(np.int16)
    clips = tuple(Clip(f"{row}.wav", WORDS[row % 2]) for row in range(6))
    return Corpus(clips, samples, recipe.audio, fingerprints=tuple("abcdef"))


def made_up_negatives(recipe: Recipe) -> Negatives:
    """Noise that is none of the words, in place of other words."""
    samples = np.random.default_rng(1).normal(0, 3000, (FEW, recipe.audio.clip_samples)).astype(np.int16)
    return Negatives(samples, "made up", frozenset(), spoken=FEW)


def untrained_teacher(recipe: Recipe) -> Teacher | None:
    """The teacher of a recipe before its training; None: it has none."""
    if recipe.training.teacher_file is None:
        return None
    classifier = Classifier(teaching_recipe(recipe), WORDS)
    classifier.features.fill()
    return Teacher(classifier, "untrained")


def test_a_teacher_hears_clips_at_their_own_speed() -> None:
    student = read_recipe(ROOT / "fsdd" / "small.yaml")
    assert read_recipe(ROOT / "fsdd" / "best.yaml").test_time_speeds
    assert teaching_recipe(student).test_time_speeds == student.test_time_speeds == ()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_shipped_recipe_trains_one_step(path: Path, tmp_path: Path) -> None:
    recipe = read_recipe(path)
    # Recipes that differ in their clips alone train the same here, so once is enough.
    plain = dump(recipe)
    same = digest({key: value for key, value in plain.items() if key not in ("dataset", "training")})
    if same in trained:
        return
    trained.add(same)
    recipe = replace(recipe, training=replace(recipe.training, epochs=1, threads=1, precision="float32", device="cpu"))
    rows = np.arange(6)
    split = Split(rows[:4], rows[4:] if recipe.split.validation != "none" else rows[:0], rows[:0], "made up")
    run = RunFolder(tmp_path / "run")
    prepared = Prepared(recipe, made_up_corpus(recipe), split)
    if recipe.rejection.has_negatives:
        prepared = replace(prepared, recipe=replace(recipe, rejection=replace(recipe.rejection, windows=FEW)))
        vars(prepared)["negatives"] = made_up_negatives(recipe)
    fitted = fit(prepared, run, teacher=untrained_teacher(recipe))
    assert fitted.epochs == fitted.best_epoch == 1
    assert np.isfinite([row.loss for row in read_log(run.log)]).all()
    assert run.weights.is_file()
