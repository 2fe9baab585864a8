"""Live sound is heard as the stream itself hears it, and clips are cut just where it was judged."""

import csv
import gc
import weakref

import numpy as np
import pytest
import soundfile

from sayso.audio import quantise, to_float
from sayso.runtime import Stream, StreamSettings
from sayso.runtime.keeping import KEPT_TABLE, Keeper
from sayso.runtime.listener import Listener, listen
from sayso.runtime.live import Source
from streams_made import RATE, export_model, sound

EAGER = StreamSettings(threshold=0.45)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return export_model(tmp_path_factory.mktemp("listener"))


class Blocks(Source):
    """Sound that is there already, in blocks; None is a gap, an error is raised."""

    def __init__(self, *blocks):
        self.name, self.sample_rate, self._blocks = "blocks", RATE, blocks

    def blocks(self):
        for block in self._blocks:
            if isinstance(block, BaseException):
                raise block
            yield None if block is None else block[:, None]


def heard(listener, *blocks):
    found = []
    has_ended = listen(Blocks(*blocks), listener, on_detection=found.append, on_block=lambda: None)
    return has_ended, found


def alike(found, expected):
    """Whether detections are the same, but for the last digits of their scores, which move with the chunks."""
    facts = [[(each.word, each.start, each.end) for each in side] for side in (found, expected)]
    scores = [[each.score for each in side] for side in (found, expected)]
    return facts[0] == facts[1] and scores[0] == pytest.approx(scores[1], abs=1e-5)


@pytest.mark.parametrize("rate", [RATE, 44_100])
def test_detections_are_those_of_the_stream(model, rate):
    samples = sound(8, rate)
    stream = Stream(model, sample_rate=rate, settings=EAGER)
    expected = stream.feed(samples) + stream.flush()
    assert len(expected) > 3
    listener = Listener(Stream(model, sample_rate=rate, settings=EAGER), tell=print)
    has_ended, found = heard(listener, *np.array_split(samples, 7))
    assert has_ended
    assert alike(found, expected)
    assert listener.heard_seconds == pytest.approx(8)


def test_the_level_is_that_of_the_newest_sound(model):
    listener = Listener(Stream(model), tell=print)
    for size, level in ((0.5, -6.02), (0.0, -100.0), (1.0, 0.0)):
        list(listener.hear(np.full((RATE, 1), size, np.float32)))
        assert listener.level_db == pytest.approx(level, abs=0.01)


def test_after_a_gap_a_new_stream_begins_and_seconds_go_on(model):
    first, second = sound(4), sound(5, seed=1)
    expected = [Stream(model, settings=EAGER).feed(samples) for samples in (first, second)]
    listener = Listener(Stream(model, settings=EAGER), tell=print)
    _, found = heard(listener, first, None, second)
    assert [each.word for each in found] == [each.word for part in expected for each in part]
    later = found[len(expected[0]) :]
    assert [each.start for each in later] == pytest.approx([4 + each.start for each in expected[1]])
    assert later[0].end == pytest.approx(4 + expected[1][0].end)


def test_what_is_kept_is_the_sound_that_was_judged(model, tmp_path):
    samples = quantise(sound(8))
    keeper = Keeper(tmp_path, print)
    _, found = heard(Listener(Stream(model, settings=EAGER), tell=print, keeper=keeper), samples[:RATE], samples[RATE:])
    with (tmp_path / KEPT_TABLE).open(newline="") as file:
        rows = list(csv.DictReader(file))
    fired = [row for row in rows if row["outcome"] == "fired"]
    assert [(row["label"], float(row["stream_seconds"])) for row in fired] == [
        (each.word, each.start) for each in found
    ]
    assert keeper.kept["near"] == len(rows) - len(fired) > 0
    judged = {each.start: each for each in Stream(model, settings=EAGER).judge(samples)}
    for row in rows:
        clip, rate = soundfile.read(tmp_path / row["path"], dtype="int16")
        start = round(float(row["stream_seconds"]) * RATE)
        assert (rate, len(clip)) == (RATE, 17_280)
        np.testing.assert_array_equal(clip, samples[start : start + len(clip)])
        scores = judged[float(row["stream_seconds"])].scores
        assert float(row["score"]) == pytest.approx(scores[("up", "down", "left").index(row["label"])], abs=1e-4)


def test_what_is_kept_of_the_past_does_not_grow(model, tmp_path):
    listener = Listener(Stream(model, settings=EAGER), tell=print, keeper=Keeper(tmp_path, print))
    sizes = []
    for seed in range(3):
        list(listener.hear(to_float(quantise(sound(10, seed=seed)))[:, None]))
        sizes.append(listener._past.nbytes)
    assert len(set(sizes)) == 1
    assert sizes[0] < 3 * RATE * 2


def test_ctrl_c_ends_it_and_what_nearly_fired_is_kept(model, tmp_path):
    keeper = Keeper(tmp_path, print)
    never = StreamSettings(threshold=0.6, margin=1.0)
    listener = Listener(Stream(model, settings=never), tell=print, keeper=keeper)
    assert heard(listener, sound(1.3), KeyboardInterrupt()) == (False, [])
    assert keeper.kept["fired"] == 0
    assert keeper.kept["near"] >= 1


def test_nonsense_is_silence_and_the_rest_is_heard(model):
    told: list[str] = []
    samples = sound(6)
    samples[20_000:20_100] = np.nan
    listener = Listener(Stream(model, settings=EAGER), tell=told.append)
    _, found = heard(listener, samples[:30_000], samples[30_000:])
    assert alike(found, Stream(model, settings=EAGER).feed(np.nan_to_num(samples)))
    assert len(told) == 1


def test_a_listener_goes_with_whoever_listens_as_the_program_ends_without_looking_for_garbage(model):
    listener = Listener(Stream(model, settings=EAGER), tell=lambda text: None)
    heard(listener, sound(2))
    stream = weakref.ref(listener.stream)
    gc.disable()
    try:
        del listener
        assert stream() is None
    finally:
        gc.enable()
