"""Parts that other packages bring: whose they are, and by which code they do what they do."""

import dataclasses
import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any, TypedDict

from sayso.config.registry import Part
from sayso.config.schema import Settings

__all__ = ["OutsidePart", "find_changed_parts", "find_outside_parts"]


class OutsidePart(TypedDict):
    """One kind of part that is not Sayso's own."""

    kind: str
    """Its name in the recipe."""
    package: str
    """As it is called where packages are installed; of code that no package brings, its module."""
    version: str
    """Of the package; empty where none brings it."""
    code: str
    """SHA-256 over every Python file of it, names included; empty where there is none, as in a notebook."""


def find_outside_parts(settings: Settings) -> list[OutsidePart]:
    """List the kinds of parts within settings, each once, that come from other packages than Sayso."""
    found = {type(part) for part in _parts_within(settings) if part.__module__.partition(".")[0] != "sayso"}
    return [_identify(part) for part in sorted(found, key=lambda part: part.kind)]


def find_changed_parts(before: Sequence[Mapping[str, Any]], now: Sequence[OutsidePart]) -> list[str]:
    """Say of each part that is no longer what it was what has become of it."""
    found = {part["kind"]: part for part in now}
    return [
        f"{was['kind']} of {_named(was)} {change}"
        for was in before
        if (change := _change(was, found.get(str(was["kind"]))))
    ]


def _change(was: Mapping[str, Any], now: OutsidePart | None) -> str:
    if now is None:
        return "is not here"
    if _named(was) != _named(now):
        return f"is now of {_named(now)}"
    return "has other code" if was["code"] != now["code"] else ""


def _named(part: Mapping[str, Any]) -> str:
    return f"{part['package']} {part['version']}".strip()


def _parts_within(value: object) -> Iterator[Part]:
    if isinstance(value, Part):
        yield value
    if isinstance(value, Settings):
        for field in dataclasses.fields(value):
            yield from _parts_within(getattr(value, field.name))
    elif isinstance(value, tuple):
        for each in value:
            yield from _parts_within(each)


@cache
def _identify(part: type[Part]) -> OutsidePart:
    top = part.__module__.partition(".")[0]
    package = next(iter(packages_distributions().get(top, ())), "")
    named = {"package": package, "version": version(package)} if package else {"package": top, "version": ""}
    return OutsidePart(kind=part.kind, code=_hash_code(part, top), **named)


def _hash_code(part: type[Part], top: str) -> str:
    """Hash every Python file of the package that holds a part, or the one file that does."""
    module = sys.modules.get(top)
    folders = [Path(folder) for folder in getattr(module, "__path__", ())]
    files = [(file.relative_to(folder), file) for folder in folders for file in sorted(folder.rglob("*.py"))]
    if not files:
        try:
            own = Path(inspect.getfile(part))
        except (TypeError, OSError):  # written at a prompt or in a notebook
            return ""
        files = [(Path(own.name), own)] if own.is_file() else []
    hashed = sha256()
    for name, file in files:
        hashed.update(f"{name.as_posix()}\0{sha256(file.read_bytes()).hexdigest()}\n".encode())
    return hashed.hexdigest() if files else ""
