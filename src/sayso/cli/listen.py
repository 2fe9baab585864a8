"""`sayso listen`."""

import json
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sayso.cli.console import warn
from sayso.cli.live_display import LiveDisplay
from sayso.cli.stream_options import StreamOverrides, Threshold, ThresholdsOf, stream_settings
from sayso.errors import in_one_line
from sayso.system.wording import counted, in_shell, listed, percent

if TYPE_CHECKING:
    from sayso.runtime import Detection, Stream
    from sayso.runtime.commands import Commands
    from sayso.runtime.keeping import Keeper
    from sayso.runtime.live import Source

__all__ = ["listen"]

_SHOWN_WORDS = 10
_WAIT_SECONDS = 5.0
_PIPED = "pipe sound in: arecord -t raw -f S16_LE -r 16000 | sayso listen --model {} --input - --rate 16000"


def listen(
    model: Annotated[Path, typer.Option(help="A run's folder or a model.onnx.")],
    device: Annotated[
        str | None, typer.Option(help="The microphone: its number, or a part of its name; an unknown one lists them.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--input", metavar="-|FILE", help="Raw sound from standard input (-) or a pipe instead."),
    ] = None,
    rate: Annotated[float | None, typer.Option(help="Of the sound, in hertz; a microphone has its own.")] = None,
    pcm_format: Annotated[
        str | None,
        typer.Option("--format", help="Of raw sound, by default s16le; or s16be, s24le, s32le, f32le, f64le, u8."),
    ] = None,
    channels: Annotated[int | None, typer.Option(min=1, help="Of the sound, by default 1; more are mixed.")] = None,
    threshold: Threshold = None,
    thresholds_of: ThresholdsOf = None,
    settings: StreamOverrides = None,
    on_word: Annotated[
        list[str] | None,
        typer.Option(metavar="WORD=COMMAND", help="Run a command when a word is heard; may be repeated."),
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Save what fired, and what nearly did, as clips by word.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one line a detection.")] = False,
) -> None:
    """Say each word as it is heard, by a microphone or a pipe.

    Ctrl-C ends it.

    Commands get the word in SAYSO_WORD, and SAYSO_SCORE, SAYSO_START and SAYSO_END beside it; no shell reads them.

    Saved clips lie in folders by word, which `sayso audit` and `sayso train` read.
    """
    from sayso.runtime import Recognizer, Stream
    from sayso.runtime.commands import Commands, parse_commands
    from sayso.runtime.keeping import Keeper

    recognizer = Recognizer(model, threads=1)
    chosen = stream_settings(recognizer, overrides=settings, threshold=threshold, thresholds_of=thresholds_of)
    commands = Commands(parse_commands(on_word or (), recognizer.labels), _note)
    commands.check()
    keeper = Keeper(keep, _note) if keep else None
    with closing(_open(model, device, source, rate, pcm_format, channels)) as heard:
        stream = Stream(recognizer, sample_rate=heard.sample_rate, settings=chosen)
        _hear(heard, stream, commands, keeper, as_json)


def _open(
    model: Path,
    device: str | None,
    source: str | None,
    rate: float | None,
    pcm_format: str | None,
    channels: int | None,
) -> "Source":
    from sayso.runtime.microphone import Microphone
    from sayso.runtime.pcm import open_raw

    if source is None:
        if pcm_format:
            raise typer.BadParameter("--format is of raw sound; give it with --input")
        piped = _PIPED.format(in_shell(model))
        return Microphone(device, sample_rate=rate, channels=channels, tell=_note, otherwise=piped)
    if device is not None:
        raise typer.BadParameter("give --device or --input, not both")
    if rate is None:
        raise typer.BadParameter("raw sound does not say its rate; give --rate, such as --rate 16000")
    return open_raw(source, sample_rate=rate, pcm_format=pcm_format or "s16le", channels=channels or 1, tell=_note)


def _hear(source: "Source", stream: "Stream", commands: "Commands", keeper: "Keeper | None", as_json: bool) -> None:
    from sayso.runtime.listener import Listener
    from sayso.runtime.listener import listen as hear

    listener = Listener(stream, tell=_note, keeper=keeper)
    if stream.note:
        _note(stream.note)
    words = listed(list(stream.labels), _SHOWN_WORDS, count_rest=True)
    warn(f"listening to {source.name} at {source.sample_rate:g} Hz for {words}; Ctrl-C ends it")
    count = 0

    def take(detection: "Detection") -> None:
        nonlocal count
        count += 1
        print(_line(detection, as_json), flush=True)  # at once, for whoever reads a pipe
        commands.run(detection)

    def look() -> None:
        commands.look()
        display.show()

    with LiveDisplay(listener) as display:
        has_ended = hear(source, listener, on_detection=take, on_block=look)
    commands.finish(_WAIT_SECONDS if has_ended else 0)
    warn(f"heard {listener.heard_seconds:.1f} s: {counted(count, 'detection')}")
    if keeper:
        warn(f"kept {keeper.kept['fired']:,} that fired and {keeper.kept['near']:,} that nearly did: {keeper.folder}")


def _line(detection: "Detection", as_json: bool) -> str:
    now = datetime.now().astimezone()
    if as_json:
        facts = {"word": detection.word, "score": detection.score, "start": detection.start, "end": detection.end}
        return json.dumps(facts | {"time": now.isoformat(timespec="milliseconds")}, ensure_ascii=False)
    where = f"{detection.start:.2f} to {detection.end:.2f} s"
    return f"{now:%H:%M:%S}  {in_one_line(detection.word)}  {percent(detection.score)}  ({where})"


def _note(text: str) -> None:
    warn(f"note: {text}")
