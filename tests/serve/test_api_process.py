"""`sayso serve --http` as another machine meets it: a process, sockets, and clients that behave badly."""

import asyncio
import json
import re
import signal
import socket
import struct
import urllib.error
import urllib.request

import pytest

pytest.importorskip("websockets", reason="needs the extra serve")

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from conftest import one_line
from sayso.audio import quantise
from sayso.runtime import Stream
from serve_made import WAIT_SECONDS, Served, hear, pairs
from tone_model_made import make_tone_model, recording

ASKED = json.dumps({"rate": 16_000, "format": "s16le"})
END = json.dumps({"type": "end"})
WORDS = recording(6, [("low", 1.5), ("high", 3.5)])


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return make_tone_model(tmp_path_factory.mktemp("tones") / "model.onnx")


@pytest.fixture(scope="module")
def served(model):
    served = Served(model, options=["--http", "127.0.0.1:0", "--wyoming", "tcp://127.0.0.1:0", "--most-streams", "3"])
    yield served
    assert served.stop() == 0
    assert re.search(r"^served \d+ streams? and 0 predictions$", served.line("predictions"))


def port_of(served):
    return int(re.search(r"http://127\.0\.0\.1:(\d+)/", served.told)[1])


def ask(served, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port_of(served)}{path}", timeout=WAIT_SECONDS) as answer:
        return json.load(answer)


def stream(served, **more):
    return connect(f"ws://127.0.0.1:{port_of(served)}/api/stream", close_timeout=5, **more)


def rest(client):
    """All that comes until it is closed, and how that is done."""
    messages = []
    try:
        while True:
            messages.append(json.loads(client.recv(timeout=WAIT_SECONDS)))
    except ConnectionClosed as closed:
        return messages, closed.rcvd.code, closed.rcvd.reason


def say(client, samples=WORDS, size=640):
    data = quantise(samples).tobytes()
    client.send(ASKED)
    for first in range(0, len(data), size):
        client.send(data[first : first + size])
    client.send(END)
    return rest(client)


def words(messages):
    return [each["word"] for each in messages if each["type"] == "detection"]


def test_one_process_serves_both(served, model):
    assert f"at tcp://127.0.0.1:{served.port} and http://127.0.0.1:{port_of(served)}/; Ctrl-C" in served.told
    wanted = [each.word for each in Stream(model).feed(quantise(WORDS))]
    with stream(served) as client:
        messages, code, _ = say(client)
    by_wyoming = pairs(served.run(hear(served, WORDS)))
    assert words(messages) == [word for word, _ in by_wyoming] == wanted == ["low", "high"]
    assert code == 1000


def test_a_client_that_sends_all_at_once_loses_nothing(served):
    minute = recording(60, [("low", 1.5 + 2 * n) for n in range(25)])
    with stream(served) as client:
        messages, code, _ = say(client, minute, size=1 << 17)
    assert (len(words(messages)), code) == (25, 1000)
    assert messages[-1] == {"type": "end", "seconds": 60.0}


def test_what_is_no_websocket_frame_closes_its_client_alone(served):
    with stream(served) as client, stream(served) as other:
        client.send(ASKED)
        client.recv(timeout=WAIT_SECONDS)
        client.socket.sendall(b"\xff\xff" + bytes(range(256)))
        code = rest(client)[1]
        assert code in (1002, 1007)
        assert words(say(other)[0]) == ["low", "high"]


def test_a_frame_without_end_is_refused(served):
    with stream(served) as client:
        client.send(ASKED)
        client.recv(timeout=WAIT_SECONDS)
        # Its head alone, which tells how long it is: a client in the middle of sending may miss why it is closed.
        binary, masked_length_in_8_bytes, mask = 0x82, 0xFF, bytes(4)
        client.socket.sendall(struct.pack(">BBQ", binary, masked_length_in_8_bytes, 2 << 20) + mask)
        assert rest(client)[1] == 1009
    assert ask(served, "/api/health")["streams"]["most"] == 3


