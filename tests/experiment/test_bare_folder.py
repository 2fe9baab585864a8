"""What a folder without a recipe is trained by, and what is said of that."""

import shutil

import numpy as np
import pytest
import soundfile

import sayso
from sayso.recipe import defaults
from sayso.recipe.defaults import Wishes, suggest_recipe
from sayso.recipe.recipe import read_recipe
from sayso.system.progress import Progress


@pytest.mark.usefixtures("few_voices")
def test_a_bare_folder_trains_with_sensible_settings(tone_folder, tmp_path):
    run = sayso.train(tone_folder, overrides=["training.epochs=1", "training.threads=1"], out=tmp_path / "run")
    recipe = read_recipe(run.recipe)
    assert (recipe.features.kind, recipe.model.kind) == ("speech_embedding", "pooled_mlp")
    assert (recipe.audio.sample_rate, recipe.audio.clip_seconds) == (16000, 1.5)
    assert recipe.training.epochs == 1
    assert any("speakers are not known" in note for note in run.manifest()["notes"])


def test_suggestions_follow_the_clips(tmp_path):
    for word in ("a", "b"):
        (tmp_path / "clips" / word).mkdir(parents=True)
        for index in range(4):
            soundfile.write(tmp_path / "clips" / word / f"{index}.wav", np.ones(8000 * 5) * 0.1, 8000)
    recipe = suggest_recipe(tmp_path / "clips", wishes=Wishes(small=True), progress=Progress())
    assert (recipe.audio.sample_rate, recipe.audio.clip_seconds, recipe.audio.fit) == (8000, 2.0, "loudest")
    assert (recipe.features.kind, recipe.training.epochs) == ("mel", 150)
    pretrained = suggest_recipe(tmp_path / "clips", progress=Progress())
    assert (pretrained.audio.sample_rate, pretrained.audio.clip_seconds) == (16000, 4.0)


def test_clips_that_say_none_of_the_words_join_the_settings_that_there_are(tmp_path, tone_folder):
    (tone_folder / "_none_of_these_").mkdir()
    soundfile.write(tone_folder / "_none_of_these_" / "1.wav", np.ones(8000) * 0.1, 8000)
    few = {"negatives": [{"kind": "other_words"}], "lost_share": 0.03, "usual_threshold": 0.2}
    made = defaults._with_none_of_these({"rejection": few}, tone_folder)["rejection"]
    assert [each["kind"] for each in made.pop("negatives")] == ["other_words", "folder"]
    assert made == {"lost_share": 0.03, "usual_threshold": 0.2}


class Notes(Progress):
    """Keeps what it is told."""

    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


@pytest.mark.parametrize(
    ("overrides", "kind"),
    [
        ([], "speech_embedding"),
        (["augment=[]"], "speech_embedding"),
        (["features={kind: mfcc}"], "mfcc"),
        (["audio.sample_rate=8000"], "mel"),
        (["audio.clip_seconds=0.5"], "mel"),
        (["model.kind=gru"], "mel"),
    ],
)
def test_what_is_chosen_for_a_folder_is_said(tone_folder, overrides, kind):
    progress = Notes()
    recipe = suggest_recipe(tone_folder, overrides, progress=progress)
    assert recipe.features.kind == kind
    (note,) = progress.notes
    assert ("pretrained" in note) == (kind == "speech_embedding")


def test_a_single_word_is_told_nothing_of_voices_beside_it(tone_folder):
    progress = Notes()
    for word in ("low", "middle"):
        shutil.rmtree(tone_folder / word)
    suggest_recipe(tone_folder, progress=progress)
    assert [note.partition(":")[0] for note in progress.notes] == ["12 clips"]


def test_many_clips_are_learned_from_nothing(tone_folder, monkeypatch):
    monkeypatch.setattr(defaults, "_MOST_FOR_PRETRAINED", 10)
    progress = Notes()
    assert suggest_recipe(tone_folder, progress=progress).features.kind == "mel"
    assert progress.notes == ["a small network is trained from nothing: 36 clips are enough to learn from nothing"]


def test_suggestions_do_not_look_at_clips_that_are_named_for_the_test(tmp_path):
    for index, seconds in enumerate((0.8, 0.8, 2.0)):
        soundfile.write(tmp_path / f"{index}.wav", np.ones(round(8000 * seconds)) * 0.1, 8000)
    (tmp_path / "clips.csv").write_text("path,label,split\n0.wav,a,train\n1.wav,b,train\n2.wav,a,test\n")
    audio = suggest_recipe(tmp_path / "clips.csv", wishes=Wishes(small=True), progress=Progress()).audio
    assert audio.clip_seconds == pytest.approx(0.8)
