"""Where the page is found: on this machine, or for others under a name of its own, then by TLS alone."""

from dataclasses import dataclass
from pathlib import Path

from sayso.errors import Fault, SettingsError
from sayso.http.address import is_loopback

__all__ = ["Certificate", "check_address"]


@dataclass(frozen=True)
class Certificate:
    """Of a server, in PEM."""

    certificate: Path
    key: Path


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
