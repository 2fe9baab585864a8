"""`sayso studio`."""

from pathlib import Path
from typing import Annotated

import typer

from sayso.cli.console import warn

__all__ = ["studio"]

_WHAT = "pages of this machine"


def studio(
    folder: Annotated[Path, typer.Argument(help="Folder of the recordings, made where it is missing.")] = Path(
        "my-clips"
    ),
    host: Annotated[
        str, typer.Option(help="Name or address under which the page is opened; another than this machine needs TLS.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 is any that is free.")] = 8765,
    certificate: Annotated[Path | None, typer.Option(help="For https, in PEM; goes with --key.")] = None,
    key: Annotated[Path | None, typer.Option(help="Of the certificate, in PEM.")] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Show the address alone, open nothing.")] = False,
) -> None:
    """Record words, train and see the score in a page.

    Clips land in FOLDER as word/speaker/*.flac, runs below `runs` as those of `sayso train`. Ctrl-C ends it.
    """
    import webbrowser

    from sayso.studio.address import check_address
    from sayso.system.installed import needing_package

    pair = check_address(host, certificate, key)
    with needing_package("starlette", _WHAT, extra="serve"), needing_package("uvicorn", _WHAT, extra="serve"):
        from sayso.studio.server import serve

    def ready(url: str) -> None:
        warn(f"recordings lie in {folder}; Ctrl-C ends it. The page:")
        print(url, flush=True)
        if not no_browser:
            webbrowser.open(url)

    serve(folder, runs=Path("runs"), host=host, port=port, certificate=pair, on_ready=ready, tell=warn)
