"""A stream answers as whole windows do, at any rate and in any chunks, and stays as it is when it is fed nonsense."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soxr

from sayso.audio import quantise, to_float
from sayso.errors import AudioError, ModelError, SettingsError
from sayso.runtime import Recognizer, Stream, StreamSettings, WordThreshold
from streams_made import HOP, LENGTH, RATE, WORDS, export_model, sound


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """An exported model with random weights, whose answers move with the sound."""
    return export_model(tmp_path_factory.mktemp("stream"))


def in_chunks(stream, samples, seed=0, most=9000):
    """The answers, fed in chunks of random lengths, a single sample among them."""
    rng = np.random.default_rng(seed)
    parts, place = [], 0
    while place < len(samples):
        count = int(rng.choice([1, 7, rng.integers(1, most)]))
        parts.append(stream.answer(samples[place : place + count]))
        place += count
    return np.concatenate([part.hops for part in parts]), np.concatenate([part.probabilities for part in parts])


@pytest.mark.parametrize("by_windows", [False, True])
@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 44_100, 48_000])
def test_every_hop_equals_the_model_on_its_window(model, rate, by_windows):
    samples = sound(3.3, rate)
    stream = Stream(model, sample_rate=rate, by_windows=by_windows)
    assert stream.form == ("windows" if by_windows else "stateful")
    hops, found = in_chunks(stream, samples, seed=rate)
    whole = quantise(soxr.resample(samples, rate, RATE, quality="HQ") if rate != RATE else samples)
    windows = np.lib.stride_tricks.sliding_window_view(whole, LENGTH)[::HOP]
    expected = Recognizer(model).probabilities(to_float(windows))
    # The last ones still wait in the resampler.
    assert hops.tolist() == list(range(len(hops)))
    assert len(windows) - 2 <= len(hops) <= len(windows)
    assert np.ptp(expected, axis=0).max() > 0.05
    np.testing.assert_allclose(found, expected[: len(found)], atol=1e-5)


def test_flush_gives_what_resampling_held_back_and_begins_anew(model):
    samples = sound(1 + 4 * 0.08, 48_000)
    stream = Stream(model, sample_rate=48_000, settings=StreamSettings(threshold=0.0, smoothing=1))
    first = [stream.feed(samples), stream.flush()]
    assert [stream.feed(samples), stream.flush()] == first
    assert stream.answer(samples).hops.tolist() == [0, 1, 2, 3]


def test_int16_and_floats_are_the_same_stream(model):
    samples = quantise(sound(2))
    numbers = Stream(model).answer(samples).probabilities
    np.testing.assert_array_equal(numbers, Stream(model).answer(to_float(samples).astype(np.float64)).probabilities)
    np.testing.assert_array_equal(numbers, Stream(model).answer(samples.tolist()).probabilities)


def test_nothing_is_known_before_the_first_whole_window(model):
    stream = Stream(model, by_windows=True)
    assert len(stream.answer(sound(0.999)).hops) == 0
    assert stream.answer(sound(0.1)).hops.tolist() == [0, 1]
    assert len(stream.answer([]).hops) == 0


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.array([0.1, np.nan], np.float32), "not numbers"),
        (np.zeros((100, 32), np.float32), r"shape \(100, 32\)"),
        (np.full(100, 300.0), "reach 300"),
        (np.zeros(100, np.int32), "int32"),
        ("noise", "str"),
    ],
)
def test_what_is_no_sound_leaves_the_stream_as_it_was(model, samples, message):
    whole = sound(2)
    stream, other = Stream(model), Stream(model)
    stream.feed(whole[:20_000])
    with pytest.raises(AudioError, match=message):
        stream.feed(samples)
    other.feed(whole[:20_000])
    np.testing.assert_array_equal(
        stream.answer(whole[20_000:]).probabilities, other.answer(whole[20_000:]).probabilities
    )


def test_a_detection_says_where_it_was_heard(model):
    settings = StreamSettings(threshold=0.0, smoothing=2, refractory_seconds=0.5)
    found = Stream(model, settings=settings).feed(sound(2))
    assert found[0].word in WORDS
    assert (found[0].start, found[0].end) == (0.0, 1.0)


def test_each_hop_is_judged_and_the_detections_are_among_them(model):
    settings, samples = StreamSettings(threshold=0.4, smoothing=2), sound(6)
    judged = Stream(model, settings=settings).judge(samples)
    assert [each.hop for each in judged] == list(range(len(judged)))
    assert [round(each.end - 1, 9) for each in judged] == [round(hop * 0.08, 9) for hop in range(len(judged))]
    found = [each.detection for each in judged if each.detection]
    assert found == Stream(model, settings=settings).feed(samples)
    assert found
    assert all(each.scores[WORDS.index(each.detection.word)] >= 0.4 for each in judged if each.detection)


def test_memory_does_not_grow_with_time(model):
    stream = Stream(model, sample_rate=8_000)

    def held():
        hops = stream._hops
        return [hops._rest.size, *(part.size for part in hops._history), *(part.size for part in hops.scorer._state)]

    stream.feed(sound(3, 8_000))
    before = held()
    for seed in range(20):
        stream.feed(sound(4, 8_000, seed))
    assert all(abs(now - then) < HOP for now, then in zip(held(), before, strict=True))


def test_silence_is_not_listened_to_and_what_follows_is_answered_the_same(model):
    # Not of zeros, which a stream begins with: what is not listened to is remembered for what comes after it.
    loud, silent = quantise(sound(2)), np.random.default_rng(1).integers(-9, 10, 4 * RATE).astype(np.int16)
    samples = np.concatenate((loud, silent, loud))
    everything = Stream(model).answer(samples)
    gated = StreamSettings(gate_db=-60)
    for by_windows in (False, True):
        stream = Stream(model, settings=gated, by_windows=by_windows)
        hops, found = in_chunks(stream, samples)
        left_out = set(everything.hops.tolist()) - set(hops.tolist())
        # Those whose whole window is silent, of which there are 37; a chunk is judged as a whole.
        assert 34 <= len(left_out) <= 37
        assert min(left_out) * HOP >= len(loud)
        np.testing.assert_allclose(found, everything.probabilities[hops], atol=1e-5)


def test_another_hop_than_the_file_has_is_taken_by_windows(model):
    stream = Stream(model, settings=StreamSettings(hop_seconds=0.1))
    assert stream.form == "windows"
    assert "has hops of 1280 samples, 1600 are asked for" in stream.note


def test_a_form_of_another_model_is_not_used(model, tmp_path):
    (tmp_path / "stream.onnx").write_bytes(model.with_name("stream.onnx").read_bytes())
    (tmp_path / "model.onnx").write_bytes(model.read_bytes() + b"")
    assert Stream(tmp_path).form == "stateful"
    import onnx

    other = onnx.load(model)
    other.metadata_props.add(key="credit", value="someone")
    onnx.save(other, tmp_path / "model.onnx")
    stream = Stream(tmp_path)
    assert stream.form == "windows"
    assert "belongs to another model.onnx" in stream.note


def test_a_file_that_took_the_place_of_an_open_model_is_not_its_form(model, tmp_path):
    for name in ("model.onnx", "stream.onnx"):
        (tmp_path / name).write_bytes(model.with_name(name).read_bytes())
    recognizer = Recognizer(tmp_path)
    (tmp_path / "other").mkdir()
    other = export_model(tmp_path / "other", seed=1)
    for name in ("model.onnx", "stream.onnx"):
        (tmp_path / name).write_bytes(other.with_name(name).read_bytes())
    stream = Stream(recognizer)
    assert (stream.form, Stream(tmp_path).form) == ("windows", "stateful")
    assert "belongs to another model.onnx" in stream.note


def test_threads_share_one_form_for_streams(model):
    recognizer = Recognizer(model, threads=1)
    with ThreadPoolExecutor(8) as pool:
        files = {id(file) for file, _ in pool.map(lambda _: recognizer.stream_file(HOP, threads=1), range(8))}
    assert len(files) == 1


def test_a_model_file_alone_is_enough(model, tmp_path):
    (tmp_path / "m.onnx").write_bytes(model.read_bytes())
    stream = Stream(tmp_path / "m.onnx")
    assert (stream.form, stream.note) == (
        "windows",
        "listening by whole windows, which costs more: there is no stream.onnx beside the model",
    )


def test_bad_settings_and_files_are_told(model, tmp_path):
    with pytest.raises(SettingsError, match="'stop' is no word"):
        Stream(model, settings=StreamSettings(thresholds=(WordThreshold(word="stop", threshold=0.5),)))
    with pytest.raises(AudioError, match="sample_rate is 10"):
        Stream(model, sample_rate=10)
    with pytest.raises(ModelError, match="no such model file"):
        Stream(tmp_path / "none.onnx")
    (tmp_path / "model.onnx").write_bytes(model.read_bytes())
    (tmp_path / "stream.onnx").write_bytes(model.read_bytes())
    with pytest.raises(ModelError, match="not the streaming form"):
        Stream(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"), [("first", "6000000"), ("lead_samples", str(1 << 40)), ("hop_samples", "0"), ("first", "-1")]
)
def test_counts_that_no_stream_has_are_told(model, tmp_path, key, value):
    import onnx

    for name in ("model.onnx", "stream.onnx"):
        (tmp_path / name).write_bytes(model.with_name(name).read_bytes())
    damaged = onnx.load(tmp_path / "stream.onnx")
    for entry in damaged.metadata_props:
        entry.value = value if entry.key == key else entry.value
    onnx.save(damaged, tmp_path / "stream.onnx")
    with pytest.raises(ModelError, match=r"stream\.onnx: damaged, its graph does not take a stream"):
        Stream(tmp_path)


def test_answers_that_are_not_one_for_each_chunk_are_told(model, tmp_path):
    import onnx

    for name in ("model.onnx", "stream.onnx"):
        (tmp_path / name).write_bytes(model.with_name(name).read_bytes())
    damaged = onnx.load(tmp_path / "stream.onnx")
    logits = damaged.graph.output[0]
    # The first of the answers alone.
    for node in damaged.graph.node:
        node.output[:] = ["all" if each == logits.name else each for each in node.output]
    ends = [onnx.numpy_helper.from_array(np.array([value]), name) for value, name in ((0, "from"), (1, "to"))]
    damaged.graph.initializer.extend(ends)
    damaged.graph.node.append(onnx.helper.make_node("Slice", ["all", "from", "to"], [logits.name]))
    onnx.save(damaged, tmp_path / "stream.onnx")
    with pytest.raises(ModelError, match=r"stream\.onnx: damaged, its answers are not one for each chunk"):
        Stream(tmp_path).feed(sound(2))
