"""The interface as a service of the process."""

import asyncio
import socket
from collections.abc import Generator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager

import uvicorn

from sayso.http.address import Address, is_loopback
from sayso.http.listening import listen
from sayso.runtime.live import Tell
from sayso.serve.api.api import Api
from sayso.serve.api.app import make_app
from sayso.serve.api.gate import Gate
from sayso.serve.models import ServedModel
from sayso.serve.running import Serving

__all__ = ["ApiService"]

_SHUTDOWN_SECONDS = 2
_UNREAD_SECONDS = 30
_MOST_FRAME = 1 << 20


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals to the process, which may have other services."""
        yield


class ApiService(Serving):
    """Answers HTTP and WebSocket.

    Args:
        models: by their names; the first answers where none is named.
        address: where.
        most_streams: that are heard at once.
        workers: compute, while the others are heard on.
        tell: takes what a person should know of clients.
    """

    def __init__(
        self, models: Mapping[str, ServedModel], address: Address, *, most_streams: int, workers: Executor, tell: Tell
    ) -> None:
        self._api = Api(models, most_streams=most_streams, workers=workers, tell=tell)
        self._address = address
        self._tell = tell
        self._server: _Server | None = None
        self._running: asyncio.Task[None] | None = None

    @property
    def streams(self) -> int:
        """That there were so far."""
        return self._api.streams.count

    @property
    def predictions(self) -> int:
        """That there were so far."""
        return self._api.predictions.count

    async def open(self) -> str:
        """Begin, and give the address that is served.

        Raises:
            SettingsError: the address cannot be used.
        """
        listener = listen(self._address.host, self._address.port, option="--http")
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            # Or what a client does not read would be kept for it without end.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000 * _UNREAD_SECONDS)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        address = Address(self._address.host, listener.getsockname()[1])
        if not is_loopback(address.host):
            self._tell(f"whoever reaches {address.url} may ask: there is no password, and nothing is encrypted")
        config = uvicorn.Config(
            Gate(make_app(self._api), address),
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            ws="websockets-sansio",  # it stops reading while its messages are not taken
            ws_max_size=_MOST_FRAME,
            ws_per_message_deflate=False,
            ws_ping_interval=None,  # the answer would stand behind sound that waits; silence is noted without it
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        )
        self._server = _Server(config)
        self._running = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started and not self._running.done():
            await asyncio.sleep(0.01)
        return address.url

    async def close(self) -> None:
        """Let go of all clients."""
        if self._server and self._running:
            self._server.should_exit = True
            await asyncio.gather(self._running, return_exceptions=True)
