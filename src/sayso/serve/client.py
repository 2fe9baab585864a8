"""One client of the Wyoming protocol, from its first message to its last."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event, Eventable, async_write_event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.wake import Detect, Detection, NotDetected

from sayso.errors import DataError, SaysoError
from sayso.runtime.live import Tell
from sayso.serve.hearing import Heard, Hearing, SoundForm
from sayso.serve.messages import read_clock, read_event, read_form, read_names
from sayso.serve.models import ServedModel
from sayso.system.wording import listed

__all__ = ["Client", "Service"]

_SHOWN_WORDS = 10
_Result = TypeVar("_Result")


@dataclass(frozen=True, eq=False)
class Service:
    """What all clients share."""

    models: Sequence[ServedModel]
    info: Info
    """What is answered to `describe`."""
    workers: Executor
    """Computes, while the others are heard on."""
    tell: Tell
    """Takes one line that a person should read."""
    on_detection: Callable[[str, Heard], None]
    """Takes the name of a client, and what it was told."""

    @property
    def words(self) -> tuple[str, ...]:
        """All that may be asked for."""
        return tuple(word for model in self.models for word in model.words)


class Client:
    """Answers one client.

    Args:
        reader: what it sends.
        writer: what is sent to it.
        service: what it may ask.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, service: Service) -> None:
        self._reader, self._writer, self._service = reader, writer, service
        self._name = _name_of(writer)
        self._words = service.words
        self._hearing: Hearing | None = None

    async def run(self) -> None:
        """Answer until the client goes, or cannot be understood; then it is closed, with one line."""
        try:
            while event := await read_event(self._reader):
                await self._answer(event)
            if self._hearing and not self._hearing.count:
                self._tell(f"went away after {self._hearing.seconds:.1f} s of sound, before any word")
        except SaysoError as error:
            self._tell(f"{error}; closed")
            with suppress(OSError):
                await self._write(Error(text=str(error)))
        except OSError as error:
            self._tell(f"lost ({error.strerror or type(error).__name__})")
        finally:
            self._writer.close()

    async def _answer(self, event: Event) -> None:
        kind = event.type
        if AudioChunk.is_type(kind):
            await self._take_chunk(event)
        elif AudioStart.is_type(kind):
            self._begin(read_form(event), read_clock(event))
        elif AudioStop.is_type(kind):
            await self._stop()
        elif Detect.is_type(kind):
            await self._choose(read_names(event))
        elif Describe.is_type(kind):
            await self._write(self._service.info)
        elif Ping.is_type(kind):
            await self._write(Pong(text=Ping.from_event(event).text))
        # Others are for services of another kind, and passed over, as the protocol asks.

    async def _choose(self, names: tuple[str, ...]) -> None:
        """Listen for these words from the next sound on; none: for all."""
        known = self._service.words
        unknown = [repr(name) for name in names if name not in known]
        self._words = tuple(name for name in names if name in known) or known
        self._hearing = None
        if unknown:
            has = listed(list(known), _SHOWN_WORDS, count_rest=True)
            what = f"asked for {listed(unknown, _SHOWN_WORDS, count_rest=True)}, which no model has; they have {has}"
            if len(unknown) == len(names):
                raise DataError(what)
            self._tell(what)
            await self._write(Error(text=what))

    def _begin(self, form: SoundForm, clock: int | None) -> Hearing:
        self._hearing = Hearing(self._service.models, self._words, form=form, begin=clock or 0, tell=self._tell)
        return self._hearing

    async def _take_chunk(self, event: Event) -> None:
        form, clock, hearing = read_form(event), read_clock(event), self._hearing
        if hearing is None or hearing.form != form:
            hearing = self._begin(form, clock)
        if clock is not None:
            hearing.set_clock(clock)
        for piece in hearing.cut(event.payload or b""):
            await self._detect(await self._compute(lambda piece=piece: hearing.hear(piece)))

    async def _stop(self) -> None:
        hearing, self._hearing = self._hearing, None
        if hearing:
            await self._detect(await self._compute(hearing.finish))
        if not (hearing and hearing.count):
            await self._write(NotDetected())

    async def _compute(self, work: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._service.workers, work)

    async def _detect(self, found: list[Heard]) -> None:
        for heard in found:
            self._service.on_detection(self._name, heard)
            await self._write(Detection(name=heard.word, timestamp=heard.milliseconds))

    async def _write(self, message: Eventable) -> None:
        await async_write_event(message.event(), self._writer)

    def _tell(self, text: str) -> None:
        self._service.tell(f"{self._name}: {text}")


def _name_of(writer: asyncio.StreamWriter) -> str:
    host, port = writer.get_extra_info("peername", ("a client that is gone", 0))[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
