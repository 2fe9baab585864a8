"""What the page sends, read without belief: sizes, kinds and times are limited, and every fault is one sentence."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from sayso.errors import AudioError, DataError, Fault, OutputError, RunError, SaysoError, SettingsError

__all__ = ["answering", "read_body", "read_json_body", "text_of", "told"]

_JSON_BYTES = 1 << 18
_SILENT_SECONDS = 30.0
_STATUS: tuple[tuple[type[SaysoError], int], ...] = (
    (AudioError, 422),
    (DataError, 404),
    (RunError, 409),
    (OutputError, 507),
)


class TooLargeError(SaysoError):
    """A request with more in it than is taken."""


def answering(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Have every error that a person can cause answered as JSON, `{"error": a sentence}`."""

    async def answer(request: Request) -> Response:
        """Answer as the handler does, or say what is wrong."""
        try:
            return await handler(request)
        except TooLargeError as error:
            return _refuse(error, 413)
        except SaysoError as error:
            return _refuse(error, next((status for kind, status in _STATUS if isinstance(error, kind)), 400))
        except TimeoutError:
            return JSONResponse({"error": "nothing came for too long; send it again"}, 408)
        except ClientDisconnect:
            return Response(status_code=400)

    return answer


def _refuse(error: SaysoError, status: int) -> Response:
    text = str(error)
    # A file's name stays as it is.
    is_name = bool(set(text.partition(" ")[0]) & {".", ":"})
    return JSONResponse({"error": text if is_name else f"{text[:1].upper()}{text[1:]}"}, status)


async def read_body(request: Request, *, most: int, what: str) -> bytes:
    """Read what a request holds.

    Args:
        request: to be read.
        most: bytes that are taken.
        what: it is, for the message.

    Raises:
        TooLargeError: there is more, or more was announced.
        TimeoutError: nothing came for a while.
    """
    too_large = TooLargeError(f"{what} is larger than {most >> 20} MB, the most that is taken; nothing was kept")
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced[:20]) > most:
        raise too_large
    parts = bytearray()
    stream = request.stream()
    while True:
        async with asyncio.timeout(_SILENT_SECONDS):
            part = await anext(stream, None)
        if part is None:
            return bytes(parts)
        parts += part
        if len(parts) > most:
            raise too_large


async def read_json_body(request: Request) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        SettingsError: it is none.
        TooLargeError: it is far larger than the page sends.
    """
    content = await read_body(request, most=_JSON_BYTES, what="the request")
    try:
        values = json.loads(content or b"{}")
    except (ValueError, RecursionError) as error:
        raise SettingsError([Fault("", "the request is no JSON")]) from error
    if not isinstance(values, dict):
        raise SettingsError([Fault("", "the request is no JSON object")])
    return values


def told(request: Request) -> dict[str, Any]:
    """Read what a request with sound in it says of that sound: JSON, percent-encoded, in the header `x-sayso-clip`.

    Raises:
        SettingsError: it is no such thing.
    """
    try:
        values = json.loads(unquote(request.headers.get("x-sayso-clip", "")))
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise SettingsError([Fault("", "the request does not say what it brings")])
    return values


def text_of(values: dict[str, Any], key: str) -> str:
    """Give a text that must be there.

    Raises:
        SettingsError: it is missing, or is something else.
    """
    value = values.get(key)
    if not isinstance(value, str):
        raise SettingsError([Fault("", f"the request does not say its {key}")])
    return value
