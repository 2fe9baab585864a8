"""Which column says what: Sayso's own names, those of NeMo, Hugging Face and Common Voice, and units of time."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["SIDES", "Columns", "Moment", "Side", "find_columns"]

Unit = Literal["seconds", "milliseconds", "samples"]
Side = Literal["start", "end", "duration"]
SIDES: tuple[Side, ...] = ("start", "end", "duration")
"""What a time in a manifest can say."""

_TEXTS: dict[str, tuple[str, ...]] = {
    "path": (
        *("path", "audio_filepath", "file_name", "filename", "file", "filepath", "file_path", "audio_path"),
        *("audio_file", "audio", "wav", "clip"),
    ),
    "label": (
        *("label", "command", "class", "word", "keyword", "text", "transcription", "transcript", "sentence"),
        "category",
    ),
    "speaker": ("speaker", "speaker_id", "speaker_name", "client_id", "spk", "spk_id"),
    "split": ("split", "subset", "part", "set"),
}
_SIDES: dict[str, Side] = {
    **dict.fromkeys(("start", "begin", "onset"), "start"),
    **dict.fromkeys(("end", "stop"), "end"),
    "duration": "duration",
}
_UNITS: dict[str, Unit] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "seconds"),
    **dict.fromkeys(("ms", "msec", "msecs", "millis", "millisecond", "milliseconds"), "milliseconds"),
    **dict.fromkeys(("sample", "samples"), "samples"),
}
_MOMENTS = (*_SIDES, "offset")
_MOMENT = re.compile(rf"({'|'.join(_MOMENTS)})(?:_?time)?(?:_({'|'.join(_UNITS)}))?")
_NAMED_MOMENT = re.compile(rf"(?:^|_)({'|'.join(_MOMENTS)})(?:_|$)")
_SPEAK_PLAINLY = "call it start_seconds, start_ms or start_samples (or end_..., duration_...), or take it out"
_OF_THE_STUDIO = "take"
"""In which `sayso studio` keeps how a clip was recorded."""


@dataclass(frozen=True)
class Moment:
    """A column that says where a clip starts or ends in its recording, or how long it is."""

    name: str
    unit: Unit


@dataclass(frozen=True)
class Columns:
    """Which column of a manifest says what."""

    texts: Mapping[str, str]
    """Of path, label, speaker and split those that are there, and the column of each."""
    moments: Mapping[Side, Moment]
    unused: tuple[str, ...]
    """Columns that say nothing of this."""
    faults: tuple[str, ...]
    """Columns that could mean one thing or another."""


def find_columns(names: Sequence[str]) -> Columns:
    """Find out what the columns of a manifest say.

    Args:
        names: of columns that hold anything, as `column_name` writes them.
    """
    faults: list[str] = []
    texts = {meaning: own for meaning in _TEXTS if (own := _text_column(meaning, names, faults))}
    moments: dict[Side, Moment] = {}
    for side, moment in _moments(names, faults):
        if side in moments:
            faults.append(f"columns {moments[side].name} and {moment.name} both say the {side}; take one out")
        moments[side] = moment
    used = {*texts.values(), *(moment.name for moment in moments.values())}
    unused = tuple(name for name in names if name not in used and name != _OF_THE_STUDIO)
    faults += [f"column {name} seems to be a time in an unknown unit; {_SPEAK_PLAINLY}" for name in _unclear(unused)]
    return Columns(texts, moments, unused, tuple(faults))


def _text_column(meaning: str, names: Sequence[str], faults: list[str]) -> str | None:
    there = [name for name in names if name in _TEXTS[meaning]]
    if meaning in there or len(there) == 1:
        return meaning if meaning in there else there[0]
    if there:
        faults.append(f"columns {' and '.join(there)} could each be the {meaning}; call one of them {meaning}")
    return None


def _moments(names: Sequence[str], faults: list[str]) -> Iterator[tuple[Side, Moment]]:
    found = [(match[1], match[2], name) for name in names if (match := _MOMENT.fullmatch(name))]
    there = {word for word, _, _ in found}
    for word, unit, name in found:
        side = _SIDES.get(word) or _offset_side(there)
        if side is None:
            faults.append(f"column {name} may be where a clip starts, or where it ends; call it start or end")
        else:
            yield side, Moment(name, _UNITS[unit] if unit else "seconds")


def _offset_side(there: set[str]) -> Side | None:
    """What `offset` says: the start beside a duration, as NeMo writes it, the end beside an onset."""
    if "onset" in there and "duration" not in there:
        return "end"
    return "start" if "duration" in there and not there & {"start", "begin", "onset"} else None


def _unclear(unused: Sequence[str]) -> Iterator[str]:
    return (name for name in unused if _NAMED_MOMENT.search(name) and not _MOMENT.fullmatch(name))
