"""What is none of the words when more clips are added, and speakers who are left out in turn."""

import shutil

import pytest

from adapt_made import recipe, write_word
from conftest import write_tones
from sayso.classifier.checkpoint import load_model
from sayso.data.datasets import find_dataset
from sayso.experiment.adapt import adapt
from sayso.experiment.train import train
from sayso.recipe import addition
from sayso.studies.verification.verify import verify
from sayso.system.progress import Progress


@pytest.fixture(autouse=True)
def without_voices(monkeypatch):
    monkeypatch.setattr(addition, "is_installed", lambda: False)


def test_few_speakers_stay_left_out_in_turn(tmp_path):
    folder = write_tones(tmp_path / "tones", speakers=("ann", "bob"))
    run = train(recipe(folder, split={"by": "each_speaker", "validation": "auto"}), out=tmp_path / "run")
    more = write_word(tmp_path / "more" / "shrill", 3600.0, speakers=("ann", "eve")).parent
    found = adapt(run.path, more, out=tmp_path / "more-run")
    assert found.run.split_label() == "over 2 people, each unheard in turn"
    assert {load_model(fold.weights).labels for fold in found.run.folds} == {("high", "low", "middle", "shrill")}
    assert all(check.holds for check in verify(found.run.path))


def test_negatives_of_a_word_that_is_wanted_now_train_no_more(tmp_path):
    folder = write_tones(tmp_path / "tones")
    others = tmp_path / "others"
    write_word(others / "shrill", 3600.0, speakers=("zoe",))
    write_word(others / "noisy", 5000.0, speakers=("zoe",))
    negatives = {"negatives": [{"kind": "folder", "path": str(others)}]}
    run = train(recipe(folder, rejection=negatives), out=tmp_path / "run")
    more = write_word(tmp_path / "more" / "shrill", 3700.0).parent
    found = adapt(run.path, more, out=tmp_path / "more-run")
    notes = found.run.manifest()["notes"]
    assert any(
        "3 clips of other words" in note and "(3 clips of the words themselves left out)" in note for note in notes
    )
    assert found.run.classifier().network.layers[-1].out_features == 5


def test_clips_that_say_none_of_the_words_train_as_such(tmp_path, program):
    folder = write_tones(tmp_path / "tones")
    others = write_word(tmp_path / "others" / "noisy", 5000.0, speakers=("zoe",)).parent
    run = train(
        recipe(folder, rejection={"negatives": [{"kind": "folder", "path": str(others)}]}), out=tmp_path / "run"
    )
    more = write_word(tmp_path / "more" / "shrill", 3700.0).parent
    write_word(more / "_none_of_these_", 4400.0, speakers=("zoe",), clips=2)
    found = adapt(run.path, more, out=tmp_path / "more-run")
    assert any(
        "5 clips of other words (2 of them in _none_of_these_)" in note for note in found.run.manifest()["notes"]
    )
    assert all(check.holds for check in verify(found.run.path))
    shutil.rmtree(more / "shrill")
    code, _, err = program("adapt", run.path, more)
    assert (code, "no word beside _none_of_these_; put sound files" in err) == (2, True)
    plain = addition.add_clips(
        recipe(folder),
        ("high", "low"),
        find_dataset(str(others)),
        trained=9,
        none_of_these=find_dataset(str(more)),
        progress=Progress(),
    )
    assert plain.recipe.rejection.negatives == ()
