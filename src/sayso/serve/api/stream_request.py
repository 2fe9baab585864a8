"""The first message of a stream: what sound comes, and what is to be told of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from sayso.audio import HIGHEST_RATE, LOWEST_RATE
from sayso.config.schema import did_you_mean
from sayso.errors import DataError, Fault, SettingsError
from sayso.runtime import StreamSettings
from sayso.system.files import parse_json

__all__ = ["StreamRequest", "read_request"]

_FORMATS = ("s16le", "f32le")
_KEYS = ("rate", "format", "model", "threshold", "thresholds", "hops")
_MOST_TEXT = 1 << 16
_SHOWN = 40


@dataclass(frozen=True)
class StreamRequest:
    """What a client asks for."""

    rate: float
    """In hertz."""
    format: str
    """Of the samples of one channel: `s16le` or `f32le`."""
    model: str | None
    """None: the first."""
    threshold: float | None
    """Of all words that have none of their own here; None: as the model says."""
    thresholds: Mapping[str, float]
    hops: bool
    """Whether the scores of each hop are told."""

    def settings(self, usual: StreamSettings, words: tuple[str, ...]) -> StreamSettings:
        """Give what is listened by.

        Raises:
            SettingsError: a word is none of the model's.
        """
        if strange := [word for word in self.thresholds if word not in words]:
            what = f"'{strange[0][:_SHOWN]}' is no word of this model; it has {', '.join(words)}"
            raise SettingsError([Fault("thresholds", what)])
        own = {} if self.threshold is not None else {each.word: each.threshold for each in usual.thresholds}
        changed: dict[str, Any] = {} if self.threshold is None else {"threshold": self.threshold}
        pairs = (own | dict(self.thresholds)).items()
        return usual.overridden(changed | {"thresholds": [{"word": word, "threshold": each} for word, each in pairs]})


def read_request(text: str) -> StreamRequest:
    """Read the first message.

    Raises:
        DataError: it is no JSON object.
        SettingsError: a value is missing, or does not fit.
    """
    try:
        values = parse_json(text) if len(text) <= _MOST_TEXT else None
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise DataError('the first message is no JSON object such as {"rate": 16000, "format": "s16le"}')
    given = cast(dict[str, Any], values)
    if faults := list(_faults(given)):
        raise SettingsError(faults)
    return StreamRequest(
        rate=float(given["rate"]),
        format=given["format"],
        model=given.get("model"),
        threshold=given.get("threshold"),
        thresholds=given.get("thresholds") or {},
        hops=given.get("hops", False),
    )


def _faults(given: Mapping[str, Any]) -> list[Fault]:
    faults = [
        Fault(key[:_SHOWN], f"unknown key; {did_you_mean(key[:_SHOWN], _KEYS)}") for key in given if key not in _KEYS
    ]
    checks = {
        "rate": (
            _is_number(given.get("rate"), LOWEST_RATE, HIGHEST_RATE),
            f"must be {LOWEST_RATE} to {HIGHEST_RATE} Hz",
        ),
        "format": (given.get("format") in _FORMATS, f"must be one of {', '.join(_FORMATS)}"),
        "model": (isinstance(given.get("model"), str | None), "must be a name"),
        "threshold": (given.get("threshold") is None or _is_share(given["threshold"]), "must be from 0 to 1"),
        "thresholds": (_are_shares(given.get("thresholds")), "must give words a number from 0 to 1"),
        "hops": (isinstance(given.get("hops", False), bool), "must be true or false"),
    }
    return faults + [Fault(key, what) for key, (fits, what) in checks.items() if not fits]


def _are_shares(values: object) -> bool:
    if values is None:
        return True
    return isinstance(values, dict) and all(map(_is_share, cast(dict[str, Any], values).values()))


def _is_share(value: object) -> bool:
    return _is_number(value, 0, 1)


def _is_number(value: object, least: float, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most
