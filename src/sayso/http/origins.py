"""Which requests a server answers: those that name it as its host, from no other site's page.

Or a page elsewhere could have its name lead here (DNS rebinding), or ask here in the name of who looks at it.
"""

from collections.abc import Callable
from typing import Literal

from starlette.datastructures import Headers
from starlette.types import Scope

__all__ = ["why_strange"]

_SAFE_METHODS = ("GET", "HEAD")


def why_strange(
    scope: Scope, headers: Headers, *, is_own: Callable[[str], bool], scheme: str, must_say_origin: bool
) -> Literal["host", "origin"] | None:
    """Tell by what a request of HTTP or WebSocket is not for this server; None: it is.

    Args:
        scope: of the request.
        headers: of the request.
        is_own: whether a host, in lower case and with its port, is this server.
        scheme: `http` or `https`.
        must_say_origin: whether a WebSocket or a change without an origin is strange; programs that are no browser
            name none.
    """
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not is_own(hosts[0].lower()):
        return "host"
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "same-origin")
    if origin is None and must_say_origin and (scope["type"] == "websocket" or scope["method"] not in _SAFE_METHODS):
        return "origin"
    if origin not in (None, f"{scheme}://{hosts[0].lower()}"):
        return "origin"
    # A link elsewhere may lead here, to the page: the cookie does not come with it.
    if site not in ("same-origin", "none") and headers.get("sec-fetch-mode", "navigate") != "navigate":
        return "origin"
    return None
