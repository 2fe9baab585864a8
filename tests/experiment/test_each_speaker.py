"""Few speakers: each is answered by a model that never heard them, and the model that is kept heard all."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from conftest import write_tones
from runs_made import small_recipe
from sayso.classifier.inference import predict_probabilities
from sayso.data.splits import SplitSettings, divide_for_speaker
from sayso.errors import DataError, InterruptedRunError, SettingsError
from sayso.evaluation.out_of_fold import judge_out_of_fold
from sayso.experiment import each_speaker
from sayso.experiment.train import resume, train
from sayso.recipe.prepared import prepare
from sayso.runs.predictions import read_predictions
from sayso.studies.verification.verify import verify
from sayso.system.progress import Progress


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
    assert not made.folds.exists()


def test_the_answers_are_of_models_that_never_heard_the_speaker(made, tmp_path):
    prepared = prepare(made.settings, Progress())
    answers = read_predictions(made.predictions).probabilities
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
    assert made.evaluate() == made.metrics()["test"]
    assert made.evaluate("train")["n"] == 27


def test_verify_says_what_it_cannot_tell(made):
    checks = {check.name: check for check in verify(made.path)}
    assert all(checks[name].holds for name in ("clips", "split", "leakage", "scores"))
    assert checks["weights"].holds is None
    assert "left each speaker out" in checks["weights"].detail


def test_a_stopped_run_goes_on_to_the_same_bits(made, tmp_path, monkeypatch):
    real, calls = each_speaker.logits_of_rows, []

    def stops(*arguments):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(each_speaker, "logits_of_rows", stops)
        with pytest.raises((InterruptedRunError, KeyboardInterrupt)):
            train(made.settings, out=tmp_path / "run")
    assert (tmp_path / "run" / "folds" / "0" / "model.safetensors").exists()
    again = resume(tmp_path / "run")
    assert again.weights.read_bytes() == made.weights.read_bytes()
    assert again.predictions.read_bytes() == made.predictions.read_bytes()


def test_speakers_must_be_known_and_say_every_word_twice(tmp_path):
    folder = write_tones(tmp_path / "tones", speakers=("ann", "bob"))
    for path in (folder / "low").glob("bob_*"):
        path.unlink()
    with pytest.raises(DataError, match="leave no training clips of 'low'"):
        prepare(recipe(folder), Progress())
    shutil.copy(folder / "low" / "ann_0.wav", folder / "low" / "somebody.wav")
    with pytest.raises(DataError, match="each_speaker, but 2 speakers are known, and 1 clip names none"):
        prepare(recipe(folder), Progress())


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


def test_metrics_are_plain_numbers(made):
    json.dumps(made.metrics())
