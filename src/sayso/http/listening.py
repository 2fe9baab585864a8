"""The socket of a server."""

import socket

from sayso.errors import Fault, SettingsError

__all__ = ["listen"]

_BACKLOG = 128


def listen(host: str, port: int, *, option: str, host_option: str | None = None) -> socket.socket:
    """Listen at a port, at any that is free for 0.

    Args:
        host: name or address of this machine.
        port: of it.
        option: by which it was given, for the message.
        host_option: by which the host was; None: by the same.

    Raises:
        SettingsError: it cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        if isinstance(error, socket.gaierror):
            raise _no_machine(host, host_option or option) from error
        raise SettingsError([Fault(option, f"{port} of {host} cannot be used ({reason}); choose another")]) from error
    except (TypeError, UnicodeError) as error:  # a name that no name can be
        listener.close()
        raise _no_machine(host, host_option or option) from error
    return listener


def _no_machine(host: str, option: str) -> SettingsError:
    return SettingsError([Fault(option, f"'{host}' is no name or address of this machine, such as 127.0.0.1")])
