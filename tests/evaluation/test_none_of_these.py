"""None of these: negatives in training, a threshold in the model, and the answer that no word was said."""

import json
import shutil
from dataclasses import replace

import numpy as np
import onnx
import pytest
import soundfile

from conftest import RATE, write_tones
from runs_made import small_recipe
from sayso.classifier.checkpoint import load_model
from sayso.classifier.inference import predict_logits
from sayso.cli.results import show_scores
from sayso.config.overrides import merge
from sayso.config.schema import dump
from sayso.data.datasets import find_dataset
from sayso.errors import DataError, InterruptedRunError, ModelError
from sayso.experiment.train import resume, train
from sayso.metrics.probabilities import softmax
from sayso.recipe.prepared import prepare
from sayso.recipe.recipe import recipe_from_values
from sayso.runtime import Recognizer
from sayso.studies.verification.differences import differences
from sayso.studies.verification.verify import verify
from sayso.system.progress import Progress
from sayso.system.wording import percent


def write_chirps(folder, count=30, seed=0):
    """Sounds that are no tone: noise bursts and sweeps, in a folder of their own."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    for index in range(count):
        time = np.arange(RATE // 3) / RATE
        sweep = np.sin(2 * np.pi * (rng.uniform(200, 3000) + rng.uniform(-4000, 4000) * time) * time)
        sound = 0.3 * (sweep if index % 2 else rng.standard_normal(len(time)))
        soundfile.write(folder / f"eve_{index}.wav", sound.astype(np.float32), RATE)
    return folder


def recipe(tones, chirps, *words, **keys):
    others = {"kind": "folder", "path": str(chirps)}
    changes = {
        "dataset": {"reject_words": list(words)},
        "rejection": {"negatives": [others], "lost_share": 0.1},
        "training": {"epochs": 20, "learning_rate": 2e-2} | keys,
        "augment": [],
    }
    return recipe_from_values(merge(dump(small_recipe(tones)), changes), source="test")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run that learned chirps as negatives, in a cache of its own."""
    root = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAYSO_CACHE", str(root / "cache"))
        tones = write_tones(root / "tones", clips=5)
        write_chirps(root / "other" / "chirps")
        return train(recipe(tones, root / "other"), out=root / "run"), tones


def test_the_model_has_one_logit_more_and_keeps_its_threshold(made):
    run, _ = made
    classifier = run.classifier()
    prepared = prepare(run.settings, Progress())
    logits = predict_logits(classifier, prepared.corpus.samples[:5])
    assert logits.shape == (5, 4)
    assert classifier.labels == ("high", "low", "middle") == run.recognizer().labels
    assert 0 < classifier.threshold == load_model(run.weights).threshold == run.recognizer().threshold < 1
    rows = prepared.split.validation
    probabilities = softmax(predict_logits(classifier, prepared.corpus.samples[rows]))[:, :3]
    right = probabilities[probabilities.argmax(1) == prepared.corpus.targets[rows]].max(1)
    assert np.mean(right < classifier.threshold) <= 0.1
    assert np.isclose(right, classifier.threshold).any()


def test_chirps_are_none_of_the_words_and_tones_are(made, tmp_path):
    run, tones = made
    recognizer = run.recognizer()
    others = sorted(write_chirps(tmp_path / "new", seed=9).glob("*.wav"))
    answers = [answers[0] for answers in recognizer.predict_many(others)]
    assert np.mean([answer.label is None for answer in answers]) > 0.7
    words = [(path.parent.name, recognizer.predict(path)[0].label) for path in sorted(tones.rglob("*.wav"))]
    assert np.mean([said == heard for said, heard in words]) > 0.7
    silent = recognizer.predict(np.zeros(8000, np.float32), sample_rate=8000)[0]
    assert silent.label is None
    assert 0 <= silent.probability <= 1


def test_no_reject_names_a_word_all_the_same(made):
    recognizer = made[0].recognizer()
    clip = np.zeros(8000, np.float32)
    none, *words = recognizer.predict(clip, sample_rate=8000, top=3)
    forced = recognizer.predict(clip, sample_rate=8000, top=3, reject=False)
    assert none.label is None
    assert words == forced[:2]
    assert none.probability == forced[0].probability


def test_scores_say_what_the_threshold_costs(made):
    run, _ = made
    metrics = run.metrics()
    rejection = metrics["rejection"]
    assert rejection["threshold_from"] == "model"
    assert rejection["words"] == []
    assert "false_accept" not in rejection
    lost = rejection["false_reject"]["rate"]
    assert rejection["accepted_right"]["rate"] <= min(1 - lost, metrics["test"]["accuracy"]) + 1e-9
    assert "none of these" in run.report.read_text(encoding="utf-8")
    note = run.manifest()["notes"]
    assert any("30 clips of other words and 100 of made noise train as none of the words" in each for each in note)


