"""A trial is trained once, and counts as long as it is whole and of this recipe and these clips."""

import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import yaml

from recipe_made import spelt_as_before
from runs_made import small_recipe
from sayso.errors import RunError
from sayso.recipe.prepared import prepare
from sayso.recipe.recipe import Rejection
from sayso.runs.folder import RunFolder
from sayso.studies.trials import trial as room
from sayso.studies.trials.recipes import make_trial
from sayso.studies.trials.trial import FILES, is_finished, train_trial
from sayso.system.progress import Progress


@pytest.fixture
def trial(tone_folder):
    return trial_of(small_recipe(tone_folder, epochs=1))


def trial_of(recipe):
    prepared = prepare(recipe, Progress())
    return make_trial("small", "fold-1", recipe, {"test_speakers": ["ann"]}, prepared, seed=0, threads=1)


def write_noise(folder, seed, seconds=2):
    folder.mkdir(exist_ok=True)
    sound = np.random.default_rng(seed).normal(0, 0.05, seconds * 8000)
    soundfile.write(folder / "hum.wav", sound.astype(np.float32), 8000)


def test_a_trial_is_trained_once(trial, tmp_path, monkeypatch):
    folder = tmp_path / trial.name
    assert not is_finished(trial, folder)
    train_trial(trial, folder)
    assert is_finished(trial, folder)
    assert {path.name for path in folder.iterdir()} == set(FILES)
    assert RunFolder(folder).manifest()["clips"]["test"] == 9
    monkeypatch.setattr(room, "train", lambda *_, **__: pytest.fail("trained again"))
    train_trial(trial, folder)


def test_it_counts_no_longer_when_it_is_of_something_else_or_damaged(trial, tmp_path):
    folder = tmp_path / trial.name
    train_trial(trial, folder)
    assert not is_finished(replace(trial, recipe=trial.recipe.replace("epochs: 1", "epochs: 2")), folder)
    assert not is_finished(replace(trial, data_hash="0" * 64), folder)
    answers = (folder / "predictions.csv").read_text()
    (folder / "predictions.csv").write_text(answers.rstrip().rpartition("\n")[0] + "\n")
    assert not is_finished(trial, folder)
    (folder / "predictions.csv").write_text(answers)
    assert is_finished(trial, folder)
    (folder / "model.safetensors").write_bytes(b"no weights")
    assert not is_finished(trial, folder)


def test_one_of_before_counts_on(trial, tmp_path):
    folder = tmp_path / trial.name
    train_trial(trial, folder)
    run = RunFolder(folder)
    run.recipe.write_text(yaml.safe_dump(spelt_as_before(room.recipe_from_text(trial.recipe, source="test"))))
    assert is_finished(trial, folder)


def test_other_clips_are_refused(trial, tone_folder, tmp_path):
    (tone_folder / "low" / "ann_0.wav").unlink()
    with pytest.raises(RunError, match="the clips here are not those of the comparison"):
        train_trial(trial, tmp_path / trial.name)
    assert not (tmp_path / trial.name).exists()


def test_other_noise_or_other_recordings_make_another_trial(tone_folder, tmp_path):
    noise, radio = tone_folder / "_background_noise_", tmp_path / "radio"
    write_noise(noise, seed=1)
    write_noise(radio, seed=2)
    recipe = replace(small_recipe(tone_folder, epochs=1), rejection=Rejection(recordings=(str(radio),)))
    trial, folder = trial_of(recipe), tmp_path / "trial"
    train_trial(trial, folder)
    assert is_finished(trial, folder)
    assert is_finished(trial_of(recipe), folder)
    write_noise(radio, seed=3)
    assert not is_finished(trial_of(recipe), folder)
    with pytest.raises(RunError, match="the other recordings here are not those of the comparison"):
        train_trial(trial, tmp_path / "elsewhere")
    write_noise(radio, seed=2)
    assert is_finished(trial_of(recipe), folder)
    write_noise(noise, seed=4)
    changed = trial_of(recipe)
    assert not is_finished(changed, folder)
    train_trial(changed, folder)
    assert is_finished(changed, folder)


def test_runs_that_do_not_say_what_else_trained_count(trial, tmp_path):
    folder = tmp_path / trial.name
    train_trial(trial, folder)
    path = RunFolder(folder).manifest_file
    facts = json.loads(path.read_text())
    assert facts["other_sounds"] == {}
    del facts["other_sounds"]
    path.write_text(json.dumps(facts))
    assert is_finished(replace(trial, other_sounds={"background noise": "0"}), folder)
    path.write_text(json.dumps(facts | {"other_sounds": 3}))
    assert not is_finished(trial, folder)
