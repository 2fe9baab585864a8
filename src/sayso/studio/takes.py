"""The manifest of a folder of recordings: a line of JSON for each clip, which `sayso train` reads, too."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sayso.errors import DataError
from sayso.system.files import append_line, output_errors, parse_json, write_text

__all__ = ["MANIFEST", "Take", "append_take", "read_takes", "write_takes"]

MANIFEST = "clips.jsonl"
"""Lies in the folder."""


@dataclass(frozen=True, kw_only=True)
class Take:
    """One clip, with what is known of how it came."""

    path: str
    """Below the folder, with `/` between."""
    label: str
    """The word, as it was typed."""
    speaker: str | None = None
    """Who says it, as it was typed."""
    split: str | None = None
    """The part that it is kept to: `training only`; None: as clips are divided."""
    take: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """`recorded_at`; `settings` of the microphone, as the browser tells them, or `file`, what a dropped one was called;
    `remarks`, what was found at once; of a correction `heard`, what the model took it for."""


def read_takes(folder: Path) -> dict[str, Take]:
    """Read the manifest, by path; empty where there is none. What is no line, as a crash leaves it, is passed over.

    Raises:
        DataError: it is there, and cannot be read.
    """
    try:
        lines = (folder / MANIFEST).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise DataError(f"{folder / MANIFEST}: cannot be read ({error.strerror})") from error
    return {take.path: take for line in lines if (take := _read(line))}


def _read(line: str) -> Take | None:
    try:
        values = parse_json(line)
    except ValueError:
        return None
    if not isinstance(values, dict):
        return None
    path, label, speaker, split, facts = (values.get(key) for key in ("path", "label", "speaker", "split", "take"))
    if not isinstance(path, str) or not isinstance(label, str):
        return None
    if not isinstance(speaker, str | None) or not isinstance(split, str | None):
        return None
    facts = facts if isinstance(facts, dict) else {}
    return Take(path=path, label=label, speaker=speaker or None, split=split or None, take=facts)


def append_take(folder: Path, take: Take) -> None:
    """Add a line, and have it on the disk; whoever calls keeps others out. What cannot be written whole is taken back.

    Raises:
        OutputError: it cannot be written.
    """
    path = folder / MANIFEST
    with output_errors(path):
        append_line(path, _line(take))


def write_takes(folder: Path, takes: Iterable[Take]) -> None:
    """Write the whole manifest anew, atomically.

    Raises:
        OutputError: it cannot be written.
    """
    write_text(folder / MANIFEST, "".join(map(_line, takes)))


def _line(take: Take) -> str:
    values = {key: value for key, value in asdict(take).items() if value not in (None, {})}
    return json.dumps(values, ensure_ascii=False, allow_nan=False) + "\n"
