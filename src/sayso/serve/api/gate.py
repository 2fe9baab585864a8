"""Who may ask: programs anywhere, and pages of this server alone."""

import ipaddress
import socket
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from sayso.http.address import Address
from sayso.http.origins import why_strange

__all__ = ["Gate", "is_open_to_all"]

_WRONG_HOST = "This server is asked by its own address alone, as the terminal shows it; the request names '{host}'"
_WRONG_ORIGIN = "Pages of other sites may not ask this server; ask from a program, without the header Origin"
_SHOWN = 80
_POLICY_CODE = 1008


def is_open_to_all(host: str) -> bool:
    """Whether a host stands for every address of this machine.

    >>> is_open_to_all("0.0.0.0"), is_open_to_all("::"), is_open_to_all("192.168.1.5")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


class Gate:
    """The ASGI application that lets requests through to another.

    Args:
        app: what is asked.
        address: where this server is found.
    """

    def __init__(self, app: ASGIApp, address: Address) -> None:
        self._app, self._address = app, address
        self._open_to_all = is_open_to_all(address.host)
        name = socket.gethostname().lower()
        self._names = {"localhost", name, f"{name}.local"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse, or let through."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        reason = why_strange(scope, headers, is_own=self._is_own, scheme="http", must_say_origin=False)
        if reason is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocket(scope, receive, send).close(_POLICY_CODE)
        else:
            host = headers.get("host", "")[:_SHOWN]
            text, status = (_WRONG_HOST.format(host=host), 421) if reason == "host" else (_WRONG_ORIGIN, 403)
            await JSONResponse({"error": text}, status)(scope, receive, send)

    def _is_own(self, host: str) -> bool:
        if not self._open_to_all:
            return host in self._address.hosts
        # Its addresses are not known here, but no page elsewhere has a number for its name.
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self._names or _is_number(name)


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
