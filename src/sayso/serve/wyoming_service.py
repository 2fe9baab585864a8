"""The Wyoming protocol's wake-word service: any number of clients in one process.

https://github.com/OHF-Voice/wyoming describes the protocol.
"""

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from importlib.metadata import version

from wyoming.info import Attribution, Info, WakeModel, WakeProgram

from sayso.errors import Fault, SettingsError
from sayso.runtime.live import Tell
from sayso.serve.address import Address
from sayso.serve.client import Client, Service
from sayso.serve.hearing import Heard
from sayso.serve.models import ServedModel
from sayso.serve.running import Serving

__all__ = ["WyomingService", "describe_models"]


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


class WyomingService(Serving):
    """Answers any number of clients.

    Args:
        models: what is asked.
        address: where.
        workers: compute, while the others are heard on.
        tell: takes what a person should know of clients.
        on_detection: called with the name of a client, and what it was told.

    Attributes:
        count: clients that there were so far.
    """

    def __init__(
        self,
        models: Sequence[ServedModel],
        address: Address,
        *,
        workers: Executor,
        tell: Tell,
        on_detection: Callable[[str, Heard], None],
    ) -> None:
        self._service = Service(models, describe_models(models), workers, tell, on_detection)
        self._address = address
        self._clients: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.count = 0

    async def open(self) -> str:
        """Begin, and give the addresses that are served.

        Raises:
            SettingsError: the address cannot be used.
        """
        try:
            self._server = await asyncio.start_server(self._take, self._address.host, self._address.port)
        except OSError as error:
            raise SettingsError([Fault("--wyoming", f"{self._address} {_why(error)}")]) from error
        except UnicodeError as error:
            raise SettingsError([Fault("--wyoming", f"{self._address.host} is no name of a machine")]) from error
        return " and ".join(str(Address(*each.getsockname()[:2])) for each in self._server.sockets)

    async def close(self) -> None:
        """Let go of all clients."""
        if self._server:
            self._server.close()
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


def _why(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "is in use by another program; choose another port"
    return f"cannot be served ({os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror})"
