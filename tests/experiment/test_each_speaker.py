"""Few speakers: each is answered by a model that never heard them, and the model that is kept heard all."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from conftest import write_tones
from runs_made import small_recipe
from sayso.classifier.checkpoint import load_model
from sayso.classifier.inference import logits_of_rows, predict_probabilities
from sayso.config.overrides import merge
from sayso.config.schema import dump
from sayso.data.splits import SplitSettings, divide_for_speaker
from sayso.errors import DataError, InterruptedRunError, SettingsError
from sayso.evaluation.out_of_fold import judge_out_of_fold
from sayso.experiment.train import resume, train
from sayso.metrics.calibration import expected_calibration_error
from sayso.metrics.probabilities import softmax
from sayso.recipe.prepared import prepare
from sayso.recipe.recipe import recipe_from_values
from sayso.runs.predictions import read_predictions
from sayso.studies.verification.differences import differences
from sayso.studies.verification.verify import verify
from sayso.system.progress import Progress
from sayso.training.checkpointing import Bookkeeper


def recipe(folder, **training):
    made = small_recipe(folder, **({"epochs": 12, "learning_rate": 2e-2, "keep": "last"} | training))
    return replace(made, split=SplitSettings(by="each_speaker"), augment=())


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAYSO_CACHE", str(root / "cache"))
        return train(recipe(write_tones(root / "tones", speakers=("ann", "bob", "cas"))), out=root / "run")


def test_every_clip_is_trained_on_and_tested(made):
    manifest = made.manifest()
    assert manifest["clips"] == {"train": 27, "validation": 0, "test": 27}
    assert (manifest["split"], manifest["speakers_shared"]) == ("each speaker", 0)
    assert any("leaving each of 3 speakers out in turn (ann, bob, cas)" in note for note in manifest["notes"])
    assert made.split_label() == "over 3 people, each unheard in turn"
    assert set(made.metrics()["test"]["per_speaker"]) == {"ann", "bob", "cas"}
    # Of the trainings without a speaker the weights stay, so that their answers can be had again.
    assert [sorted(file.name for file in fold.path.iterdir()) for fold in made.folds] == [["model.safetensors"]] * 3


def test_the_answers_are_of_models_that_never_heard_the_speaker(made, tmp_path):
    prepared = prepare(made.settings, Progress())
    answers = read_predictions(made.predictions_file).probabilities
    for name in ("ann", "bob", "cas"):
        split = divide_for_speaker(prepared.corpus, name)
        assert name not in {prepared.corpus.clips[row].speaker for row in split.train}
    own = train(
        replace(made.settings, split=SplitSettings(test_speakers=("bob",), validation="none")), out=tmp_path / "bob"
    )
    rows = divide_for_speaker(prepared.corpus, "bob").test
    alone = predict_probabilities(own.classifier(), prepared.corpus, rows)
    # The temperature does not change which word is the most probable one.
    assert (alone.argmax(1) == answers[np.isin(prepared.split.test, rows)].argmax(1)).all()


def test_the_kept_model_has_heard_everyone_and_says_how_sure_to_be(made):
    classifier = made.classifier()
    assert classifier.temperature == made.metrics()["calibration"]["temperature"] != 1
    assert not list(differences(made.evaluate(), made.metrics()["test"], tolerance=1e-9))
    assert made.evaluate("train")["n"] == 27


def test_everything_about_it_can_be_verified(made, tmp_path):
    checks = verify(made.path)
    assert all(check.holds for check in checks), checks
    forged = tmp_path / "forged"
    shutil.copytree(made.path, forged)
    metrics = json.loads((forged / "metrics.json").read_text())
    metrics["calibration"]["temperature_by_speaker"]["ann"] *= 1.5
    (forged / "metrics.json").write_text(json.dumps(metrics))
    assert {check.name for check in verify(forged) if not check.holds} >= {"scores", "metrics"}
    metrics["calibration"]["temperature_by_speaker"] = {"ann": "hot"}
    (forged / "metrics.json").write_text(json.dumps(metrics))
    assert not all(check.holds for check in verify(forged))
    shutil.rmtree(forged / "folds" / "1")
    assert {check.name for check in verify(forged) if check.holds is False} >= {"weights"}


def test_what_calibration_did_is_told_by_each_speakers_own_temperature(made):
    calibration, test = made.metrics()["calibration"], made.metrics()["test"]
    prepared = prepare(made.settings, Progress())
    rows = prepared.split.test
    logits = {}
    for place, name in enumerate(prepared.test_speakers):
        own = prepared.without_speaker(name).split.test
        logits |= zip(
            own.tolist(), logits_of_rows(load_model(made.fold(place).weights), prepared.corpus, own), strict=True
        )
    plain = softmax(np.stack([logits[row] for row in rows.tolist()]))
    assert calibration["fitted_on"] == "speakers left out"
    assert set(calibration["temperature_by_speaker"]) == {"ann", "bob", "cas"}
    before = expected_calibration_error(prepared.corpus.targets[rows], plain)
    assert calibration["test_ece_before"] == pytest.approx(before, abs=1e-6)
    assert calibration["test_ece_after"] == test["ece"]


def test_a_stopped_run_goes_on_to_the_same_bits(made, tmp_path, monkeypatch):
    real, calls = Bookkeeper.begin_epoch, []

    def stops(self):
        real(self)
        calls.append(1)
        if len(calls) == 15:  # the third epoch of the second training
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Bookkeeper, "begin_epoch", stops)
        with pytest.raises(
            InterruptedRunError, match=r"without 1 of 3 speakers is kept. Go on with: sayso train --resume .*run$"
        ):
            train(made.settings, out=tmp_path / "run")
    assert (tmp_path / "run" / "folds" / "0" / "model.safetensors").exists()
    again = resume(tmp_path / "run")
    assert again.weights.read_bytes() == made.weights.read_bytes()
    assert again.predictions_file.read_bytes() == made.predictions_file.read_bytes()


def test_speakers_must_be_known_and_say_every_word_twice(tmp_path):
    folder = write_tones(tmp_path / "tones", speakers=("ann", "bob"))
    for path in (folder / "low").glob("bob_*"):
        path.unlink()
    with pytest.raises(DataError, match="leave no training clips of 'low'"):
        prepare(recipe(folder), Progress())
    shutil.copy(folder / "low" / "ann_0.wav", folder / "low" / "somebody.wav")
    with pytest.raises(DataError, match="each_speaker, but 2 speakers are known, and 1 clip names none"):
        prepare(recipe(folder), Progress())


@pytest.mark.parametrize("key", ["train_speakers", "train_clips_per_speaker"])
def test_training_on_less_contradicts_it(key):
    with pytest.raises(SettingsError, match=rf"{key}: leaves clips out, but by each_speaker trains on all"):
        SplitSettings(**{"by": "each_speaker", key: 1})


def test_features_that_learn_do_so_in_every_training(tmp_path):
    folder = write_tones(tmp_path / "tones", speakers=("ann", "bob"))
    values = {
        "audio": {"sample_rate": 16000, "clip_seconds": 0.8},
        "features": {"kind": "speech_embedding", "trainable": 1},
        "model": {"kind": "pooled_mlp", "hidden": 8},
        "split": {"by": "each_speaker", "validation": "auto"},
        "training": {"epochs": 1, "precision": "float32"},
    }
    run = train(recipe_from_values(merge(dump(small_recipe(folder)), values), source="test"), out=tmp_path / "run")
    learned = [load_model(each.weights).features.body[-1].weight for each in (run.fold(0), run.fold(1), run)]
    source = run.settings.features.build(run.settings.audio)
    source.fill()
    assert not any(torch.equal(weight, source.body[-1].weight) for weight in learned)
    assert not torch.equal(learned[0], learned[1])


def test_validation_contradicts_it():
    with pytest.raises(SettingsError, match="by each_speaker calibrates on the speakers left out"):
        SplitSettings(by="each_speaker", validation="share")


def test_copies_across_speakers_stop_it(tmp_path):
    folder = write_tones(tmp_path / "tones", speakers=("ann", "bob", "cas"))
    shutil.copy(folder / "low" / "ann_0.wav", folder / "low" / "bob_9.wav")
    with pytest.raises(DataError, match="the very samples of a training or validation clip"):
        train(recipe(folder), out=tmp_path / "run")


def test_copies_of_one_speaker_do_not(tmp_path):
    folder = write_tones(tmp_path / "tones", speakers=("ann", "bob", "cas"))
    shutil.copy(folder / "low" / "ann_0.wav", folder / "low" / "ann_9.wav")
    assert prepare(recipe(folder), Progress()).leakage.facts["same_samples"] == []


def test_thresholds_and_temperatures_come_from_the_others():
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 3, 60)
    speakers = np.repeat(["ann", "bob", "cas"], 20).tolist()
    logits = rng.normal(size=(60, 4)).astype(np.float32)
    logits[np.arange(60), targets] += 4
    whole = judge_out_of_fold(logits, targets, speakers, words=3, lost_share=0.1)
    assert whole.probabilities.shape == (60, 3)
    changed = logits.copy()
    changed[:20] *= 3  # of ann alone
    other = judge_out_of_fold(changed, targets, speakers, words=3, lost_share=0.1)
    assert other.thresholds[0] == whole.thresholds[0]
    assert other.thresholds[20] != whole.thresholds[20]
    assert np.unique(whole.thresholds).size == 3
    assert judge_out_of_fold(logits, targets, speakers, words=3, lost_share=None).threshold is None
    usual = judge_out_of_fold(logits, targets, speakers, words=3, lost_share=0.1, usual_threshold=0.0)
    assert usual.threshold is not None
    assert whole.threshold is not None
    assert usual.threshold < whole.threshold
    assert (usual.thresholds < whole.thresholds).all()
