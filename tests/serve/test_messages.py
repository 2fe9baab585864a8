"""Messages are read within limits; what is none is told in one line, whatever it is."""

import asyncio
import json
import re

import numpy as np
import pytest

pytest.importorskip("wyoming", reason="needs the extra serve")

from wyoming.event import Event

from sayso.errors import DataError
from sayso.serve.messages import read_clock, read_event, read_form, read_names


def read(data):
    """Read all messages of some bytes, after which the client is gone."""

    async def run():
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        events = []
        while event := await read_event(reader):
            events.append(event)
        return events

    return asyncio.run(run())


def line(**header):
    return json.dumps(header).encode() + b"\n"


def test_half_a_sign_which_no_answer_can_hold_is_refused():
    assert read(line(type="ping", data={"text": "\U0001f600"}))[0].data == {"text": "\U0001f600"}
    with pytest.raises(DataError, match="is no message"):
        read(line(type="ping", data={"text": "\ud800"}))


def test_messages_are_read_one_after_another():
    data = json.dumps({"rate": 16000}).encode()
    sent = (
        line(type="describe") + line(type="a", data={"b": 1}, data_length=len(data), payload_length=3) + data + b"abc"
    )
    events = read(sent)
    assert [event.type for event in events] == ["describe", "a"]
    assert events[1].data == {"b": 1, "rate": 16000}
    assert events[1].payload == b"abc"


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "no message of the Wyoming protocol: 'GET / HTTP/1.1'"),
        (b"\xff\xfe\x00\n", "no message"),
        (b"[1, 2]\n", "no message"),
        (b"null\n", "no message"),
        (b"[" * 30_000 + b"\n", "no message"),
        (b"x" * 70_000, "a line without end"),
        (b'{"type": "detect"', "in the middle"),
        (line(kind="detect"), "no message"),
        (line(type="detect", data=[]) + line(type=5), "no message"),
        (line(type="detect", data="all"), "no message"),
        (line(type="a", payload_length=10) + b"abc", "in the middle"),
        (
            line(type="a", payload_length=1 << 40),
            "payload_length 1099511627776, must be a whole number of 0 to 16,777,216",
        ),
        (line(type="a", payload_length=-1), "payload_length -1"),
        (line(type="a", payload_length="5"), "payload_length '5'"),
        (line(type="a", data_length=True), "data_length True"),
        (line(type="a", data_length=2) + b"[]", "no message"),
    ],
)
def test_what_is_no_message_is_told(sent, message):
    with pytest.raises(DataError, match=re.escape(message)) as told:
        read(sent)
    assert len(str(told.value)) < 140


def test_bytes_at_random_end_in_the_one_error():
    rng = np.random.default_rng(0)
    good = line(type="audio-chunk", data={"rate": 16000}, payload_length=4) + b"abcd"
    refused = 0
    for _ in range(500):
        damaged = bytearray(good)
        for place in rng.integers(0, len(good), 3):
            damaged[place] = rng.integers(0, 256)
        try:
            read(bytes(damaged))
        except DataError:
            refused += 1
    assert refused > 250


def test_what_messages_say_is_checked():
    form = read_form(Event("audio-start", {"rate": 16000.0, "width": 2, "channels": 1}))
    assert (form.rate, form.width, form.channels) == (16_000, 2, 1)
    assert read_clock(Event("audio-chunk", {})) is None
    assert read_clock(Event("audio-chunk", {"timestamp": 12.0})) == 12
    assert read_names(Event("detect", {"names": ["up", "up", "down"]})) == ("up", "down")
    assert read_names(Event("detect", {"names": None})) == read_names(Event("detect", {"names": []})) == ()
    for reads, data in (
        (read_form, {"rate": 16000, "width": 2}),
        (read_form, {"rate": "16000", "width": 2, "channels": 1}),
        (read_clock, {"timestamp": float("nan")}),
        (read_clock, {"timestamp": 1e300}),
        (read_names, {"names": "up"}),
        (read_names, {"names": ["up", 5]}),
    ):
        with pytest.raises(DataError, match=r"^sent "):
            reads(Event("any", data))
