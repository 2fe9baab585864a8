"""Streams by WebSocket, without a network: what is told, and what garbage is answered."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("starlette", reason="needs the extra serve")

from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from api_made import OWN, check_schema, make_api
from sayso.audio import quantise
from sayso.errors import ModelError
from sayso.runtime import Recognizer, Stream, StreamSettings
from sayso.serve.api import stream_session
from sayso.serve.models import name_models
from tone_model_made import make_tone_model, recording

ASKED = {"rate": 16_000, "format": "s16le"}
PLACE = "ws://127.0.0.1:8080/api/stream"
END = json.dumps({"type": "end"})
SCHEMAS = {
    "ready": "StreamReady",
    "detection": "StreamDetection",
    "hop": "StreamHop",
    "note": "StreamNote",
    "end": "StreamEnd",
    "error": "StreamError",
}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    paths = [make_tone_model(folder / name) for name in ("tones.onnx", "other.onnx")]
    return name_models([(Recognizer(path, threads=1), None) for path in paths], lambda text: None)


@pytest.fixture(scope="module")
def workers():
    with ThreadPoolExecutor(2) as workers:
        yield workers


@pytest.fixture
def told():
    return []


@pytest.fixture
def page(models, workers, told):
    return TestClient(make_api(models, workers, tell=told.append)[1], base_url=OWN)


@contextmanager
def stream(page, **asked):
    with page.websocket_connect(PLACE) as socket:
        socket.send_text(json.dumps(ASKED | asked))
        assert receive(socket)["type"] == "ready"
        yield socket


def receive(socket):
    message = socket.receive_json()
    return check_schema(message, SCHEMAS[message["type"]])


def rest(socket):
    """All that comes until it is closed, and how that is done."""
    messages = []
    try:
        while True:
            messages.append(receive(socket))
    except WebSocketDisconnect as closed:
        return messages, closed.code, closed.reason


def hear(page, data, sizes, **asked):
    with stream(page, **asked) as socket:
        first = 0
        while first < len(data):
            size = next(sizes)
            socket.send_bytes(data[first : first + size])
            first += size
        socket.send_text(END)
        messages, code, _ = rest(socket)
    assert code == 1000
    return messages


def detections(messages):
    return [(each["word"], each["end"]) for each in messages if each["type"] == "detection"]


def forever(*sizes):
    while True:
        yield from sizes


WORDS = recording(6, [("low", 1.5), ("high", 3.5)])


@pytest.mark.parametrize("sizes", [[640], [1], [7, 0, 3001], [1 << 19]])
def test_detections_are_those_of_a_stream_whatever_the_frames(page, models, sizes):
    samples = WORDS if sizes != [1] else WORDS[:200]
    wanted = [(each.word, each.end) for each in Stream(models["tones"].recognizer).feed(quantise(samples))]
    messages = hear(page, quantise(samples).tobytes(), forever(*sizes))
    assert detections(messages) == wanted
    assert (len(wanted) == 2) == (sizes != [1])
    assert messages[-1] == {"type": "end", "seconds": len(samples) / 16_000}


def test_a_sample_that_never_ends_is_told(page):
    messages = hear(page, quantise(WORDS).tobytes() + b"x", forever(640))
    assert [each["text"] for each in messages if each["type"] == "note"] == [
        "the sound ends amid a sample: 1 byte left out"
    ]
    assert len(detections(messages)) == 2


def test_floats_at_another_rate_are_heard(page, models):
    samples = recording(6, [("low", 1.5), ("high", 3.5)], rate=44_100)
    reference = Stream(models["tones"].recognizer, sample_rate=44_100)
    wanted = [(each.word, each.end) for each in reference.feed(samples) + reference.flush()]
    found = detections(hear(page, samples.astype("<f4").tobytes(), forever(8192), rate=44_100, format="f32le"))
    assert found == wanted
    assert [word for word, _ in found] == ["low", "high"]


def test_each_hop_is_told_where_asked(page, models):
    wanted = Stream(models["tones"].recognizer).judge(quantise(WORDS))
    messages = hear(page, quantise(WORDS).tobytes(), forever(640), hops=True)
    hops = [each for each in messages if each["type"] == "hop"]
    assert [(each["start"], each["end"]) for each in hops] == [(each.start, each.end) for each in wanted]
    np.testing.assert_array_equal([list(each["scores"].values()) for each in hops], [each.scores for each in wanted])
    assert list(hops[0]["scores"]) == ["low", "high"]
    assert detections(messages)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"threshold": 1.0}, []),
        ({"threshold": 1.0, "thresholds": {"high": 0.5}}, ["high"]),
        ({"thresholds": {"high": 1.0}}, ["low"]),
        ({"model": "other", "threshold": None, "thresholds": None}, ["low", "high"]),
    ],
)
def test_thresholds_are_those_asked_for(page, asked, words):
    with stream(page, **asked) as socket:
        socket.send_bytes(quantise(WORDS).tobytes())
        socket.send_text(END)
        messages, code, _ = rest(socket)
    assert ([word for word, _ in detections(messages)], code) == (words, 1000)


def test_thresholds_of_the_file_stay_where_none_is_asked_for(workers, tmp_path):
    path = make_tone_model(tmp_path / "own.onnx", threshold=0.6, thresholds=[{"word": "low", "threshold": 0.9}])
    own = name_models([(Recognizer(path, threads=1), None)], lambda text: None)
    page = TestClient(make_api(own, workers)[1], base_url=OWN)
    for asked, wanted in [
        ({}, {"low": 0.9, "high": 0.6}),
        ({"thresholds": {"high": 0.1}}, {"low": 0.9, "high": 0.1}),
        ({"threshold": 0.2}, {"low": 0.2, "high": 0.2}),
    ]:
        with page.websocket_connect(PLACE) as socket:
            socket.send_text(json.dumps(ASKED | asked))
            assert receive(socket)["thresholds"] == wanted


def test_settings_of_the_command_line_are_the_usual_ones(workers, tmp_path):
    path = make_tone_model(tmp_path / "own.onnx")
    given = StreamSettings(threshold=0.3, hop_seconds=0.16)
    own = name_models([(Recognizer(path, threads=1), given)], lambda text: None)
    page = TestClient(make_api(own, workers)[1], base_url=OWN)
    with page.websocket_connect(PLACE) as socket:
        socket.send_text(json.dumps(ASKED))
        ready = receive(socket)
    assert (ready["hop_seconds"], ready["thresholds"]) == (0.16, {"low": 0.3, "high": 0.3})


def test_a_model_in_the_address_is_not_overlooked(page):
    with page.websocket_connect(f"{PLACE}?model=own") as socket:
        told = receive(socket)
    assert told == {"type": "error", "error": "model: is asked in the address; say it in the first message"}


def test_floats_that_are_no_sound_are_noted(page):
    data = np.full(16_000, np.nan, "<f4").tobytes()
    messages = hear(page, data, forever(6400), format="f32le")
    assert [each["type"] for each in messages] == ["note", "end"]


@pytest.mark.parametrize(
    ("first", "message"),
    [
        (b"\0\0", "sound came before the first message"),
        ("", "no JSON object"),
        ("[]", "no JSON object"),
        ("[" * 30_000, "no JSON object"),
        ("{" + " " * 70_000 + "}", "no JSON object"),
        ("{}", "rate: must be 1000 to 768000 Hz; format: must be one of s16le, f32le"),
        ('{"rate": 16000, "format": "mp3"}', "format: must be one of"),
        ('{"rate": 1e999, "format": "s16le"}', "rate: must be"),
        ('{"rate": NaN, "format": "s16le"}', "rate: must be"),
        ('{"rate": true, "format": "s16le"}', "rate: must be"),
        ('{"rate": 1' + "0" * 400 + ', "format": "s16le"}', "rate: must be"),
        ('{"rate": 16000, "format": ["s16le"]}', "format: must be one of"),
        ('{"rate": 16000, "format": "s16le", "thresholdss": {}}', "did you mean 'threshold"),
        ('{"rate": 16000, "format": "s16le", "threshold": 70}', "threshold: must be from 0 to 1"),
        ('{"rate": 16000, "format": "s16le", "thresholds": {"low": NaN}}', "thresholds: must give words a number"),
        ('{"rate": 16000, "format": "s16le", "thresholds": {"no": 0.5}}', "'no' is no word of this model; it has low"),
        ('{"rate": 16000, "format": "s16le", "model": "no"}', "model 'no' is not served"),
        ('{"rate": 16000, "format": "s16le", "hops": 1}', "hops: must be true or false"),
    ],
)
def test_a_first_message_that_is_none_is_one_error(page, told, first, message):
    with page.websocket_connect(PLACE) as socket:
        socket.send_bytes(first) if isinstance(first, bytes) else socket.send_text(first)
        messages, code, reason = rest(socket)
    assert [each["type"] for each in messages] == ["error"]
    assert message in messages[0]["error"]
    assert code == 1007
    assert messages[0]["error"].startswith(reason)
    assert told[-1].endswith("; closed")
    assert detections(hear(page, quantise(WORDS).tobytes(), forever(6400)))


@pytest.mark.parametrize("text", ["", "end", '{"type": "stop"}', "[" * 30_000, '{"type": "end", "more": 1}'])
def test_text_amid_the_sound_is_one_error(page, text):
    with stream(page) as socket:
        socket.send_bytes(bytes(640))
        socket.send_text(text)
        messages, code, _ = rest(socket)
    assert ([each["type"] for each in messages], code) == (["error"], 1007)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_ASKED = st.fixed_dictionaries(
    {"rate": st.just(16_000) | _VALUES, "format": st.sampled_from(["s16le", "f32le"]) | _VALUES},
    optional={key: _VALUES for key in ("model", "threshold", "thresholds", "hops", "more")},
).map(json.dumps)
_FIRST = _ASKED | st.just(json.dumps(ASKED)) | st.text(max_size=50) | st.binary(max_size=50)
_FRAMES = st.lists(st.binary(max_size=5000) | st.text(max_size=20) | st.just(END), max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=_FIRST, frames=_FRAMES)
def test_whatever_comes_is_answered_by_what_is_described(page, first, frames):
    with page.websocket_connect(PLACE) as socket:
        for each in [first, *frames, END]:
            socket.send_bytes(each) if isinstance(each, bytes) else socket.send_text(each)
        messages, code, _ = rest(socket)
    kinds = [each["type"] for each in messages]
    assert code in (1000, 1007)
    assert kinds.count("error") == (code == 1007)
    assert kinds[-1] == ("error" if code == 1007 else "end")


def test_a_client_gone_silent_is_told_and_lets_its_place_go(models, workers, monkeypatch):
    monkeypatch.setattr(stream_session, "_SILENT_SECONDS", 0.1)
    api, app = make_api(models, workers, most_streams=1)
    page = TestClient(app, base_url=OWN)
    with stream(page) as socket:
        messages, code, reason = rest(socket)
    assert ([each["type"] for each in messages], code, reason) == (["error"], 1008, "nothing came for 0.1 s")
    assert api.streams.taken == 0


def test_more_streams_than_there_is_room_for_are_refused(models, workers):
    page = TestClient(make_api(models, workers, most_streams=2)[1], base_url=OWN)
    with page, stream(page), stream(page) as second:
        assert page.get("/api/health").json()["streams"] == {"open": 2, "most": 2}
        with page.websocket_connect(PLACE) as socket:
            messages, code, reason = rest(socket)
        assert messages == [{"type": "error", "error": "all 2 streams are taken; try again later"}]
        assert (code, reason) == (1013, "all 2 streams are taken; try again later")
        second.send_text(END)
        assert rest(second)[1] == 1000
        with stream(page) as socket:
            socket.send_text(END)
            assert rest(socket)[1] == 1000


def test_a_damaged_model_is_told_here_and_not_there(page, told, monkeypatch):
    def fail(self, samples):
        raise ModelError("/secret/model.onnx: damaged")

    with stream(page) as socket:
        monkeypatch.setattr(Stream, "judge", fail)
        socket.send_bytes(bytes(64_000))
        messages, code, _ = rest(socket)
    assert ([each["type"] for each in messages], code) == (["error"], 1011)
    assert "secret" not in messages[0]["error"]
    assert any("secret" in each for each in told)


@pytest.mark.parametrize("headers", [{"host": "evil.example"}, {"origin": "http://evil.example"}])
def test_pages_of_other_sites_open_no_stream(page, headers):
    with pytest.raises(WebSocketDisconnect), page.websocket_connect(PLACE, headers=headers):
        pass
