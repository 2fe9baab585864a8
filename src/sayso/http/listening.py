"""The socket of a server."""

import socket

from sayso.errors import Fault, SettingsError

__all__ = ["listen"]

_BACKLOG = 128


def listen(host: str, port: int, *, option: str) -> socket.socket:
    """Listen at a port, at any that is free for 0.

    Args:
        host: name or address of this machine.
        port: of it.
        option: by which it was given, for the message.

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
        raise SettingsError([Fault(option, f"{port} of {host} cannot be used ({reason}); choose another")]) from error
    return listener
