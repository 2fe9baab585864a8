"""What is left behind when a training has ended."""

import json

import numpy as np

from runs_made import small_prepared
from sayso.audio import to_float
from sayso.classifier.inference import predict_probabilities
from sayso.experiment.finish import Begun, finish_run
from sayso.metrics.probabilities import softmax
from sayso.runs.folder import RunFolder
from sayso.runs.predictions import read_predictions
from sayso.runtime import Recognizer
from sayso.training import fit


def finished(folder, out, *, extras):
    prepared, run = small_prepared(folder), RunFolder(out)
    fitted = fit(prepared, run)
    begun = Begun({"finished": False, "name": "x", "notes": ["a note"], "split": "speakers"})
    finish_run(run, prepared, fitted, begun, extras=extras)
    return prepared, run, fitted


def test_answers_scores_and_model_tell_of_the_same_clips(tone_folder, tmp_path):
    prepared, run, fitted = finished(tone_folder, tmp_path / "run", extras=True)
    answers, metrics, manifest = read_predictions(run.predictions_file), run.metrics(), run.manifest()
    test = prepared.split.test
    assert [clip.clip for clip in answers.clips] == [prepared.corpus.clips[row].path for row in test]
    assert metrics["test"]["errors"] == int((~answers.right).sum())
    shares = predict_probabilities(fitted.classifier, prepared.corpus, test)
    np.testing.assert_allclose(answers.probabilities, shares, atol=1e-8)
    logits = Recognizer(run.onnx).logits(to_float(np.array(prepared.corpus.samples[test])))
    np.testing.assert_allclose(softmax(logits), shares, atol=1e-4)
    assert (manifest["finished"], manifest["epochs"], manifest["best_epoch"]) == (True, 2, fitted.best_epoch)
    assert manifest["export"]["max_abs_difference"] <= manifest["export"]["limit"]
    assert "a note" in run.report.read_text()
    assert (run.figures / "confusion_matrix.svg").is_file()
    assert not run.resume.exists()


def test_without_extras_there_are_scores_and_weights_alone(tone_folder, tmp_path):
    _, run, _ = finished(tone_folder, tmp_path / "run", extras=False)
    left = {path.name for path in run.path.iterdir()}
    assert left == {"log.csv", "model.safetensors", "metrics.json", "predictions.csv", "manifest.json"}
    assert run.manifest()["export"] is None


def test_the_manifest_that_says_finished_is_written_last(tone_folder, tmp_path, monkeypatch):
    written = []
    from sayso.experiment import finish, reporting

    for name in ("write_manifest", "write_metrics", "write_predictions", "write_report", "save_model"):
        place = reporting if name == "write_report" else finish
        real = getattr(place, name)
        note = lambda *given, real=real, name=name: (written.append(name), real(*given))  # noqa: E731
        monkeypatch.setattr(place, name, note)
    _, run, _ = finished(tone_folder, tmp_path / "run", extras=True)
    assert written[-1] == "write_manifest"
    assert set(written) == {"write_manifest", "write_metrics", "write_predictions", "write_report", "save_model"}
    assert json.loads(run.manifest_file.read_text())["finished"] is True
