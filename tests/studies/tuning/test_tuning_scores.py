"""Scores on streams whose answers are written by hand."""

import numpy as np
import pytest

from sayso.data.clips import Clip
from sayso.data.made_streams import Place
from sayso.metrics.detection import Stretch
from sayso.metrics.rates import poisson_interval
from sayso.runtime.hops import Answers
from sayso.runtime.replay import Replay
from sayso.runtime.stream_settings import StreamSettings
from sayso.studies.tuning.listening import Heard, HeardPart
from sayso.studies.tuning.scores import score_part

RATE, WINDOW = 16_000, 16_000
CLIPS = (Clip("a.wav", "up", "ann"), Clip("b.wav", "up", "bob"), Clip("c.wav", "down", "ann"))
HOP_SECONDS = 0.08


@pytest.fixture
def scored():
    """A stream of 100 s: 'up' twice and 'down' once said; one 'up' is heard, and 'up' over quiet and over talk."""
    replay = Replay(("up", "down"), StreamSettings(smoothing=1), sample_rate=RATE, window_samples=WINDOW)
    shares = np.full((1238, 2), 0.01)
    for end in (10.2, 30.0, 60.0):
        shares[round((end - 1) / HOP_SECONDS), 0] = 0.9
    truth = (Stretch("up", 9.6, 10.0), Stretch("up", 50.0, 50.4), Stretch("down", 80.0, 80.4))
    track = replay.track(Answers(np.arange(1238), shares), seconds=100.0, truth=truth)
    # What was detected at 60.0 was heard about half a second before.
    places = (Place("quiet", 0.0, 59.7), Place("talk", 59.7, 100.0))
    part = HeardPart((Heard(track, (0, 1, 2), places, (True, False, True), (5.0, 12.0, 20.0)),), 0.02)
    return score_part(replay, part, [{"up": 0.5, "down": 0.5}], CLIPS)


def test_misses_are_counted_over_speakers(scored):
    up = scored["per_word"]["up"]["misses"]
    assert (up["n"], up["clips"], up["missed"], up["rate"], up["over"]) == (2, 2, 1, 0.5, "speakers")
    down = scored["per_word"]["down"]["misses"]
    assert (down["n"], down["missed"], down["ci95"], down["over"]) == (1, 1, None, None)
    assert scored["misses"]["missed"] == 2
    low, high = scored["misses"]["ci95"]
    assert low < 2 / 3 < high


def test_alarms_have_limits_over_independent_hours_and_sources(scored):
    alarms = scored["per_word"]["up"]["alarms"]
    assert alarms["n"] == 2
    assert alarms["per_hour"] == pytest.approx(72.0)
    # 2 alarms in 100 s are 1.44 in the 72 s of different background: one at least, two at most.
    assert alarms["poisson_ci95"] == [poisson_interval(1, 0.02)[0], poisson_interval(2, 0.02)[1]]
    assert alarms["sources_fired"] == 1
    assert scored["fired"] == [{"source": "quiet", "alarms": 2, "seconds": 59.7}]
    assert scored["sources"] == 2
    assert scored["per_word"]["down"]["alarms"]["n"] == 0
    assert scored["per_word"]["down"]["alarms"]["sources_ci95"] is None


def test_latency_is_from_the_end_of_the_word(scored):
    assert scored["latency"]["median"] == pytest.approx(0.2, abs=HOP_SECONDS / 2)
    assert scored["per_word"]["down"]["latency"] is None


def test_misses_are_told_by_room_and_level(scored):
    told = {name: (own["n"], own["missed"]) for name, own in scored["by_condition"].items()}
    assert told == {
        "in a simulated room": (2, 1),
        "in no room": (1, 1),
        "5 to 10 dB": (1, 0),
        "10 to 15 dB": (1, 1),
        "15 to 20 dB": (1, 1),
    }


def test_each_listener_has_thresholds_of_its_own():
    replay = Replay(("up", "down"), StreamSettings(smoothing=1), sample_rate=RATE, window_samples=WINDOW)
    shares = np.full((600, 2), 0.01)
    shares[round((10.2 - 1) / HOP_SECONDS), 0] = 0.6
    track = replay.track(Answers(np.arange(600), shares), seconds=50.0, truth=(Stretch("up", 9.6, 10.0),))
    places = (Place("quiet", 0.0, 50.0),)
    heard = [Heard(track, (0,), places, (False,), (9.0,), listener=place) for place in (0, 1)]
    part = HeardPart(tuple(heard), 0.01)
    strict, loose = {"up": 0.7, "down": 0.7}, {"up": 0.5, "down": 0.5}
    assert score_part(replay, part, [loose, loose], CLIPS)["misses"]["missed"] == 0
    assert score_part(replay, part, [loose, strict], CLIPS)["misses"]["missed"] == 1
    assert part.tracks_of_others(0) == (heard[1].track,)
