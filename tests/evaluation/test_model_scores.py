"""A model's scores are those of its answers, part by part."""

import numpy as np

from runs_made import small_prepared
from sayso.classifier.inference import predict_probabilities
from sayso.classifier.module import Classifier
from sayso.evaluation.calibration import calibrate, find_temperature
from sayso.evaluation.model_scores import score_model, score_rows


def untrained(folder, **keys):
    prepared = small_prepared(folder, **keys)
    return prepared, Classifier(prepared.recipe, prepared.corpus.labels).eval()


def test_every_part_is_scored_and_the_seen_ones_by_sums_alone(tone_folder):
    prepared, classifier = untrained(tone_folder)
    shares = predict_probabilities(classifier, prepared.corpus, prepared.split.test)
    metrics = score_model(classifier, prepared, shares)
    counted = {part: metrics[part]["n"] for part in ("train", "validation", "test")}
    assert counted == {part: len(prepared.rows(part)) for part in counted}
    targets = prepared.corpus.targets[prepared.split.test]
    assert metrics["test"]["accuracy"] == np.mean(shares.argmax(axis=1) == targets)
    assert "per_speaker" in metrics["test"]
    assert "per_speaker" not in metrics["train"]
    assert metrics["labels"] == list(prepared.corpus.labels)
    assert "rejection" not in metrics


def test_without_validation_clips_there_is_no_such_part(tone_folder):
    prepared, classifier = untrained(tone_folder, validation="none")
    metrics = score_model(classifier, prepared, predict_probabilities(classifier, prepared.corpus, prepared.split.test))
    assert "validation" not in metrics
    assert metrics["calibration"]["fitted_on"] is None


def test_rows_are_scored_by_the_labels_of_the_model_in_its_own_order(tone_folder):
    prepared, _ = untrained(tone_folder)
    rows = prepared.split.test
    labels = tuple(reversed(prepared.corpus.labels))
    right = np.eye(3)[[labels.index(prepared.corpus.clips[row].label) for row in rows]]
    assert score_rows(prepared.corpus, rows, right, labels)["accuracy"] == 1


def test_the_temperature_is_fitted_whatever_the_model_had(tone_folder):
    prepared, classifier = untrained(tone_folder)
    rows = prepared.split.validation
    first = find_temperature(classifier, prepared.corpus, rows)
    classifier.temperature = 7.0
    assert find_temperature(classifier, prepared.corpus, rows) == first
    assert classifier.temperature == 7.0
    calibrate(classifier, prepared.corpus, rows)
    assert classifier.temperature == first
