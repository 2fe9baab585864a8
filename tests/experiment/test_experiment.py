"""The whole way on a folder of tones: everything a run promises to leave is there, and agrees with itself."""

import csv
import html
import json
import shutil
from contextlib import nullcontext
from functools import partial
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile
import torch

import sayso
from runs_made import small_run
from sayso.data.splits import split
from sayso.errors import DataError, InterruptedRunError, ModelError, RunError, SettingsError
from sayso.experiment import finish
from sayso.experiment import train as train_module
from sayso.experiment.load import load
from sayso.experiment.run import Run
from sayso.system.claims import locked_folder
from sayso.system.progress import Progress
from sayso.training.hardware import Hardware


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One run for the whole file, in a cache of its own."""
    from conftest import write_tones

    root = tmp_path_factory.mktemp("made")
    folder = write_tones(root / "tones")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAYSO_CACHE", str(root / "cache"))
        run = small_run(folder, root / "run", epochs=12, learning_rate=2e-2)
    return run, folder


def stopped_run(folder, out, monkeypatch, **training):
    """A run that trained to its end, and was stopped before its export, scores and report."""

    def breaks(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(finish, "export", breaks)
        with pytest.raises(
            InterruptedRunError, match=r"what was done before is kept\. Go on with: sayso train --resume"
        ):
            small_run(folder, out, **training)
    return load(out)


def test_everything_the_design_promises_is_there(made):
    run, _ = made
    names = {path.name for path in run.path.iterdir()}
    assert names == {
        "recipe.yaml", "log.csv", "model.safetensors", "model.onnx",
        "MODEL_CARD.md", "metrics.json", "predictions.csv", "report.html",
        "figures", "manifest.json",
    }  # fmt: skip
    assert {path.name for path in run.figures.iterdir()} == {
        "loss_and_accuracy.svg", "confusion_matrix.svg", "alluvial.svg", "accuracy_by_speaker.svg",
        "reliability.svg", "risk_coverage.svg",
    }  # fmt: skip
    assert run.finished


def test_a_notebook_shows_a_run_and_its_answers(made, tmp_path):
    run, _ = made
    shown, test = run._repr_html_(), run.metrics()["test"]
    assert f"of {test['n']} test clips recognised" in shown
    assert run.split_label() in shown
    assert "data:image/svg+xml;base64," in shown
    assert str(run.onnx) in shown
    assert all(note in html.unescape(shown) for note in run.manifest()["notes"])
    answers = run.predictions()
    assert answers.right.mean() == pytest.approx(test["accuracy"])
    assert [row["clip"] for row in answers.rows()] == [clip.clip for clip in answers.clips]
    (tmp_path / "recipe.yaml").write_text("")
    assert "has not finished" in sayso.Run.open(tmp_path)._repr_html_()


def test_metrics_have_their_shape_and_agree_with_the_predictions(made):
    run, _ = made
    metrics = run.metrics()
    test = metrics["test"]
    with run.predictions_file.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert test["n"] == len(rows) == run.manifest()["clips"]["test"]
    assert test["accuracy"] == pytest.approx(np.mean([row["label"] == row["predicted"] for row in rows]))
    shares = [[float(row[f"p({label})"]) for label in metrics["labels"]] for row in rows]
    np.testing.assert_allclose(np.sum(shares, axis=1), 1, atol=1e-6)
    assert test["accuracy_ci95"][0] <= test["accuracy"] <= test["accuracy_ci95"][1]
    assert set(test["per_class"]) == {"high", "low", "middle"}
    assert metrics["calibration"]["fitted_on_clips"] == run.manifest()["clips"]["validation"]
    assert metrics["calibration"]["test_ece_after"] == test["ece"]
    assert "rejection" not in metrics
    assert metrics["parameters"] == sum(p.numel() for p in run.classifier().parameters())
    assert 0 <= metrics["train"]["accuracy"] <= 1


def test_the_manifest_holds_hashes_versions_and_the_proof_of_the_export(made):
    manifest = made[0].manifest()
    assert manifest["finished"]
    assert len(manifest["data_hash"]) == len(manifest["split_hash"]) == 64
    assert manifest["export"]["max_abs_difference"] <= manifest["export"]["limit"]
    assert manifest["versions"]["sayso"] == sayso.__version__
    assert manifest["seed"] == 0


def test_scored_again_it_scores_the_same(made):
    run, _ = made
    again = run.evaluate()
    test = run.metrics()["test"]
    assert again["loss"] == pytest.approx(test["loss"])
    assert again["confusion"] == test["confusion"]
    assert again["per_speaker"] == test["per_speaker"]
    everything = run.evaluate("all")
    assert everything["n"] == 36
    with pytest.raises(SettingsError, match="must be train, validation, test or all"):
        run.evaluate("nonsense")


def test_the_exported_model_answers_as_the_predictions_say(made):
    run, _ = made
    recognizer = run.recognizer()
    with run.predictions_file.open(newline="") as file:
        for row in csv.DictReader(file):
            answer = recognizer.predict(row["clip"])[0]
            assert answer.probability == pytest.approx(float(row[f"p({answer.label})"]), abs=1e-3)
    assert run.classifier().temperature == recognizer.temperature == run.metrics()["calibration"]["temperature"] != 1


def test_the_saved_recipe_trains_the_same_again(made, tmp_path):
    run, _ = made
    again = sayso.train(run.recipe, out=tmp_path / "again")
    assert again.weights.read_bytes() == run.weights.read_bytes()


def test_python_and_program_open_the_same_run(made):
    run, _ = made
    assert sayso.load(run.path) == run
    assert sayso.load(run.onnx).labels == tuple(run.metrics()["labels"])
    assert run.show_confusion().axes
    with pytest.raises(RunError, match="no run there"):
        sayso.load(run.path / "nowhere")
    with pytest.raises(ModelError, match="no such model"):
        sayso.load("nowhere.onnx")


def test_the_report_is_one_page_that_loads_nothing(made):
    class Loads(HTMLParser):
        def handle_starttag(self, tag, attrs):
            for key, value in attrs:
                if key in ("src", "href"):
                    assert value.startswith(("data:", "#")), (tag, value)

    Loads().feed(made[0].report.read_text())


def test_a_finished_run_is_not_resumed_and_a_folder_is_not_overwritten(made):
    run, folder = made
    with pytest.raises(RunError, match="finished already"):
        sayso.resume(run.path)
    before = run.weights.read_bytes()
    with pytest.raises(RunError, match="exists and is not empty"):
        small_run(folder, run.path)
    assert run.weights.read_bytes() == before


def test_a_run_that_another_command_is_at_is_not_resumed(made):
    run, _ = made
    with locked_folder(run.path), pytest.raises(RunError, match="another command is writing there"):
        sayso.resume(run.path)


def test_a_run_stopped_before_its_report_goes_on(tmp_path, monkeypatch, tone_folder, program):
    run = stopped_run(tone_folder, tmp_path / "run", monkeypatch)
    assert not run.finished
    with pytest.raises(RunError, match=r"has no metrics\.json"):
        run.metrics()
    assert "run has not finished; these are answers of its best weights so far" in program("evaluate", run.path)[2]
    assert sayso.resume(run.path).finished
    assert not run.resume.exists()
    assert "has not finished" not in program("evaluate", run.path)[2]


def test_a_run_stopped_before_it_learned_goes_on(tone_folder, tmp_path, monkeypatch):
    def breaks(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(train_module, "train_rounds", breaks)
        with pytest.raises(InterruptedRunError, match=r"Go on with: sayso train --resume '.*/my run'$"):
            small_run(tone_folder, tmp_path / "my run")
        patch.setattr(train_module, "write_manifest", breaks)
        with pytest.raises(InterruptedRunError, match="Go on with: sayso train --resume"):
            small_run(tone_folder, tmp_path / "earlier")
        patch.setattr(train_module, "write_text", breaks)
        with pytest.raises(KeyboardInterrupt):
            small_run(tone_folder, tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
    for name in ("my run", "earlier"):
        assert sayso.resume(tmp_path / name).finished


def test_a_finished_run_that_lost_a_file_is_not_said_to_be_unfinished(made, tmp_path):
    lost = Run(shutil.copytree(made[0].path, tmp_path / "lost"))
    lost.metrics_file.unlink()
    with pytest.raises(RunError, match=r"has no metrics\.json, which its training left there; bring it back"):
        lost.metrics()
    lost.manifest_file.unlink()
    for ask in (lost.manifest, partial(sayso.resume, lost.path)):
        with pytest.raises(
            RunError, match=r"has no manifest\.json, which its training left there; .*lost/recipe\.yaml"
        ):
            ask()


def test_changed_clips_are_not_trained_on_with_old_weights(tone_folder, tmp_path, monkeypatch):
    run = stopped_run(tone_folder, tmp_path / "run", monkeypatch)
    next(tone_folder.rglob("ann_0.wav")).unlink()
    with pytest.raises(RunError, match="clips have changed"):
        sayso.resume(run.path)


def test_nothing_is_left_behind_when_the_clips_cannot_be_used(tmp_path):
    (tmp_path / "clips" / "yes").mkdir(parents=True)
    soundfile.write(tmp_path / "clips" / "yes" / "a.wav", np.ones(8000), 8000)
    with pytest.raises(DataError, match="at least two words"):
        sayso.train(tmp_path / "clips", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_overrides_that_do_not_fit_are_told(tone_folder, tmp_path):
    with pytest.raises(SettingsError, match=r"training\.epoks: unknown key; did you mean 'epochs'"):
        sayso.train(tone_folder, overrides=["training.epoks=1"], out=tmp_path / "run")


@pytest.mark.usefixtures("few_voices")
def test_labels_of_any_script_go_all_the_way(tmp_path):
    rng = np.random.default_rng(0)
    for place, word in enumerate(("да", "左 右", "<b>&\"'", "no/way".replace("/", " "))):
        (tmp_path / "clips" / word).mkdir(parents=True)
        for index in range(6):
            tone = np.sin(2 * np.pi * 300 * (place + 1) * np.arange(4000) / 8000) * 0.3 + rng.normal(0, 0.01, 4000)
            soundfile.write(tmp_path / "clips" / word / f"{index}.wav", tone, 8000)
    run = sayso.train(tmp_path / "clips", overrides=["training.epochs=1", "training.threads=1"], out=tmp_path / "run")
    assert set(run.recognizer().labels) == {"да", "左 右", "<b>&\"'", "no way"}
    assert set(json.loads((run.path / "metrics.json").read_text())["test"]["per_class"]) == set(run.recognizer().labels)
    assert "<b>&\"'" not in run.report.read_text()


def test_public_names_are_what_they_say():
    assert sorted(sayso.__all__) == [
        "Recognizer",
        "Run",
        "Stream",
        *("__version__", "dataset", "load", "resume", "train"),
    ]
    for name in sayso.__all__:
        assert getattr(sayso, name) is not None
    with pytest.raises(AttributeError):
        _ = sayso.nonsense


def test_clips_that_changed_are_not_scored_on_as_if_they_had_not(tone_folder, tmp_path):
    run = small_run(tone_folder, tmp_path / "run")
    assert run.evaluate()["n"] == run.metrics()["test"]["n"]
    clip = next(tone_folder.rglob("ann_0.wav"))
    (clip.parent / "ann_9.wav").write_bytes(clip.read_bytes())
    clips = sum(run.manifest()["clips"].values())
    with pytest.raises(RunError, match=rf"clips have changed since it was trained \({clips} then, {clips + 1} now\); "):
        run.evaluate()


def test_a_run_that_lost_patience_ends_the_same_when_its_report_is_made_later(tone_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(split, "LEAST_TO_CHOOSE", 1)
    keys = {"epochs": 12, "patience": 1, "learning_rate": 1e-8}
    whole = small_run(tone_folder, tmp_path / "whole", **keys)
    late = sayso.resume(stopped_run(tone_folder, tmp_path / "late", monkeypatch, **keys).path)
    assert late.manifest()["epochs"] == whole.manifest()["epochs"] < 12
    assert late.weights.read_bytes() == whole.weights.read_bytes()


def test_a_training_that_diverges_says_so(tone_folder, tmp_path):
    with pytest.raises(RunError, match=r"diverged in epoch \d+, .* lower training\.learning_rate"):
        small_run(tone_folder, tmp_path / "run", learning_rate=1e30)
    assert not (tmp_path / "run").exists()


def fails(*_, **__):
    raise RunError("it failed")


def test_what_failed_before_an_epoch_takes_back_what_it_made(tone_folder, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr("sayso.training.fit", fails)
        for name in ("runs/new", "empty"):
            with pytest.raises(RunError, match="it failed"):
                small_run(tone_folder, tmp_path / name)
    assert not (tmp_path / "runs").exists()
    assert (tmp_path / "empty").is_dir()
    assert small_run(tone_folder, tmp_path / "empty", epochs=1).finished


def test_a_run_that_diverges_at_once_leaves_no_tracker_behind(tone_folder, tmp_path):
    keys = {"track": "tensorboard", "optimizer": "sgd", "learning_rate": 1e30, "epochs": 1}
    with pytest.raises(RunError, match="diverged"):
        small_run(tone_folder, tmp_path / "run", **keys)
    assert not (tmp_path / "run").exists()


def test_what_others_put_into_a_failed_runs_folder_stays(tone_folder, tmp_path, monkeypatch):
    def fails_later(*_, **__):
        (tmp_path / "run" / "notes.txt").write_text("mine")
        fails()

    monkeypatch.setattr("sayso.training.fit", fails_later)
    with pytest.raises(RunError, match="it failed"):
        small_run(tone_folder, tmp_path / "run")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["notes.txt"]


def test_what_failed_after_an_epoch_stays_to_be_resumed(tone_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(finish, "export", fails)
    with pytest.raises(RunError, match="it failed"):
        small_run(tone_folder, tmp_path / "run", epochs=1)
    assert load(tmp_path / "run").resume.exists()


def test_overrides_lie_over_a_recipe_object_too(tone_folder, tmp_path):
    from runs_made import small_recipe

    run = sayso.train(small_recipe(tone_folder), overrides=["training.epochs=1"], out=tmp_path / "run")
    assert run.settings.training.epochs == 1


def test_a_folder_is_not_quietly_left_for_another_dataset(tone_folder, tmp_path):
    with pytest.raises(SettingsError, match=r"dataset\.kind: must be folder"):
        sayso.train(tone_folder, overrides=["dataset.kind=fsdd"], out=tmp_path / "run")


@pytest.mark.parametrize("content", [b"junk", b"", b"[1]"])
def test_a_damaged_state_is_one_line(content, tone_folder, tmp_path, monkeypatch):
    run = stopped_run(tone_folder, tmp_path / "run", monkeypatch)
    run.resume.write_bytes(content)
    with pytest.raises(ModelError, match="cannot be read; remove it"):
        sayso.resume(run.path)


def test_a_run_resumed_on_other_hardware_says_so_and_keeps_both(tone_folder, tmp_path, monkeypatch):
    class Notes(Progress):
        def __init__(self):
            self.notes = []

        def note(self, text):
            self.notes.append(text)

    def resume(run, *, dies=False):
        with monkeypatch.context() as patch:
            if dies:
                patch.setattr(finish, "export", fails)
            notes = Notes()
            with pytest.raises(RunError, match="it failed") if dies else nullcontext():
                sayso.resume(run.path, progress=notes)
        return [note for note in notes.notes if note.startswith("resumed with")], run.manifest()

    run = stopped_run(tone_folder, tmp_path / "run", monkeypatch, epochs=1, precision="float32")
    monkeypatch.setattr("sayso.training.preflight.choose_hardware", lambda *_: Hardware(torch.device("cpu"), True, 3))
    notes, manifest = resume(run, dies=True)
    begun = {"processes": 1, "threads": 1, "device": "cpu", "precision": "float32"}
    assert len(notes) == 1
    assert "threads 3 instead of 1, precision bf16 instead of float32: the last bits may differ" in notes[0]
    assert manifest["begun_with"] == begun
    # Once more, with nothing changed since: told no second time, and not forgotten.
    again, manifest = resume(run)
    assert again == []
    assert (manifest["finished"], manifest["threads"], manifest["precision"]) == (True, 3, "bf16")
    assert manifest["begun_with"] == begun
    assert notes[0] in manifest["notes"]


def test_a_run_resumed_on_the_same_hardware_says_nothing(tone_folder, tmp_path, monkeypatch):
    run = sayso.resume(stopped_run(tone_folder, tmp_path / "run", monkeypatch, epochs=1).path)
    assert "begun_with" not in run.manifest()
    assert not any(note.startswith("resumed") for note in run.manifest()["notes"])
