"""Temperature and reliability against what is known of made-up models."""

import numpy as np
import pytest

from sayso.metrics.calibration import (
    LOWEST_TEMPERATURE,
    expected_calibration_error,
    fit_temperature,
    reliability,
    uncalibrated,
)
from sayso.metrics.probabilities import softmax


def made(temperature, clips=20_000, classes=5):
    """Logits that are right as often as they say once they are divided by this temperature."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (clips, classes))
    shares = softmax(logits.astype(np.float32)).cumsum(axis=1)
    targets = np.minimum((rng.random((clips, 1)) > shares).sum(axis=1), classes - 1)
    return (logits * temperature).astype(np.float32), targets


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_the_temperature_is_found_again_and_mends_the_probabilities(temperature):
    logits, targets = made(temperature)
    found = fit_temperature(logits, targets)
    assert found == pytest.approx(temperature, rel=0.04)
    before, after = softmax(logits), softmax(logits / np.float32(found))
    assert expected_calibration_error(targets, after) < 0.015
    if temperature != 1:
        assert expected_calibration_error(targets, before) > 0.05
    np.testing.assert_allclose(uncalibrated(after, found), before, atol=1e-6)


def test_a_few_clips_that_are_all_right_do_not_make_a_model_that_never_errs():
    logits = np.tile(np.array([[4.0, 0.0, 0.0]], np.float32), (98, 1))
    found = fit_temperature(logits, np.zeros(98, np.int64))
    assert found > LOWEST_TEMPERATURE
    assert softmax(logits / np.float32(found))[0, 0] == pytest.approx(99 / 100, abs=1e-4)


@pytest.mark.parametrize(("clips", "share"), [(5, 0.1), (25, 0.5), (50, 1.0), (300, 1.0)])
def test_few_clips_draw_the_temperature_only_part_of_the_way(clips, share):
    # Right in four of five: the logits are to state (4 n / 5 + ...) of it, whatever n is, up to Platt's smoothing.
    logits = np.tile(np.array([[3.0, 0.0]], np.float32), (clips, 1))
    targets = (np.arange(clips) % 5 == 0).astype(np.int64)
    stated = (0.8 * (clips + 1) + 0.2) / (clips + 2)
    asked = 3 / np.log(stated / (1 - stated))
    assert np.log(fit_temperature(logits, targets)) == pytest.approx(share * np.log(asked), rel=1e-6)


def test_five_clips_do_not_make_the_probabilities_of_a_good_model_worse():
    logits, targets = made(1.0, clips=4000)
    logits *= 2.5  # sure, and right in most
    rng = np.random.default_rng(1)
    targets = np.where(rng.random(4000) < 0.95, logits.argmax(axis=1), targets)
    plain = expected_calibration_error(targets, softmax(logits))
    errors = []
    for _ in range(40):
        five = rng.choice(4000, 5, replace=False)
        found = fit_temperature(logits[five], targets[five])
        errors.append(expected_calibration_error(targets, softmax(logits / np.float32(found))))
    assert np.mean(errors) < plain + 0.02


def test_without_clips_there_is_no_temperature():
    assert fit_temperature(np.zeros((0, 3), np.float32), np.zeros(0, np.int64)) == 1


def test_reliability_by_hand():
    probabilities = np.array([[0.95, 0.05], [0.97, 0.03], [0.4, 0.6], [0.0, 1.0]])
    rows = reliability(np.array([0, 1, 1, 1]), probabilities, bins=10)
    assert [row["n"] for row in rows] == [1, 3]
    assert rows[0] == {"n": 1, "confidence": pytest.approx(0.6), "accuracy": 1.0}
    assert rows[1]["accuracy"] == pytest.approx(2 / 3)
    assert rows[1]["confidence"] == pytest.approx(2.92 / 3)
    gap = (0.4 + 3 * (2.92 / 3 - 2 / 3)) / 4
    assert expected_calibration_error(np.array([0, 1, 1, 1]), probabilities, bins=10) == pytest.approx(gap)
