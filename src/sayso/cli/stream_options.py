"""Options of commands that listen to streams: how the model file's settings are changed for once."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sayso.runtime import Recognizer, StreamSettings

__all__ = ["StreamOverrides", "Threshold", "ThresholdsOf", "stream_settings"]

Threshold = Annotated[
    float | None, typer.Option(help="Score from which on a word is detected, whatever the model says of it.")
]
ThresholdsOf = Annotated[
    list[str] | None,
    typer.Option("--threshold-of", metavar="WORD=SCORE", help="The same for one word; may be repeated."),
]
StreamOverrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a key, such as stream.margin=0.1; may be repeated."),
]


def stream_settings(
    recognizer: "Recognizer", *, overrides: list[str] | None, threshold: float | None, thresholds_of: list[str] | None
) -> "StreamSettings | None":
    """Give the settings that a model is listened to by; None where they are those of its file.

    Raises:
        SettingsError: an option does not fit, or names a word that the model does not know.
    """
    from sayso.config.overrides import parse_overrides
    from sayso.errors import Fault, SettingsError
    from sayso.runtime import StreamSettings

    if not overrides and threshold is None and not thresholds_of:
        return None
    values = parse_overrides(overrides or ())
    if strange := [key for key in values if key != "stream"]:
        raise SettingsError(Fault(key, "is nothing that listening asks; set stream.KEY=VALUE") for key in strange)
    settings = (recognizer.stream or StreamSettings()).overridden(values.get("stream", {}))
    if threshold is not None:
        settings = settings.overridden({"threshold": _score("--threshold", threshold), "thresholds": []})
    own = _thresholds_of(thresholds_of or (), recognizer.labels)
    kept = [{"word": each.word, "threshold": each.threshold} for each in settings.thresholds if each.word not in own]
    return settings.overridden(
        {"thresholds": kept + [{"word": word, "threshold": score} for word, score in own.items()]}
    )


def _thresholds_of(texts: "list[str] | tuple[()]", words: tuple[str, ...]) -> dict[str, float]:
    from sayso.errors import Fault, SettingsError

    pairs = [(text, *text.rpartition("=")) for text in texts]
    faults = [
        Fault("--threshold-of", f"'{word or text}' is no word of this model; it has {', '.join(words)}")
        if equals
        else Fault("--threshold-of", f"'{text}' is not WORD=SCORE")
        for text, word, equals, _ in pairs
        if word not in words
    ]
    named = Counter(word for _, word, equals, _ in pairs if equals)
    faults += [
        Fault("--threshold-of", f"is given {times} times for '{word}'; leave one")
        for word, times in named.items()
        if times > 1
    ]
    if faults:
        raise SettingsError(faults)
    return {word: _score(f"--threshold-of {word}", score) for _, word, _, score in pairs}


def _score(option: str, typed: object) -> float:
    """Read a score; raises SettingsError that names the option behind which it was typed."""
    from sayso.errors import Fault, SettingsError
    from sayso.runtime import StreamSettings

    try:
        return StreamSettings().overridden({"threshold": typed}).threshold
    except SettingsError as error:
        raise SettingsError([Fault(option, fault.message) for fault in error.faults]) from error
