"""What a model detected in recordings: the one form in which it is shown, as text, as JSON and on a page."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sayso.config.schema import dump
from sayso.metrics.detection import Firing, Heard, Stretch, score_detections
from sayso.runtime import Detection, StreamSettings

__all__ = ["Spotted", "Spotting"]


@dataclass(frozen=True)
class Spotted:
    """One recording, and what was detected in it."""

    path: str
    seconds: float
    """Its length."""
    heard_seconds: float
    """How much was listened to."""
    detections: tuple[Detection, ...]
    delay_seconds: float
    """How much later than its `end` each was known, by resampling."""
    remarks: tuple[str, ...]
    """What a person should know of its sound."""
    heard: Heard | None = None
    """The detections held against what was said; None where that is not known, or not all was listened to."""
    misses: tuple[Stretch, ...] = ()
    """The words of the model that were said and not detected, in order of time."""
    is_whole: bool = True
    """Whether all of it was listened to: not where Ctrl-C or damage ended it."""

    @property
    def firings(self) -> tuple[Firing, ...]:
        """Each detection at the time when it was known."""
        return tuple(Firing(one.word, one.score, one.end + self.delay_seconds) for one in self.detections)


@dataclass(frozen=True)
class Spotting:
    """What a model detected."""

    model: str
    words: tuple[str, ...]
    settings: StreamSettings
    form: str
    files: tuple[Spotted, ...]
    """Those that could be listened to, in order."""
    failed: tuple[tuple[str, str], ...]
    """Others, and those that are damaged further on, and why."""
    notes: tuple[str, ...]
    within_seconds: float
    """How long after its end a word may be detected."""
    folder: Path | None = None
    """Where all of this was written; None: nowhere."""

    @property
    def is_stopped(self) -> bool:
        """Whether Ctrl-C ended it, in the last of the files."""
        damaged = {path for path, _ in self.failed}
        return any(not one.is_whole and one.path not in damaged for one in self.files)

    @cached_property
    def scores(self) -> dict[str, Any] | None:
        """What `score_detections` gives of the files listened to in whole; None where it is not known what was said."""
        heard = [one.heard for one in self.files if one.heard]
        return score_detections(heard, self.words) if heard else None

    @property
    def hours(self) -> float:
        """How much was listened to."""
        return sum(one.heard_seconds for one in self.files) / 3600

    def facts(self) -> dict[str, Any]:
        """Give all of it as values that JSON can hold."""
        scores = self.scores
        return {
            "model": self.model,
            "words": list(self.words),
            "stream": dump(self.settings),
            "form": self.form,
            "files": [_file_facts(one) for one in self.files],
            "failed": [{"file": path, "why": why} for path, why in self.failed],
            "notes": list(self.notes),
            "stopped": self.is_stopped,
            **({"within_seconds": self.within_seconds, "scores": scores} if scores else {}),
        }


def _file_facts(spotted: Spotted) -> dict[str, Any]:
    rows: list[dict[str, Any]] = [
        {"word": one.word, "score": one.score, "start": one.start, "end": one.end} for one in spotted.detections
    ]
    facts: dict[str, Any] = {
        "file": spotted.path,
        "seconds": spotted.seconds,
        "heard_seconds": spotted.heard_seconds,
        "delay_seconds": spotted.delay_seconds,
        "remarks": list(spotted.remarks),
        "detections": rows,
    }
    if spotted.heard is None:
        return facts
    for hit in spotted.heard.outcome.hits:
        rows[hit.firing] |= {"hit": True, "latency": hit.latency}
    for alarm in spotted.heard.outcome.alarms:
        rows[alarm.firing] |= {"hit": False, "during": alarm.during}
    missed = [{"word": one.label, "start": one.start, "end": one.end} for one in spotted.misses]
    return facts | {"misses": missed}
