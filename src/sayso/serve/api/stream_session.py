"""One stream: a first message of JSON, then sound in frames of any size; detections come back as JSON.

A client that sends faster than can be computed is slowed: nothing more is read meanwhile.
"""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from sayso.errors import DataError, Fault, ModelError, SaysoError, SettingsError
from sayso.runtime import Stream
from sayso.runtime.live import Cleaner
from sayso.runtime.pcm import PCM_FORMATS
from sayso.runtime.stream import Judgement
from sayso.serve.api.api import MISTAKE, Api
from sayso.serve.api.stream_request import StreamRequest, read_request
from sayso.system.files import parse_json
from sayso.system.wording import counted

__all__ = ["StreamSession"]

_FIRST_SECONDS = 10.0
_SILENT_SECONDS = 60.0
_UNREAD_SECONDS = 10.0
_CLOSING_SECONDS = 2.0
_PIECE_SECONDS = 1.0
_MOST_REASON = 120
_SHOWN = 40
_GARBAGE, _POLICY, _TOO_LONG, _MISTAKE, _TRY_AGAIN = 1007, 1008, 1009, 1011, 1013


class _ClosedError(SaysoError):
    """A stream that is ended from here."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


class StreamSession:
    """Answers one client, from its first message to its last.

    Args:
        websocket: not accepted yet.
        api: what it may ask.
    """

    def __init__(self, websocket: WebSocket, api: Api) -> None:
        self._websocket, self._api = websocket, api
        client = websocket.client
        self._name = f"{client.host}:{client.port}" if client else "a client"

    async def run(self) -> None:
        """Answer until the client goes, or cannot be understood; then it is closed, with one error."""
        await self._websocket.accept()
        try:
            with self._api.streams.one() as taken:
                if not taken:
                    most = self._api.streams.most
                    raise _ClosedError(f"all {most} streams are taken; try again later", _TRY_AGAIN)
                await self._answer()
        except WebSocketDisconnect as gone:
            if gone.code == _TOO_LONG:
                self._api.tell(f"{self._name}: a message was longer than is taken at once; closed")
        except _ClosedError as error:
            await self._refuse(error, error.code)
        except ModelError as error:
            self._api.tell(f"{self._name}: {error}")
            await self._refuse(ModelError(MISTAKE), _MISTAKE)
        except SaysoError as error:
            await self._refuse(error, _GARBAGE)

    async def _answer(self) -> None:
        if asked := [*self._websocket.query_params]:
            raise SettingsError([Fault(asked[0][:_SHOWN], "is asked in the address; say it in the first message")])
        first = await self._receive(_FIRST_SECONDS)
        if not isinstance(first, str):
            raise DataError('sound came before the first message, such as {"rate": 16000, "format": "s16le"}')
        request = read_request(first)
        name, model = self._api.find(request.model)
        settings = request.settings(model.listen().settings, model.words)
        stream = Stream(model.recognizer, sample_rate=request.rate, settings=settings)
        self._api.streams.used()
        thresholds = {word: settings.threshold_of(word) for word in model.words}
        await self._send(
            {"type": "ready", "model": name, "rate": stream.sample_rate, "hop_seconds": settings.hop_seconds}
            | {"window_seconds": stream.window_seconds, "thresholds": thresholds}
        )
        await self._hear(stream, request)
        await self._websocket.close()

    async def _hear(self, stream: Stream, request: StreamRequest) -> None:
        notes: list[str] = []
        cleaner = Cleaner(request.rate, notes.append)
        width, decode = PCM_FORMATS[request.format]
        step = max(1, round(_PIECE_SECONDS * request.rate)) * width
        rest, heard = b"", 0
        while isinstance(data := await self._receive(_SILENT_SECONDS), bytes):
            rest += data
            whole = len(rest) - len(rest) % width
            for first in range(0, whole, step):
                samples = cleaner.clean(decode(rest[first : min(first + step, whole)]).reshape(-1, 1))
                heard += len(samples)
                judged = await self._api.compute(lambda samples=samples: stream.judge(samples))
                await self._tell(judged, stream, request)
            rest = rest[whole:]
            while notes:
                await self._send({"type": "note", "text": notes.pop(0)})
        _check_end(data)
        if rest:
            text = f"the sound ends amid a sample: {counted(len(rest), 'byte')} left out"
            await self._send({"type": "note", "text": text})
        for each in await self._api.compute(stream.flush):
            await self._send(_detection(each.word, each.score, each.start, each.end))
        await self._send({"type": "end", "seconds": heard / request.rate})

    async def _tell(self, judged: list[Judgement], stream: Stream, request: StreamRequest) -> None:
        for message in _messages(judged, stream.labels, hops=request.hops):
            await self._send(message)

    async def _receive(self, seconds: float) -> str | bytes:
        try:
            async with asyncio.timeout(seconds):
                message = await self._websocket.receive()
        except TimeoutError as error:
            raise _ClosedError(f"nothing came for {seconds:g} s", _POLICY) from error
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text = message.get("text")
        return message["bytes"] if text is None else text

    async def _send(self, message: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(_UNREAD_SECONDS):
                await self._websocket.send_json(message)
        except TimeoutError as error:
            raise _ClosedError(f"does not read what it is sent for {_UNREAD_SECONDS:g} s", _POLICY) from error

    async def _refuse(self, error: SaysoError, code: int) -> None:
        text = str(error)
        self._api.tell(f"{self._name}: {text}; closed")
        reason = text.encode()[:_MOST_REASON].decode(errors="ignore")
        # One that does not read will hardly hear of it.
        with suppress(TimeoutError, WebSocketDisconnect):
            async with asyncio.timeout(_CLOSING_SECONDS):
                await self._websocket.send_json({"type": "error", "error": text})
                await self._websocket.close(code, reason)


def _check_end(text: str) -> None:
    try:
        values = parse_json(text)
    except ValueError:
        values = None
    if values != {"type": "end"}:
        raise DataError('text came amid the sound; only {"type": "end"} may come there')


def _messages(judged: list[Judgement], words: tuple[str, ...], *, hops: bool) -> Iterator[dict[str, Any]]:
    for each in judged:
        if hops:
            scores = dict(zip(words, each.scores.tolist(), strict=True))
            yield {"type": "hop", "start": each.start, "end": each.end, "scores": scores}
        if found := each.detection:
            yield _detection(found.word, found.score, found.start, found.end)


def _detection(word: str, score: float, start: float, end: float) -> dict[str, Any]:
    return {"type": "detection", "word": word, "score": score, "start": start, "end": end}
