"""Neighbours against a plain search, and wrong labels that were planted among clouds of points."""

import numpy as np
import pytest

from sayso.metrics.neighbours import find_neighbours, find_outliers, standardise


def clouds(words=6, each=40, spread=0.5, seed=0):
    """Points around the corner of a simplex for each word; gives them and their words."""
    rng = np.random.default_rng(seed)
    targets = np.repeat(np.arange(words), each)
    return (np.eye(words, 20)[targets] + spread / 4 * rng.normal(size=(len(targets), 20))).astype(np.float32), targets


def test_neighbours_are_those_of_a_plain_search():
    vectors = standardise(np.random.default_rng(1).normal(size=(1_500, 7)).astype(np.float32))
    near = find_neighbours(vectors, 5)
    for place in (0, 700, 1_023, 1_024, 1_499):
        alike = vectors @ vectors[place]
        alike[place] = -2
        assert near.places[place].tolist() == np.argsort(-alike)[:5].tolist()
        assert near.cosines[place] == pytest.approx(np.sort(alike)[::-1][:5], abs=1e-6)


def test_standardised_numbers_have_one_scale_and_those_that_never_change_say_nothing():
    vectors = np.array([[1, 5, 100], [2, 5, 300], [3, 5, 200]], np.float32)
    scaled = standardise(vectors)
    assert np.all(scaled[:, 1] == 0)
    assert np.linalg.norm(scaled, axis=1)[[0, 1]] == pytest.approx(1)
    assert np.all(standardise(np.ones((3, 2), np.float32)) == 0)


@pytest.mark.parametrize("seed", range(5))
def test_planted_labels_are_found_and_no_others(seed):
    vectors, targets = clouds(seed=seed)
    rng = np.random.default_rng(seed)
    wrong = rng.permutation(len(targets))[:12]
    planted = targets.copy()
    planted[wrong] = (targets[wrong] + rng.integers(1, 6, len(wrong))) % 6
    outliers, asked = find_outliers(standardise(vectors), planted)
    assert asked == 10
    named = {outlier.place for outlier in outliers}
    assert len(named & {*wrong.tolist()}) >= 8  # two that were given one word hide each other
    assert len(named - {*wrong.tolist()}) <= 1
    assert all(outlier.word == targets[outlier.place] for outlier in outliers if outlier.place in wrong)
    shares = [outlier.share for outlier in outliers]
    assert shares == sorted(shares, reverse=True)


def test_right_labels_are_left_alone():
    vectors, targets = clouds()
    assert find_outliers(standardise(vectors), targets)[0] == []


@pytest.mark.parametrize(("words", "each", "asked"), [(1, 40, 0), (2, 2, 0), (3, 8, 4), (3, 12, 6), (0, 0, 0)])
def test_few_clips_are_asked_by_few_neighbours_or_by_none(words, each, asked):
    vectors, targets = clouds(words=max(words, 1), each=each)
    assert find_outliers(vectors, targets)[1] == asked


def test_a_word_of_few_clips_is_not_judged():
    vectors, targets = clouds(words=3)
    rare = np.concatenate((targets, [3]))
    assert find_outliers(standardise(np.concatenate((vectors, vectors[:1]))), rare)[0] == []