def test_clients_that_vanish_let_their_places_go(served):
    for _ in range(6):
        with stream(served) as client:
            client.send(ASKED)
            client.recv(timeout=WAIT_SECONDS)
            client.send(bytes(3201))
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.socket.close()
        wait_for_place(served)
    with stream(served) as client:
        assert words(say(client)[0]) == ["low", "high"]


def wait_for_place(served):
    for _ in range(200):
        if ask(served, "/api/health")["streams"]["open"] == 0:
            return
        asyncio.run(asyncio.sleep(0.05))
    raise AssertionError(ask(served, "/api/health"))


def test_pages_of_other_sites_are_refused(served):
    with pytest.raises(InvalidStatus, match="403"):
        stream(served, origin="http://evil.example")


def send_until_it_is_held_up(client):
    frame = struct.pack(">BBHI", 0x82, 0x80 | 126, 32_000, 0) + bytes(32_000)
    client.settimeout(2)
    try:
        for _ in range(5000):
            client.sendall(frame)
    except TimeoutError:
        return
    raise AssertionError("all of it was taken")


def test_a_client_that_does_not_read_is_closed_with_a_reason(model):
    served = Served(model, options=["--http", "127.0.0.1:0", "--set", "stream.hop_seconds=0.01"], unread_seconds=1)
    port = port_of(served)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", port))
        client.sendall(
            b"GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n" % port
        )
        assert b"101" in client.recv(100)
        asked = json.dumps({"rate": 16_000, "format": "s16le", "hops": True}).encode()
        client.sendall(struct.pack(">BBI", 0x81, 0x80 | len(asked), 0) + asked)
        send_until_it_is_held_up(client)
        told = served.line("does not read")
    assert told.endswith("does not read what it is sent for 1 s; closed")
    with stream(served) as other:
        assert words(say(other)[0]) == ["low", "high"]
    assert served.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_while_streams_are_heard(model, number):
    served = Served(model, options=["--http", "127.0.0.1:0"])
    with stream(served) as refused:
        refused.send("no request")
        assert rest(refused)[1] == 1007
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"http://127.0.0.1:{port_of(served)}/api/predict", b"no sound", timeout=WAIT_SECONDS)
    with stream(served) as client:
        client.send(ASKED)
        client.recv(timeout=WAIT_SECONDS)
        assert served.stop(number) == 0
        assert rest(client)[1] == 1012
    assert served.line("served ") == "served 1 stream and 0 predictions"


def test_another_host_is_said_plainly(model):
    served = Served(model, options=["--http", "0.0.0.0:0"])
    assert "http://0.0.0.0:" in served.told
    assert any("there is no password, and nothing is encrypted" in line for line in served.before)
    assert served.stop() == 0


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("8080", "--http: is '8080', must be HOST:PORT, such as 127.0.0.1:8080"),
        ("http://127.0.0.1:8080", "must be HOST:PORT"),
        ("127.0.0.1:99999", "(Port out of range 0-65535), must be HOST:PORT"),
        ("host.invalid:8080", "--http: 'host.invalid' is no name or address of this machine, such as 127.0.0.1"),
        ("a..b:8080", "--http: 'a..b' is no name or address of this machine, such as 127.0.0.1"),
        (f"{'ä' * 70}:8080", "is no name or address of this machine, such as 127.0.0.1"),
    ],
)
def test_what_is_no_place_is_one_line(program, model, place, message):
    code, out, err = program("serve", "--model", model, "--http", place)
    assert (code, out) == (2, "")
    assert message in one_line(err)


def test_a_port_in_use_is_one_line(program, model, served):
    code, _, err = program("serve", "--model", model, "--http", f"127.0.0.1:{port_of(served)}")
    assert code == 2
    assert "cannot be used (Address already in use); choose another" in one_line(err)
