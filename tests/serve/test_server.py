"""`sayso serve` as Home Assistant meets it: one process, asked by the protocol's own client."""

import asyncio
import json
import re
import signal
import socket
import sys

import pytest

pytest.importorskip("wyoming", reason="needs the extra serve")

from wyoming.error import Error
from wyoming.info import Describe, Info
from wyoming.wake import Detect, NotDetected

from conftest import one_line
from sayso.audio import quantise
from sayso.errors import install_command
from sayso.runtime import Stream, StreamSettings
from serve_made import WAIT_SECONDS, Served, hear, pairs, say, told
from streams_made import WORDS, export_model, sound
from tone_model_made import make_tone_model, recording

EAGER = 0.45
OPTIONS = ["--wyoming", "tcp://127.0.0.1:0", "--threshold", str(EAGER)]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Words of two models: of one with a streaming form, whose answers move, and of tones."""
    random, tones = tmp_path_factory.mktemp("random"), tmp_path_factory.mktemp("tones")
    export_model(random)
    make_tone_model(tones / "model.onnx")
    return random, tones / "model.onnx"


@pytest.fixture(scope="module")
def served(models):
    served = Served(*models, options=OPTIONS)
    yield served
    assert served.stop() == 0


def expected(models, samples, names=None):
    """What streams of the same sound tell, as a client is told it."""
    settings = StreamSettings(threshold=EAGER)
    found = [each for model in models for each in Stream(model, settings=settings).feed(quantise(samples))]
    told = sorted(((each.word, round(1000 * each.end)) for each in found), key=lambda pair: pair[1])
    return [pair for pair in told if names is None or pair[0] in names]


def close(found, wanted):
    """The same words at the same milliseconds, but for the clock of chunks, which is rounded down."""
    assert [word for word, _ in found] == [word for word, _ in wanted]
    assert all(abs(one - other) <= 1 for (_, one), (_, other) in zip(found, wanted, strict=True))


def test_it_says_what_can_be_asked(served):
    async def talk():
        async with served.client() as client:
            await client.write_event(Describe().event())
            return Info.from_event(await client.read_event())

    assert "up, down, left, low, high at tcp://127.0.0.1" in served.told
    (program,) = served.run(talk()).wake
    assert (program.name, program.installed) == ("sayso", True)
    assert [model.name for model in program.models] == [*WORDS, "low", "high"]
    assert all(model.installed and model.languages == [] and model.phrase == model.name for model in program.models)
    assert len({model.version for model in program.models}) == 2


@pytest.mark.parametrize("chunk", [333, 1024, 100_000])
def test_detections_are_those_of_a_stream(served, models, chunk):
    samples = sound(6) * 0.5 + recording(6, [("low", 2.0), ("high", 4.0)])
    wanted = expected(models, samples)
    assert {"low", "high"} < {word for word, _ in wanted}
    found = pairs(served.run(hear(served, samples, chunk=chunk)))
    close(found, wanted)
    assert served.line(f"  {found[-1][0]}  ", of="stdout")


def test_clients_at_once_hear_each_its_own(served, models):
    sounds = [sound(5, seed=seed) for seed in range(3)] + [recording(5, [("high", 2.0)])]
    names = [None, ["up"], None, ["high", "low"]]

    async def talk():
        return await asyncio.gather(
            *(hear(served, samples, names=asked) for samples, asked in zip(sounds, names, strict=True))
        )

    answers = [pairs(events) for events in served.run(talk())]
    for found, samples, asked in zip(answers, sounds, names, strict=True):
        close(found, expected(models, samples, asked))
    assert len({tuple(found) for found in answers}) == 4
    assert answers[3] == [("high", 2360)]


def test_a_word_is_told_while_the_sound_goes_on_and_not_detected_at_its_end(served):
    async def talk():
        async with served.client() as client:
            await client.write_event(Detect(names=["high"]).event())
            await say(client, recording(3, [("high", 1.5)]), stop=False)
            first = await client.read_event()
            await say(client, recording(3, [("low", 1.5)]))
            return first, await told(client)

    first, then = served.run(talk())
    assert pairs([first])[0][0] == "high"
    assert [event.type for event in then] == [NotDetected().event().type]


def test_words_that_no_model_has_are_told(served):
    async def talk(names):
        async with served.client() as client:
            await client.write_event(Detect(names=names).event())
            error = Error.from_event(await client.read_event())
            await say(client, recording(3, [("high", 1.5)]))
            return error.text, pairs(await told(client))

    text, found = served.run(talk(["alexa", "high"]))
    assert text == "asked for 'alexa', which no model has; they have up, down, left, low, high"
    assert found == [("high", 1880)]
    assert served.line("alexa").endswith(text)

    async def ask():
        async with served.client() as client:
            await client.write_event(Detect(names=["alexa"]).event())
            return Error.from_event(await client.read_event()).text, await client.read_event()

    assert served.run(ask()) == (text, None)
    assert served.line("alexa").endswith(f"{text}; closed")


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "no message of the Wyoming protocol: 'GET / HTTP/1.1'"),
        (bytes(range(128, 256)) * 1000, "a line without end"),
        (b'{"type": "audio-start", "data": {"rate": 5, "width": 2, "channels": 1}}\n', "sample_rate is 5"),
        (b'{"type": "audio-chunk", "payload_length": 2}\nab', "sent sound without its rate, width, channels"),
        (b'{"type": "audio-chunk", "payload_length": 99999999999}\n', "sent payload_length 99999999999"),
        (
            b'{"type":"audio-chunk","data":{"rate":16000,"width":2,"channels":1},"payload_length":3}\nabc',
            "3 bytes of sound are no whole number of samples of 1 x 2 bytes",
        ),
    ],
)
def test_garbage_closes_its_client_alone(served, sent, message):
    async def talk():
        async with served.client() as client:
            await client.write_event(Detect(names=["low"]).event())
            await say(client, recording(1.2, []), stop=False)
            try:
                answer = await asyncio.to_thread(served.raw, sent)
            except ConnectionResetError:  # it was closed before all was read
                answer = b""
            await say(client, recording(3, [("low", 1.5)]))
            return answer, pairs(await told(client))

    answer, found = served.run(talk())
    assert re.search(r"^note: 127\.0\.0\.1:\d+: .*; closed$", served.line(message))
    if answer:
        header, _, text = answer.partition(b"\n")
        assert json.loads(header)["type"] == "error"
        assert message in json.loads(text)["text"]
    assert found == [("low", 1880)]


def test_clients_that_go_away_leave_the_others(served):
    async def talk():
        async with served.client() as client:
            await client.write_event(Detect(names=["low"]).event())
            await say(client, recording(2.5, []), stop=False)
            await told(client)
        assert served.line("went away").endswith(": went away after 2.5 s of sound, before any word")
        _, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(b'{"type": "audio-chunk", "payload_length": 2048}\nabc')
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert "in the middle of a message" in served.line("went away")
        return pairs(await hear(served, recording(3, [("low", 1.5)]), names=["low"]))

    assert served.run(talk()) == [("low", 1880)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_while_clients_are_heard(models, number):
    served = Served(models[1], options=OPTIONS)
    with socket.create_connection(("127.0.0.1", served.port), timeout=WAIT_SECONDS) as connection:
        connection.sendall(b'{"type": "ping"}\n')
        assert b"pong" in connection.recv(1 << 16)
        assert served.stop(number) == 0
        while connection.recv(1 << 16):
            pass
    assert served.line("served ") == "served 1 client: 0 detections"


def test_an_address_in_use_is_one_line(program, models, served):
    address = f"tcp://127.0.0.1:{served.port}"
    code, out, err = program("serve", "--model", models[1], "--wyoming", address)
    assert (code, out) == (2, "")
    assert one_line(err) == f"sayso: --wyoming: {address} is in use by another program; choose another port"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--wyoming", "http://127.0.0.1:10400"],
            "'http://127.0.0.1:10400', of the scheme 'http', must be tcp://HOST:PORT",
        ),
        (["--wyoming", "tcp://127.0.0.1"], "is 'tcp://127.0.0.1', must be tcp://HOST:PORT"),
        (["--wyoming", "tcp://127.0.0.1:99999"], "(Port out of range 0-65535), must be tcp://HOST:PORT"),
        (["--wyoming", "tcp://host.invalid:10400"], "--wyoming: tcp://host.invalid:10400 cannot be served ("),
        (["--model", "no-such.onnx"], "no-such.onnx: no such model file"),
        (["--most-streams", "3"], "--most-streams counts those by --http; give that too"),
        (["--threshold", "70"], "--threshold: is 70, must be at most 1"),
    ],
)
def test_what_does_not_fit_is_one_line(program, models, options, message):
    code, out, err = program("serve", "--model", models[1], *options)
    assert (code, out) == (2, "")
    assert message in one_line(err)


def test_a_model_given_twice_is_one_line(program, models):
    code, _, err = program("serve", "--model", models[1], "--model", models[1])
    assert code == 2
    assert "has no word that an earlier model has not (low, high); leave it out" in one_line(err)


def test_without_the_extra_it_says_how_to_add_it(program, models, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "wyoming" or name.startswith("sayso.serve")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "wyoming", None)
    code, _, err = program("serve", "--model", models[1])
    told = f"Wyoming services need an extra that is not installed: {install_command('serve')}"
    assert (code, one_line(err)) == (2, f"sayso: {told}")
