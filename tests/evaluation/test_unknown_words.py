"""Words that are kept from training: scored, never learned, and one line where they cannot be."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from runs_made import small_recipe
from sayso.classifier.inference import predict_logits
from sayso.config.overrides import merge
from sayso.config.schema import dump
from sayso.data.clips import Listing
from sayso.data.datasets.folder import FolderConfig
from sayso.data.leakage.other_clips import check_other_clips
from sayso.data.splits.draw import Split
from sayso.errors import DataError, SettingsError
from sayso.experiment.train import train
from sayso.metrics.probabilities import softmax
from sayso.recipe.prepared import prepare
from sayso.recipe.recipe import recipe_from_values
from sayso.system.progress import Progress


def recipe(folder, *words, **split):
    changes = {"dataset": {"reject_words": list(words)}, "split": split}
    return recipe_from_values(merge(dump(small_recipe(folder)), changes), source="test")


def test_a_word_to_reject_is_heard_only_when_scoring(tone_folder, tmp_path):
    run = train(recipe(tone_folder, "middle", by="speakers"), out=tmp_path / "run")
    metrics = run.metrics()
    scores = metrics["rejection"]
    assert metrics["labels"] == ["high", "low"] == list(run.recognizer().labels)
    assert run.manifest()["clips"] == {"train": 10, "validation": 2, "test": 12}
    assert scores["words"] == ["middle"]
    assert scores["threshold_from"] == "validation"
    # Of the two test speakers alone, three clips each.
    assert (scores["false_accept"]["n"], scores["false_reject"]["n"]) == (6, 12)
    assert "Unknown words" in run.report.read_text()
    assert (run.figures / "rejection.svg").is_file()
    prepared = prepare(run.settings, Progress())
    corpus, split, unknown = prepared.corpus, prepared.split, prepared.unknown_words
    confidence = softmax(predict_logits(run.classifier(), unknown.samples)).max(axis=1)
    accepted = np.mean(confidence >= scores["threshold"])
    assert accepted == scores["false_accept"]["rate"]
    assert {clip.speaker for clip in unknown.clips} == {corpus.clips[row].speaker for row in split.test}


def test_without_validation_nothing_is_calibrated_and_the_threshold_says_so(tone_folder, tmp_path):
    made = recipe(tone_folder, "middle")
    run = train(made, overrides=["split.validation=none", "training.epochs=1"], out=tmp_path / "run")
    assert run.metrics()["calibration"]["temperature"] == run.classifier().temperature == 1
    assert run.metrics()["calibration"]["fitted_on"] is None
    assert run.metrics()["rejection"]["threshold_from"] == "test"
    assert "no validation clips to calibrate on" in run.report.read_text()


def test_a_random_split_scores_all_of_them(tone_folder):
    assert len(prepare(recipe(tone_folder, "middle", by="random"), Progress()).unknown_words) == 12
    assert prepare(small_recipe(tone_folder), Progress()).unknown_words is None


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["middl"], r"dataset\.reject_words\[0\]: no clips of 'middl' are there; did you mean 'middle'"),
        (["low", "low"], "'low' stands there 2 times"),
        (["low", "high", "middle"], r"leaves fewer than two words to tell apart \(none\)"),
        (["low", "high"], r"leaves fewer than two words to tell apart \('middle'\)"),
    ],
)
def test_words_that_cannot_be_rejected(words, says, tone_folder, tmp_path):
    with pytest.raises(SettingsError, match=says):
        train(recipe(tone_folder, *words), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_words_of_which_no_clip_belongs_with_the_test_part(tone_folder, tmp_path):
    for clip in (tone_folder / "middle").glob("ann_*.wav"):
        clip.unlink()
    with pytest.raises(DataError, match="no clips of middle belong with the test part of the speakers split"):
        train(recipe(tone_folder, "middle", by="speakers", test_speakers=["ann"]), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_of_an_official_split_the_official_test_clips_are_taken(tone_folder, listing, monkeypatch):
    made = recipe(tone_folder, "middle")
    parts = tuple(replace(clip, part="test" if clip.speaker == "bob" else "train") for clip in listing.clips)
    monkeypatch.setattr(FolderConfig, "listing", lambda *_: Listing(parts))
    prepared = prepare(made, Progress())
    assert prepared.split.kind == "official"
    assert {clip.speaker for clip in prepared.unknown_words.clips} == {"bob"}


def test_a_clip_of_a_word_to_reject_that_was_learned_is_refused(tone_folder, tmp_path):
    shutil.copy(tone_folder / "low" / "ann_0.wav", tone_folder / "middle" / "ann_9.wav")
    made = recipe(tone_folder, "middle", by="random")
    with pytest.raises(DataError, match=r"1 clip of words to reject has the very samples .* \(middle/ann_9\.wav\)"):
        train(made, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    allowed = ["dataset.allow_copies=[middle/ann_9.wav]", "training.epochs=1"]
    run = train(made, overrides=allowed, out=tmp_path / "run", extras=False)
    assert any("1 clip of words to reject is exactly copied in training" in note for note in run.manifest()["notes"])


def test_a_near_copy_of_what_was_learned_is_a_note(tone_folder):
    samples, rate = soundfile.read(tone_folder / "low" / "ann_0.wav")
    soundfile.write(tone_folder / "middle" / "ann_9.wav", 0.5 * samples, rate)
    made = recipe(tone_folder, "middle", by="random")
    prepared = prepare(made, Progress())
    corpus, unknown = prepared.corpus, prepared.unknown_words
    everything = np.arange(len(corpus))
    split = Split(everything, everything[:0], everything[:0], "random")
    leakage = check_other_clips(corpus, split, unknown, what="clip of words to reject")
    assert len(leakage.notes) == 1
    assert leakage.notes[0].startswith("1 clip of words to reject has near copies in training, such as low/ann_")
    nothing = replace(split, train=everything[:0])
    assert check_other_clips(corpus, nothing, unknown, what="clip").notes == ()
