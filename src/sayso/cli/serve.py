"""`sayso serve`."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sayso.cli.console import warn
from sayso.cli.stream_options import StreamOverrides, Threshold, stream_settings
from sayso.system.wording import counted, listed, percent

if TYPE_CHECKING:
    from sayso.serve.hearing import Heard

__all__ = ["serve"]

_SHOWN_WORDS = 10


def serve(
    model: Annotated[list[Path], typer.Option(help="A run's folder or a model.onnx; may be repeated.")],
    wyoming: Annotated[
        str, typer.Option(metavar="tcp://HOST:PORT", help="Where; host 0.0.0.0 lets other machines in.")
    ] = "tcp://127.0.0.1:10400",
    threshold: Threshold = None,
    settings: StreamOverrides = None,
) -> None:
    """Hear words for Home Assistant, by the Wyoming protocol.

    Each client sends its sound, and is told each word when it is heard. Ctrl-C ends it.
    """
    from sayso.runtime import Recognizer
    from sayso.serve.address import parse_address
    from sayso.serve.models import share_words
    from sayso.system.installed import needing_package

    with needing_package("wyoming", "Wyoming services", extra="serve"):
        from sayso.serve.server import serve as serve_models

    address = parse_address(wyoming, option="--wyoming")
    recognizers = [Recognizer(path / "model.onnx" if path.is_dir() else path, threads=1) for path in model]
    chosen = [
        (each, stream_settings(each, overrides=settings, threshold=threshold, thresholds_of=None))
        for each in recognizers
    ]
    models = share_words(chosen, _note)
    words = [word for each in models for word in each.words]
    count = 0

    def ready(where: str) -> None:
        warn(f"serving {listed(words, _SHOWN_WORDS, count_rest=True)} at {where}; Ctrl-C ends it")

    def take(client: str, heard: "Heard") -> None:
        nonlocal count
        count += 1
        now = datetime.now().astimezone()
        print(f"{now:%H:%M:%S}  {heard.word}  {percent(heard.score)}  ({client})", flush=True)

    clients = serve_models(models, address, tell=_note, on_ready=ready, on_detection=take)
    warn(f"served {counted(clients, 'client')}: {counted(count, 'detection')}")


def _note(text: str) -> None:
    warn(f"note: {text}")
