"""`sayso serve`."""

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sayso.cli.console import warn
from sayso.cli.stream_options import StreamOverrides, Threshold, stream_settings
from sayso.errors import in_one_line
from sayso.system.wording import counted, listed, percent

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from sayso.runtime import Recognizer, StreamSettings
    from sayso.runtime.live import Tell
    from sayso.serve.api.service import ApiService
    from sayso.serve.hearing import Heard
    from sayso.serve.wyoming_service import WyomingService

__all__ = ["serve"]

_SHOWN_WORDS = 10
_USUAL_PLACE = "tcp://127.0.0.1:10400"
_WHAT = "services of HTTP"
_STREAMS_PER_CORE = 32  # of a small network, with room for what else a machine does


def serve(
    model: Annotated[list[Path], typer.Option(help="A run's folder or a model.onnx; may be repeated.")],
    wyoming: Annotated[
        str | None,
        typer.Option(
            metavar="tcp://HOST:PORT",
            help="Where Home Assistant asks; host 0.0.0.0 lets other machines in.  "
            f"[default: {_USUAL_PLACE}, without --http]",
        ),
    ] = None,
    http: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Where programs ask by HTTP and WebSocket; 0.0.0.0 as above."),
    ] = None,
    most_streams: Annotated[
        int | None,
        typer.Option(
            min=1, help=f"Streams by --http at once, others are refused.  [default: {_STREAMS_PER_CORE} per core]"
        ),
    ] = None,
    threshold: Threshold = None,
    settings: StreamOverrides = None,
) -> None:
    """Hear words for Home Assistant and for any program.

    By the Wyoming protocol, or by HTTP and WebSocket: each client sends its sound, and is told each word when it is
    heard. Ctrl-C ends it.
    """
    if most_streams is not None and not http:
        raise typer.BadParameter("--most-streams counts those by --http; give that too")
    from concurrent.futures import ThreadPoolExecutor

    from sayso.runtime import Recognizer
    from sayso.serve.running import run_services

    recognizers = [Recognizer(path, threads=1) for path in model]
    chosen = [
        (each, stream_settings(each, overrides=settings, threshold=threshold, thresholds_of=None))
        for each in recognizers
    ]
    words = list(dict.fromkeys(word for each in recognizers for word in each.labels))

    def ready(where: str) -> None:
        warn(f"serving {listed(words, _SHOWN_WORDS, count_rest=True)} at {where}; Ctrl-C ends it")

    with ThreadPoolExecutor(os.cpu_count()) as workers:
        detections = _Detections()
        place = wyoming or (None if http else _USUAL_PLACE)
        tell = _once(_note)  # both services open the models
        by_wyoming = _by_wyoming(place, chosen, workers, detections, tell, beside_http=bool(http)) if place else None
        by_http = _by_http(http, chosen, workers, tell, most_streams) if http else None
        run_services([each for each in (by_wyoming, by_http) if each], tell=_note, on_ready=ready)
    if by_wyoming:
        warn(f"served {counted(by_wyoming.count, 'client')}: {counted(detections.count, 'detection')}")
    if by_http:
        warn(f"served {counted(by_http.streams, 'stream')} and {counted(by_http.predictions, 'prediction')}")


class _Detections:
    """Prints them, and counts them."""

    def __init__(self) -> None:
        self.count = 0

    def take(self, client: str, heard: "Heard") -> None:
        """Print one."""
        self.count += 1
        now = datetime.now().astimezone()
        print(f"{now:%H:%M:%S}  {in_one_line(heard.word)}  {percent(heard.score)}  ({in_one_line(client)})", flush=True)


def _by_wyoming(
    place: str,
    models: "list[tuple[Recognizer, StreamSettings | None]]",
    workers: "Executor",
    detections: _Detections,
    tell: "Tell",
    *,
    beside_http: bool,
) -> "WyomingService":
    from sayso.serve.address import parse_address
    from sayso.serve.models import share_words
    from sayso.system.installed import needing_package

    with needing_package("wyoming", "Wyoming services", extra="serve"):
        from sayso.serve.wyoming_service import WyomingService

    address = parse_address(place, option="--wyoming")
    shared = share_words(models, tell, leave_out=beside_http)
    return WyomingService(shared, address, workers=workers, tell=_note, on_detection=detections.take)


def _by_http(
    place: str,
    models: "list[tuple[Recognizer, StreamSettings | None]]",
    workers: "Executor",
    tell: "Tell",
    most_streams: int | None,
) -> "ApiService":
    from sayso.serve.address import parse_http_address
    from sayso.serve.models import name_models
    from sayso.system.installed import needing_package

    with (
        needing_package("starlette", _WHAT, extra="serve"),
        needing_package("uvicorn", _WHAT, extra="serve"),
        needing_package("websockets", _WHAT, extra="serve"),
    ):
        from sayso.serve.api.service import ApiService

    address = parse_http_address(place, option="--http")
    most = most_streams or _STREAMS_PER_CORE * (os.cpu_count() or 1)
    return ApiService(name_models(models, tell), address, most_streams=most, workers=workers, tell=_note)


def _once(tell: "Tell") -> "Tell":
    """Tell each text the first time alone."""
    told = set[str]()

    def tell_new(text: str) -> None:
        if text not in told:
            told.add(text)
            tell(text)

    return tell_new


def _note(text: str) -> None:
    warn(f"note: {text}")
