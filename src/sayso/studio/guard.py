"""Who may speak to the page's server: the browser that was opened with its token, from its own page, and nobody else.

Every request, of HTTP or WebSocket, must name this server as its host (or a page elsewhere could have its name lead
here: DNS rebinding), and come from this server's own pages where it says where it comes from. The token in the address
that is opened is exchanged for a cookie that no script reads and no other site sends.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from sayso.http.address import Address
from sayso.http.origins import why_strange

__all__ = ["PAGE_POLICY", "Guard", "Keys"]

PAGE_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; "
    "img-src 'self' data:; media-src 'self' blob:; connect-src 'self'; frame-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": PAGE_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
    "cache-control": "no-store",
}
_OPEN_IT = "Open the page by the address that the terminal shows: it holds the key to this page.\n"
_WRONG_HOST = "This server answers under its own address alone, as the terminal shows it.\n"
_WRONG_ORIGIN = "Only the page of this server may ask for that.\n"


def _new_secret() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Keys:
    """What lets a browser in."""

    token: str = field(default_factory=_new_secret)
    """Stands in the address that is opened."""
    session: str = field(default_factory=_new_secret)
    """In the cookie."""


class Guard:
    """The ASGI application that lets requests through to another.

    Args:
        app: what is guarded.
        address: where this server is found.
        keys: what lets in.
    """

    def __init__(self, app: ASGIApp, *, address: Address, keys: Keys) -> None:
        self._app, self._address, self._keys = app, address, keys
        # Cookies do not know ports: two studios on one machine must not overwrite each other's.
        self._cookie = f"sayso-studio-{address.port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse, or let through."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if refusal := self._refuse(scope, headers):
            await _close(scope, receive, send, refusal)
        elif scope["type"] == "http" and scope["path"] == "/" and (token := _token_of(scope)):
            await self._exchange(token, scope, receive, send)
        elif not self._knows(headers):
            await _close(scope, receive, send, PlainTextResponse(_OPEN_IT, 403, headers=_HEADERS))
        else:
            await self._app(scope, receive, _with_headers(send))

    def _refuse(self, scope: Scope, headers: Headers) -> Response | None:
        reason = why_strange(
            scope, headers, is_own=self._address.hosts.__contains__, scheme=self._address.scheme, must_say_origin=True
        )
        if reason is None:
            return None
        text, status = (_WRONG_HOST, 421) if reason == "host" else (_WRONG_ORIGIN, 403)
        return PlainTextResponse(text, status, headers=_HEADERS)

    async def _exchange(self, token: str, scope: Scope, receive: Receive, send: Send) -> None:
        if not secrets.compare_digest(token.encode(), self._keys.token.encode()):
            await PlainTextResponse(_OPEN_IT, 403, headers=_HEADERS)(scope, receive, send)
            return
        response = RedirectResponse("/", 303, headers=_HEADERS)
        response.set_cookie(
            self._cookie,
            self._keys.session,
            httponly=True,
            samesite="strict",
            secure=self._address.scheme == "https",
        )
        await response(scope, receive, send)

    def _knows(self, headers: Headers) -> bool:
        # Each is compared, whatever came before, and in the same time.
        found = [
            secrets.compare_digest(value.encode(), self._keys.session.encode()) for value in self._cookies(headers)
        ]
        return any(found)

    def _cookies(self, headers: Headers) -> Iterable[str]:
        # By hand: the library's parser gives up at the first cookie of another program that it cannot read.
        for header in headers.getlist("cookie"):
            for pair in header.split(";"):
                name, _, value = pair.strip().partition("=")
                if name == self._cookie:
                    yield value


def _token_of(scope: Scope) -> str:
    query = scope.get("query_string", b"").decode("ascii", "replace")
    try:
        return parse_qs(query, max_num_fields=10).get("token", [""])[0]
    except ValueError:
        return ""


async def _close(scope: Scope, receive: Receive, send: Send, refusal: Response) -> None:
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).close(code=1008)
    else:
        await refusal(Request(scope).scope, receive, send)


def _with_headers(send: Send) -> Send:
    """Add to every answer what keeps a page from loading, sending or showing anything elsewhere."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
