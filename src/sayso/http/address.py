"""Where a server is found, and which names of it are its own."""

import ipaddress
from dataclasses import dataclass

__all__ = ["Address", "is_loopback"]


@dataclass(frozen=True)
class Address:
    """A host, its port, and how it is spoken to."""

    host: str
    port: int
    scheme: str = "http"

    @property
    def hosts(self) -> frozenset[str]:
        """What a browser may say that this server is called."""
        names = {self.host.lower()} | ({"localhost", "127.0.0.1", "::1"} if is_loopback(self.host) else set())
        bracketed = {f"[{name}]" if ":" in name else name for name in names}
        usual = self.port == {"http": 80, "https": 443}[self.scheme]
        return frozenset(f"{name}:{self.port}" for name in bracketed) | (frozenset(bracketed) if usual else frozenset())

    @property
    def url(self) -> str:
        """Of its first page."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}/"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, as only it sees it.

    >>> is_loopback("localhost"), is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("192.168.1.5")
    (True, True, True, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
