"""The Wyoming protocol's wake-word service: any number of clients in one process, until it is told to stop.

https://github.com/OHF-Voice/wyoming describes the protocol.
"""

import asyncio
import errno
import os
import signal
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.metadata import version
from typing import Any

from wyoming.info import Attribution, Info, WakeModel, WakeProgram

from sayso.errors import Fault, SettingsError
from sayso.runtime.live import Tell
from sayso.serve.address import Address
from sayso.serve.client import Client, Service
from sayso.serve.hearing import Heard
from sayso.serve.models import ServedModel

__all__ = ["describe_models", "serve"]


def serve(
    models: Sequence[ServedModel],
    address: Address,
    *,
    tell: Tell,
    on_ready: Callable[[str], None],
    on_detection: Callable[[str, Heard], None],
) -> int:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        models: what is asked.
        address: where.
        tell: takes what a person should know of clients.
        on_ready: called once with the addresses that are served.
        on_detection: called with the name of a client, and what it was told.

    Returns:
        How many clients there were.

    Raises:
        SettingsError: the address cannot be used.
    """
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        service = Service(models, describe_models(models), workers, tell, on_detection)
        server = _Server(service)
        with suppress(KeyboardInterrupt):  # where an event loop takes no signals, as on Windows
            asyncio.run(server.run(address, on_ready))
    return server.count


def describe_models(models: Sequence[ServedModel]) -> Info:
    """Say what can be asked for: one program, with a wake-word model for each word."""
    maker = Attribution(name="Sayso", url="")
    words = [
        WakeModel(
            name=word,
            attribution=Attribution(name=model.recognizer.credit, url="") if model.recognizer.credit else maker,
            installed=True,
            description=_phrase(word),
            version=model.version,
            languages=[],
            phrase=_phrase(word),
        )
        for model in models
        for word in model.words
    ]
    what = "Words by models of your own"
    program = WakeProgram(
        name="sayso", attribution=maker, installed=True, description=what, version=version("sayso"), models=words
    )
    return Info(wake=[program])


def _phrase(word: str) -> str:
    """What is said for a label, such as that of a folder: `lights-on`."""
    return " ".join(word.replace("-", " ").replace("_", " ").split()) or word


class _Server:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._clients: set[asyncio.Task[None]] = set()
        self.count = 0

    async def run(self, address: Address, on_ready: Callable[[str], None]) -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        loop.set_exception_handler(self._tell_of_loop)
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError):
                loop.add_signal_handler(number, stop.set)
        try:
            server = await asyncio.start_server(self._take, address.host, address.port)
        except OSError as error:
            raise SettingsError([Fault("--wyoming", f"{address} {_why(error)}")]) from error
        places = [Address(*each.getsockname()[:2]) for each in server.sockets]
        try:
            on_ready(" and ".join(map(str, places)))
            await stop.wait()
        finally:
            server.close()
            clients = list(self._clients)
            for client in clients:
                client.cancel()
            await asyncio.gather(*clients, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.count += 1
        task = asyncio.current_task()
        assert task
        self._clients.add(task)
        # Or one whose machine lost its power would be waited for without end.
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        try:
            await Client(reader, writer, self._service).run()
        finally:
            self._clients.discard(task)

    def _tell_of_loop(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Tell in one line what the machine lacks, such as file handles for more clients."""
        if isinstance(error := context.get("exception"), OSError):
            self._service.tell(f"{context['message']} ({error.strerror or error})")
        else:
            loop.default_exception_handler(context)


def _why(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "is in use by another program; choose another port"
    return f"cannot be served ({os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror})"
