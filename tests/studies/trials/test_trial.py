"""A trial is trained once, and counts as long as it is whole and of this recipe and these clips."""

from dataclasses import replace

import pytest
import yaml

from recipe_made import spelt_as_before
from runs_made import small_recipe
from sayso.errors import RunError
from sayso.recipe.prepared import pack_clips
from sayso.runs.folder import RunFolder
from sayso.studies.trials import trial as room
from sayso.studies.trials.recipes import make_trial
from sayso.studies.trials.trial import FILES, is_finished, train_trial
from sayso.system.progress import Progress


@pytest.fixture
def trial(tone_folder):
    recipe = small_recipe(tone_folder, epochs=1)
    corpus = pack_clips(recipe, Progress()).corpus
    return make_trial("small", "fold-1", recipe, {"test_speakers": ["ann"]}, corpus, seed=0, threads=1)


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
