"""The page's server, until Ctrl-C."""

from collections.abc import Callable
from pathlib import Path

import uvicorn

from sayso.errors import Fault, SettingsError
from sayso.http.address import Address
from sayso.http.listening import listen
from sayso.runtime.live import Tell
from sayso.studio.address import Certificate
from sayso.studio.app import Studio, make_app
from sayso.studio.guard import Guard, Keys
from sayso.system.interrupts import interrupted_by_any_end

__all__ = ["serve"]

_SHUTDOWN_SECONDS = 2


def serve(
    folder: Path,
    *,
    runs: Path,
    host: str,
    port: int,
    certificate: Certificate | None,
    on_ready: Callable[[str], None],
    tell: Tell,
) -> None:
    """Serve the page until Ctrl-C or SIGTERM; a training that runs then is stopped and can be resumed.

    Args:
        folder: of the recordings.
        runs: folder of runs.
        host: as `check_address` lets it pass.
        port: 0 is any that is free.
        certificate: for https.
        on_ready: called once with the address to be opened, its token in it.
        tell: takes what a person should know.

    Raises:
        SettingsError: the address, or the certificate, cannot be used.
        OutputError: the folder cannot be written to.
    """
    studio = Studio(folder, runs, tell)
    with listen(host, port, option="--port", host_option="--host") as listener:
        scheme = "https" if certificate else "http"
        address, keys = Address(host, listener.getsockname()[1], scheme), Keys()
        config = uvicorn.Config(
            Guard(make_app(studio), address=address, keys=keys),
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
            ssl_certfile=str(certificate.certificate) if certificate else None,
            ssl_keyfile=str(certificate.key) if certificate else None,
        )
        _load(config, certificate)
        try:
            with interrupted_by_any_end():
                on_ready(f"{address.url}?token={keys.token}")
                uvicorn.Server(config).run(sockets=[listener])
        except KeyboardInterrupt:  # uvicorn tells it on, once it has ended
            pass
        finally:
            studio.close()


def _load(config: uvicorn.Config, certificate: Certificate | None) -> None:
    try:
        config.load()
    except OSError as error:
        if certificate is None:
            raise
        what = f"is {certificate.certificate}, which with --key {certificate.key} is no pair in PEM"
        raise SettingsError([Fault("--certificate", what)]) from error