def test_scored_again_the_threshold_costs_the_same(made, capsys):
    run, _ = made
    rejection = run.metrics()["rejection"]
    again = run.evaluate()
    assert not list(differences(again["rejection"], rejection, tolerance=1e-6))
    trained = run.evaluate("train")
    assert trained["rejection"]["accepted_right"]["n"] == trained["n"]
    show_scores(again)
    told = f"with rejection: {percent(rejection['accepted_right']['rate'])} accepted and right, "
    assert told in capsys.readouterr().out


def test_it_verifies(made):
    checks = verify(made[0].path, progress=Progress())
    assert all(check.holds for check in checks), checks


def test_words_to_reject_are_scored_at_the_threshold(tmp_path):
    tones = write_tones(tmp_path / "tones")
    write_chirps(tmp_path / "other" / "chirps")
    run = train(recipe(tones, tmp_path / "other", "middle", epochs=4), out=tmp_path / "run")
    scores = run.metrics()["rejection"]
    assert scores["words"] == ["middle"]
    assert scores["threshold"] == run.classifier().threshold
    assert {"accepted_right", "false_reject", "false_accept", "auroc", "curve"} <= scores.keys()


def test_words_of_other_recordings_that_it_does_not_know_are_scored_too(made, tmp_path):
    run, _ = made
    folder = write_tones(tmp_path / "strangers", speakers=("eve",), seed=4)
    write_chirps(folder / "chirp", seed=11)
    write_chirps(folder / "chirrup", count=10, seed=12)
    found = run.evaluate_on(find_dataset(str(folder)))
    rejection = found.scores["rejection"]
    assert found.scores["n"] == 9
    assert rejection["words"] == ["chirp", "chirrup"]
    assert rejection["false_accept"]["n"] == 40
    assert rejection["false_accept"]["rate"] < 0.4
    by_word = rejection["false_accept_by_word"]
    assert rejection["false_accept_macro"] == pytest.approx(np.mean([row["rate"] for row in by_word.values()]))


def test_the_program_says_none_of_these(made, tmp_path, program):
    run, _ = made
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(RATE, np.float32), RATE)
    code, out, _ = program("predict", path, "--model", run.path)
    assert code == 0
    assert "none of these" in out
    assert json.loads(program("predict", path, "--model", run.path, "--json")[1])["predictions"][0]["label"] is None
    assert "none of these" not in program("predict", path, "--model", run.path, "--no-reject")[1]


def test_a_clip_of_the_words_is_no_negative(tmp_path):
    tones = write_tones(tmp_path / "tones")
    with pytest.raises(
        DataError, match=r"rejection\.negatives \(folder\) holds 36 clips of the wanted words themselves"
    ):
        train(recipe(tones, tones), out=tmp_path / "run")


def test_without_validation_there_is_no_threshold(tmp_path):
    tones = write_tones(tmp_path / "tones")
    write_chirps(tmp_path / "other" / "chirps", count=4)
    made = recipe(tones, tmp_path / "other", epochs=1)
    run = train(replace(made, split=replace(made.split, validation="none")), out=tmp_path / "run")
    assert run.classifier().threshold is None
    assert Recognizer(run.onnx).predict(np.zeros(8000, np.float32), sample_rate=8000)[0].label is not None


def test_a_stopped_training_with_negatives_goes_on_to_the_same_bits(tmp_path, monkeypatch):
    tones = write_tones(tmp_path / "tones")
    write_chirps(tmp_path / "other" / "chirps", count=10)
    made = recipe(tones, tmp_path / "other", epochs=3)
    whole = train(made, out=tmp_path / "whole")
    from sayso.training.checkpointing import Bookkeeper

    own = Bookkeeper.begin_epoch

    def stops(self):
        own(self)
        if self.epochs == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Bookkeeper, "begin_epoch", stops)
        with pytest.raises(InterruptedRunError):
            train(made, out=tmp_path / "stopped")
    again = resume(tmp_path / "stopped")
    assert again.weights.read_bytes() == whole.weights.read_bytes()


def test_clips_that_trained_as_negatives_are_not_scored(made, tmp_path):
    run, _ = made
    folder = write_tones(tmp_path / "strangers", speakers=("eve",), seed=4)
    heard = run.settings.rejection.negatives[0].path
    shutil.copytree(f"{heard}/chirps", folder / "chirp")
    with pytest.raises(DataError, match="30 clips to score were trained on as none of the words"):
        run.evaluate_on(find_dataset(str(folder)))


def test_words_to_reject_must_not_train_as_negatives(tmp_path):
    tones = write_tones(tmp_path / "tones")
    shutil.copytree(tones / "middle", tmp_path / "other" / "hum")
    with pytest.raises(DataError, match="clips of words to reject were trained on as none of the words"):
        train(recipe(tones, tmp_path / "other", "middle"), out=tmp_path / "run")


@pytest.mark.parametrize("threshold", ['"high"', "[0.5]", "2", "true", "NaN", "{"])
def test_a_threshold_that_is_none_is_one_line(made, tmp_path, threshold):
    model = onnx.load(made[0].onnx)
    next(entry for entry in model.metadata_props if entry.key == "threshold").value = threshold
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(ModelError, match="its metadata is damaged"):
        Recognizer(tmp_path / "model.onnx")
