"""One process with one or several services, until it is told to stop."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from sayso.runtime.live import Tell

__all__ = ["Serving", "run_services"]


class Serving:
    """Base of what answers clients."""

    async def open(self) -> str:
        """Begin, and give the addresses that are served.

        Raises:
            SettingsError: an address cannot be used.
        """
        raise NotImplementedError

    async def close(self) -> None:
        """Let go of all clients."""
        raise NotImplementedError


def run_services(services: Sequence[Serving], *, tell: Tell, on_ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        services: all that this process does.
        tell: takes what a person should know of clients.
        on_ready: called once with the addresses that are served.

    Raises:
        SettingsError: an address cannot be used.
    """
    with suppress(KeyboardInterrupt):  # where an event loop takes no signals, as on Windows
        asyncio.run(_run(services, tell, on_ready))


async def _run(services: Sequence[Serving], tell: Tell, on_ready: Callable[[str], None]) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def tell_of_loop(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # In one line what the machine lacks, such as file handles for more clients.
        if isinstance(error := context.get("exception"), OSError):
            tell(f"{context['message']} ({error.strerror or error})")
        else:
            loop.default_exception_handler(context)

    loop.set_exception_handler(tell_of_loop)
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    opened: list[Serving] = []
    try:
        places: list[str] = []
        for service in services:
            places.append(await service.open())
            opened.append(service)
        on_ready(" and ".join(places))
        await stop.wait()
    finally:
        for service in opened:
            await service.close()
