"""Streams until the hours are there: all background and all clips once before one comes again."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from sayso.audio import AudioFormat
from sayso.data.clips import Clip
from sayso.data.corpus import Corpus
from sayso.studies.tuning import material
from sayso.studies.tuning.material import Material, Recording, draw_groups, replays
from sayso.studies.tuning.rooms import in_rooms

RATE = 8000


@pytest.fixture
def made():
    """Seven clips of two words, two recordings of 40 and 10 s."""
    rng = np.random.default_rng(0)
    clips = tuple(Clip(f"{place}.wav", ("up", "down")[place % 2]) for place in range(7))
    samples = rng.integers(-3000, 3000, (7, 4000), dtype=np.int16)
    audio = AudioFormat(sample_rate=RATE, clip_seconds=0.5)
    recordings = [
        Recording(name, rng.integers(-900, 900, count * RATE, dtype=np.int16))
        for name, count in (("long", 40), ("short", 10))
    ]
    return Material(Corpus(clips, samples, audio), np.arange(7), tuple(recordings), ())


def test_long_recordings_are_cut_evenly(made):
    assert [(piece.name, len(piece.samples)) for piece in made.pieces] == [
        ("long", 106_667),
        ("long", 106_667),
        ("long", 106_666),
        ("short", 80_000),
    ]
    assert made.hours == pytest.approx(50 / 3600)


def test_everything_comes_once_before_it_comes_again(made, monkeypatch):
    monkeypatch.setattr(material, "STREAM_SECONDS", 20.0)
    streams = list(replays(made, hours=180 / 3600, rng=np.random.default_rng(0)))
    assert sum(one.stream.seconds for one in streams) >= 180
    assert sum(one.stream.seconds for one in streams[:-1]) < 180
    pieces = [piece for one in streams for piece in one.pieces]
    assert sorted(pieces[:4]) == sorted(pieces[4:8]) == [0, 1, 2, 3]
    rows = [row for one in streams for row in one.rows]
    assert max(Counter(rows).values()) - min(Counter(rows).values()) <= 1
    assert sorted(rows[:7]) == list(range(7))
    for one in streams:
        assert [stretch.label for stretch in one.stream.truth] == [("up", "down")[row % 2] for row in one.rows]
        assert [place.name == "short" for place in one.stream.places].count(True) == one.pieces.count(3)


def test_a_replay_is_another_draw_and_the_same_seed_the_same_draw(made):
    first, again = replays(made, hours=120 / 3600, rng=np.random.default_rng(5))
    assert not np.array_equal(first.stream.samples[:RATE], again.stream.samples[:RATE])
    same = next(replays(made, hours=1 / 3600, rng=np.random.default_rng(5)))
    np.testing.assert_array_equal(same.stream.samples, first.stream.samples)


def test_rooms_are_drawn_for_a_share_of_the_words_and_the_truth_stays(made):
    roomy = replace(made, rooms=0.5)
    streams = list(replays(roomy, hours=300 / 3600, rng=np.random.default_rng(0)))
    drawn = [in_room for one in streams for in_room in one.in_room]
    assert 0.3 < np.mean(drawn) < 0.7
    assert all(len(one.in_room) == len(one.stream.truth) for one in streams)
    assert all(stretch.end - stretch.start < 0.51 for one in streams for stretch in one.stream.truth)


def test_groups_hold_every_piece_once_before_one_again(made):
    groups = draw_groups(made, np.random.default_rng(0), share_of_stream=1 / 60)
    first = [next(groups) for _ in range(4)]
    assert sorted(piece for group in first for piece in group) == [0, 1, 2, 3]
    assert sorted(piece for _ in range(4) for piece in next(groups)) == [0, 1, 2, 3]


def test_a_room_goes_on_after_the_sound_and_is_as_loud():
    clicks = np.zeros((3, RATE // 2), np.float32)
    clicks[:, 100] = 0.5
    heard = in_rooms(clicks, RATE, np.random.default_rng(0))
    assert heard.shape == (3, RATE // 2 + round(0.6 * RATE))
    assert all(np.square(row[2000:]).sum() > 0 for row in heard)
    np.testing.assert_allclose(np.square(heard).sum(1), 0.25, rtol=0.02)
    assert not np.array_equal(heard[0], heard[1])
    assert in_rooms(clicks, RATE, np.random.default_rng(0), echo=False).shape == clicks.shape
