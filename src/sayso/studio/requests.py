"""What the page sends beside sound, read without belief."""

from typing import Any
from urllib.parse import unquote

from starlette.requests import Request

from sayso.errors import Fault, SettingsError
from sayso.http.requests import read_body
from sayso.system.files import parse_json

__all__ = ["read_json_body", "text_of", "told"]

_JSON_BYTES = 1 << 18


async def read_json_body(request: Request) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        SettingsError: it is none.
        TooLargeError: it is far larger than the page sends.
    """
    content = await read_body(request, most=_JSON_BYTES, what="the request")
    try:
        values = parse_json(content.decode() or "{}")
    except ValueError as error:
        raise SettingsError([Fault("", "the request is no JSON")]) from error
    if not isinstance(values, dict):
        raise SettingsError([Fault("", "the request is no JSON object")])
    return values


def told(request: Request) -> dict[str, Any]:
    """Read what a request with sound in it says of that sound: JSON, percent-encoded, in the header `x-sayso-clip`.

    Raises:
        SettingsError: it is no such thing.
    """
    try:
        values = parse_json(unquote(request.headers.get("x-sayso-clip", "")))
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise SettingsError([Fault("", "the request does not say what it brings")])
    return values


def text_of(values: dict[str, Any], key: str) -> str:
    """Give a text that must be there.

    Raises:
        SettingsError: it is missing, or is something else.
    """
    value = values.get(key)
    if not isinstance(value, str):
        raise SettingsError([Fault("", f"the request does not say its {key}")])
    return value
