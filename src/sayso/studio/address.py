"""Where the page is found: on this machine, or for others under a name of its own, then by TLS alone."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from sayso.errors import Fault, SettingsError

__all__ = ["Address", "Certificate", "check_address", "is_loopback"]


@dataclass(frozen=True)
class Certificate:
    """Of a server, in PEM."""

    certificate: Path
    key: Path


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
        """Of the page, without its token."""
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


def check_address(host: str, certificate: Path | None, key: Path | None) -> Certificate | None:
    """Check where the page is to be found before anything is begun.

    Raises:
        SettingsError: others are to reach it without TLS, a file is missing, or the host is no name of its own.
    """
    faults: list[Fault] = []
    if (certificate is None) != (key is None):
        faults.append(Fault("--certificate", "goes with --key; give both or none"))
    for option, path in (("--certificate", certificate), ("--key", key)):
        if path is not None and not path.is_file():
            faults.append(Fault(option, f"is {path}, which is no file; give it in PEM"))
    if host in ("", "0.0.0.0", "::", "*"):
        faults.append(
            Fault("--host", f"is '{host}'; give the one name or address that others open, such as 192.168.1.5")
        )
    elif not is_loopback(host) and certificate is None and not faults:
        faults.append(
            Fault(
                "--host",
                f"is {host}: other machines open the page there, and browsers give no microphone to a page on plain "
                "http; give --certificate and --key, or leave --host out",
            )
        )
    if faults:
        raise SettingsError(faults)
    return Certificate(certificate, key) if certificate and key else None
