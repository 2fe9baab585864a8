"""A `sayso serve` that runs in a process of its own, and the Wyoming protocol's own client to ask it."""

import asyncio
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import asynccontextmanager

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.ping import Ping, Pong
from wyoming.wake import Detect, Detection

from sayso.audio import quantise

__all__ = ["WAIT_SECONDS", "Served", "hear", "pairs", "say", "told"]

RATE = 16_000
WAIT_SECONDS = 60
CODE = (
    "import sys\n"
    "from sayso.serve.api import stream_session as session\n"
    "session._UNREAD_SECONDS = {}\n"
    "from sayso.cli import main\n"
    "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
    "heavy = {{'torch', 'lightning', 'matplotlib', 'sayso.recipe.recipe'}} & set(sys.modules)\n"
    "assert not heavy, heavy\n"
)


class Served:
    """A `sayso serve` that runs, at a port of its own."""

    def __init__(self, *models, options=("--wyoming", "tcp://127.0.0.1:0"), unread_seconds=None):
        named = [option for model in models for option in ("--model", str(model))]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        code = CODE.format(unread_seconds) if unread_seconds else CODE.format("session._UNREAD_SECONDS")
        self.process = subprocess.Popen([sys.executable, "-c", code, "serve", *named, *options], **pipes)
        self.lines, self.before = {}, []
        self.readers = []
        for name in ("stdout", "stderr"):
            self.lines[name] = queue.Queue()
            reading = (getattr(self.process, name), self.lines[name])
            self.readers.append(threading.Thread(target=self._read, args=reading, daemon=True))
            self.readers[-1].start()
        self.told = self.line("Ctrl-C ends it")
        found = re.search(r"tcp://127\.0\.0\.1:(\d+)", self.told)
        self.port = int(found[1]) if found else None

    @staticmethod
    def _read(pipe, lines):
        for line in pipe:
            lines.put(line.rstrip("\n"))

    def line(self, text, *, of="stderr"):
        """The next line with some text in it, which must come."""
        while text not in (line := self.lines[of].get(timeout=WAIT_SECONDS)):
            self.before.append(line)
        return line

    def stop(self, number=signal.SIGINT):
        self.process.send_signal(number)
        try:
            return self.process.wait(WAIT_SECONDS)
        finally:
            self.process.kill()
            for reader in self.readers:
                reader.join(WAIT_SECONDS)
            self.process.stdout.close()
            self.process.stderr.close()

    def run(self, talk):
        """Have a coroutine talk to it, and give what comes of it."""
        return asyncio.run(asyncio.wait_for(talk, WAIT_SECONDS))

    @asynccontextmanager
    async def client(self):
        async with AsyncTcpClient("127.0.0.1", self.port) as client:
            yield client

    def raw(self, data):
        """Send bytes, and give what comes back until the other side closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_SECONDS) as connection:
            connection.sendall(data)
            parts = []
            while part := connection.recv(1 << 16):
                parts.append(part)
        return b"".join(parts)


async def say(client, samples, *, chunk=1024, stop=True):
    data = quantise(samples).tobytes()
    await client.write_event(AudioStart(RATE, 2, 1).event())
    for first in range(0, len(data), 2 * chunk):
        piece = data[first : first + 2 * chunk]
        await client.write_event(AudioChunk(RATE, 2, 1, piece, timestamp=first // 2 * 1000 // RATE).event())
    if stop:
        await client.write_event(AudioStop().event())


async def told(client):
    """All that is told until the pong of a ping that is sent now."""
    await client.write_event(Ping(text="end").event())
    events = []
    while not Pong.is_type((event := await client.read_event()).type):
        events.append(event)
    return events


def pairs(events):
    found = [Detection.from_event(event) for event in events if Detection.is_type(event.type)]
    return [(each.name, each.timestamp) for each in found]


async def hear(served, samples, *, names=None, chunk=1024):
    async with served.client() as client:
        if names:
            await client.write_event(Detect(names=names).event())
        await say(client, samples, chunk=chunk)
        return await told(client)
