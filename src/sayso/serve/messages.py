"""Messages of the Wyoming protocol as they come from anybody: read within limits, and not believed.

The package's own reader takes any lengths, and ends in odd errors where a line is no message.
"""

import asyncio
import json
from typing import Any, cast

from wyoming.event import Event

from sayso.errors import DataError
from sayso.serve.hearing import SoundForm
from sayso.system.files import parse_json
from sayso.system.wording import listed

__all__ = ["read_clock", "read_event", "read_form", "read_names"]

_MOST_DATA, _MOST_PAYLOAD = 1 << 20, 1 << 24
_MOST_CLOCK = 1 << 53
_SHOWN = 40


async def read_event(reader: asyncio.StreamReader) -> Event | None:
    """Read the next message; None where the client has gone between two of them.

    Raises:
        DataError: it is no message, too long, or ends in the middle.
        ConnectionError: the connection was lost.
    """
    try:
        line = await reader.readline()
    except ValueError as error:
        raise DataError("sent a line without end, which is no message of the Wyoming protocol") from error
    if not line:
        return None
    if not line.endswith(b"\n"):
        raise _cut_off()
    header = _read_object(line)
    kind, data = header.get("type"), header.get("data") or {}
    if not isinstance(kind, str) or not isinstance(data, dict):
        raise _no_message(line)
    more = await _read_bytes(reader, header, "data_length", _MOST_DATA)
    payload = await _read_bytes(reader, header, "payload_length", _MOST_PAYLOAD)
    merged = cast(dict[str, Any], data) | (_read_object(more) if more else {})
    return Event(type=kind, data=merged, payload=payload)


async def _read_bytes(reader: asyncio.StreamReader, header: dict[str, Any], key: str, most: int) -> bytes:
    length = _whole_number(header, key, least=0, most=most) if header.get(key) is not None else 0
    try:
        return await reader.readexactly(length)
    except asyncio.IncompleteReadError as error:
        raise _cut_off() from error


def _read_object(text: bytes) -> dict[str, Any]:
    try:
        found = parse_json(text.decode())
        if b"\\u" in text:
            json.dumps(found, ensure_ascii=False).encode()  # or half a sign would come back, which no answer can hold
    except ValueError as error:
        raise _no_message(text) from error
    if not isinstance(found, dict):
        raise _no_message(text)
    return cast(dict[str, Any], found)


def read_form(event: Event) -> SoundForm:
    """Read what the sound of a message is.

    Raises:
        DataError: it does not say so.
        AudioError: there is no such sound.
    """
    keys = ("rate", "width", "channels")
    if missing := [key for key in keys if event.data.get(key) is None]:
        raise DataError(f"sent sound without its {listed(missing, len(keys))}")
    rate, width, channels = (_whole_number(event.data, key, least=0, most=_MOST_CLOCK) for key in keys)
    return SoundForm(rate, width, channels)


def read_clock(event: Event) -> int | None:
    """Read the client's clock, in milliseconds; None where it has none.

    Raises:
        DataError: it is no such number.
    """
    if event.data.get("timestamp") is None:
        return None
    return _whole_number(event.data, "timestamp", least=-_MOST_CLOCK, most=_MOST_CLOCK)


def read_names(event: Event) -> tuple[str, ...]:
    """Read which words are asked for, each once; none: all.

    Raises:
        DataError: they are no list of texts.
    """
    names: object = event.data.get("names")
    if names is None:
        return ()
    texts = cast(list[object], names) if isinstance(names, list) else [names]
    words = dict.fromkeys(name for name in texts if isinstance(name, str))
    if not isinstance(names, list) or not all(isinstance(name, str) for name in texts):
        raise DataError(f"sent names {_shown(names)}, must be a list of words")
    return tuple(words)


def _whole_number(values: dict[str, Any], key: str, *, least: int, most: int) -> int:
    value = values.get(key)
    if isinstance(value, float) and value.is_integer():  # as some languages write them
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise DataError(f"sent {key} {_shown(value)}, must be a whole number of {least:,} to {most:,}")
    return value


def _no_message(text: bytes) -> DataError:
    return DataError(
        f"sent what is no message of the Wyoming protocol: {_shown(text.decode(errors='replace').strip())}"
    )


def _cut_off() -> DataError:
    return DataError("went away in the middle of a message")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
