"""What is asked, read without belief: size and time are limited, and every fault is one sentence."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from sayso.errors import AudioError, DataError, OutputError, RunError, SaysoError

__all__ = ["OverloadedError", "TooLargeError", "answering", "read_body"]

_SILENT_SECONDS = 30.0
_STATUS: tuple[tuple[type[SaysoError], int], ...] = (
    (AudioError, 422),
    (DataError, 404),
    (RunError, 409),
    (OutputError, 507),
)


class TooLargeError(SaysoError):
    """A request with more in it than is taken."""


class OverloadedError(SaysoError):
    """More is asked at once than can be computed."""


def answering(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Have every error that a person can cause answered as JSON, `{"error": a sentence}`."""

    async def answer(request: Request) -> Response:
        """Answer as the handler does, or say what is wrong."""
        try:
            return await handler(request)
        except TooLargeError as error:
            return _refuse(error, 413)
        except OverloadedError as error:
            return _refuse(error, 503, {"retry-after": "1"})
        except SaysoError as error:
            return _refuse(error, next((status for kind, status in _STATUS if isinstance(error, kind)), 400))
        except TimeoutError:
            return JSONResponse({"error": "nothing came for too long; send it again"}, 408)
        except ClientDisconnect:
            return Response(status_code=400)

    return answer


def _refuse(error: SaysoError, status: int, headers: Mapping[str, str] | None = None) -> Response:
    text = str(error)
    # A file's name stays as it is.
    is_name = bool(set(text.partition(" ")[0]) & {".", ":"})
    return JSONResponse({"error": text if is_name else f"{text[:1].upper()}{text[1:]}"}, status, headers)


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
    limit = f"{most >> 20} MB" if most >> 20 else f"{most >> 10} kB"
    too_large = TooLargeError(f"{what} is larger than {limit}, the most that is taken; nothing was kept")
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
