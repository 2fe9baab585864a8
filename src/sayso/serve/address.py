"""Where a service is found on the network."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from sayso.errors import Fault, SettingsError
from sayso.http.address import Address as HttpAddress

__all__ = ["Address", "parse_address", "parse_http_address"]

_EXAMPLE = "tcp://127.0.0.1:10400"
_HTTP_EXAMPLE = "127.0.0.1:8080"


@dataclass(frozen=True)
class Address:
    """A host and its port; port 0 is any that is free."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{self.port}"


def parse_address(text: str, *, option: str) -> Address:
    """Read `tcp://HOST:PORT`.

    Args:
        text: what was given.
        option: by which option, for the message.

    Raises:
        SettingsError: it is no such address.

    >>> parse_address("tcp://[::1]:10400", option="--wyoming")
    Address(host='::1', port=10400)
    """
    what = f"must be tcp://HOST:PORT, such as {_EXAMPLE}"
    scheme, separator, rest = text.partition("://")
    if not separator or scheme != "tcp":
        named = f", of the scheme '{scheme}'" if separator else ""
        raise SettingsError([Fault(option, f"is '{text}'{named}, {what}")])
    return Address(*_split(rest.removesuffix("/"), f"is '{text}'", what, option=option))


def parse_http_address(text: str, *, option: str) -> HttpAddress:
    """Read `HOST:PORT`.

    Args:
        text: what was given.
        option: by which option, for the message.

    Raises:
        SettingsError: it is no such address.

    >>> parse_http_address("[::1]:8080", option="--http")
    Address(host='::1', port=8080, scheme='http')
    """
    return HttpAddress(*_split(text, f"is '{text}'", f"must be HOST:PORT, such as {_HTTP_EXAMPLE}", option=option))


def _split(place: str, given: str, what: str, *, option: str) -> tuple[str, int]:
    """Split `HOST:PORT`; `given` and `what` say what was given, and what must be."""
    try:
        parts = urlsplit(f"//{place}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise SettingsError([Fault(option, f"{given} ({error}), {what}")]) from error
    if not host or port is None or parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise SettingsError([Fault(option, f"{given}, {what}")])
    return host, port
