"""What the interval over speakers promises, in small; `docs/interval_coverage.py` does the whole of it."""

import json

import interval_coverage
import numpy as np
import pytest
from interval_coverage import Cell, simulated

from sayso.metrics.intervals import speaker_interval, speaker_intervals


@pytest.mark.parametrize("speakers", [6, 20, 60, 600])
@pytest.mark.parametrize(("kind", "spread"), [("beta", 0.05), ("logit-normal", 1.0)])
@pytest.mark.parametrize("unequal", [False, True])
def test_it_covers_the_truth_where_wilson_over_clips_does_not(speakers, kind, spread, unequal):
    row = simulated(Cell(speakers, 30, 0.9, kind, spread, unequal), corpora=500)
    least, most = (0.90, 0.98) if speakers < 20 else (0.93, 0.97)
    noise = 2 * (0.95 * 0.05 / 500) ** 0.5
    assert least - noise <= row["over_speakers"] <= most + noise
    assert row["over_clips"] < 0.9


def test_simulated_accuracies_have_the_mean_they_are_to_have():
    for kind, spread in (("beta", 0.05), ("logit-normal", 1.0)):
        hits, clips = Cell(100, 50, 0.95, kind, spread, True).corpora(400)
        assert hits.sum() / clips.sum() == pytest.approx(0.95, abs=0.002)


def test_many_corpora_are_as_one_by_one():
    rng = np.random.default_rng(0)
    clips = rng.integers(1, 40, (5, 8))
    hits = rng.binomial(clips, 0.8)
    for row, limits in enumerate(speaker_intervals(hits, clips)):
        assert speaker_interval(hits[row].tolist(), clips[row].tolist()) == pytest.approx(tuple(limits))


def test_equal_speakers_by_hand():
    # 4 speakers x 25 clips, 82 of 100 right: share 83 / 102. Of 3 degrees of freedom by design, and by outcome more.
    low, high = speaker_interval([23, 18, 22, 19], [25] * 4)
    share = 83 / 102
    squares = np.square(np.array([23, 18, 22, 19]) - 25 * share) / 0.75
    spread = 3.18244630 * np.sqrt(squares.sum()) / 100 / (share * (1 - share))
    assert 2 * squares.sum() ** 2 / np.square(squares).sum() > 3
    centre = np.log(share / (1 - share))
    assert (low, high) == pytest.approx([1 / (1 + np.exp(-(centre + sign * spread))) for sign in (-1, 1)])


def test_one_speaker_who_fails_is_known_as_badly_as_from_two():
    even = speaker_interval([45] * 10, [50] * 10)
    one_fails = speaker_interval([50] * 9 + [0], [50] * 10)
    assert one_fails[0] < 0.5 < even[0]


def test_the_page_is_made_of_the_numbers_and_the_numbers_of_the_method(monkeypatch):
    assert interval_coverage.main(["--check"]) == 0
    rows = json.loads(interval_coverage.NUMBERS.read_text())
    monkeypatch.setattr(interval_coverage, "speaker_intervals", lambda hits, clips: np.tile([0.0, 1.0], (len(hits), 1)))
    assert any("covers something else" in line for line in interval_coverage._stale(rows))
