"""The page of what was spotted: the scores, a timeline, and every false alarm and miss to hear and to see."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sayso.audio import decode, quantise, resample
from sayso.errors import AudioError
from sayso.studies.spotting.result import Spotted, Spotting
from sayso.system.files import write_json
from sayso.system.wording import path_ends
from sayso.views.figures import save_pictures
from sayso.views.figures.detections import draw_detections, make_row
from sayso.views.html import chart, write_page
from sayso.views.html.media import picture_uri, sound_uri
from sayso.views.plots.style import svg_text

__all__ = ["MOST_SOUNDS", "write_spotting"]

MOST_SOUNDS = 300
"""Players of each kind on the page, so that a browser can open it; the others are in the JSON."""
_BEFORE_SECONDS, _AFTER_SECONDS = 1.0, 1.0
_HIGHEST_RATE = 16_000
_DESCRIPTIONS = {
    "timeline": "Each recording as a line, with what was detected and missed in it; the lists below have the same.",
    "latency": "How many words were known how long after their ends.",
}


@dataclass(frozen=True)
class _Moment:
    """A stretch of a recording that is worth listening to."""

    path: str
    word: str
    start: float
    """Of what was heard or said, in seconds."""
    end: float
    score: float | None
    """None: nothing was detected there."""
    said: str = ""
    """What is known of what was said there."""


def write_spotting(folder: Path, spotting: Spotting) -> Path:
    """Write `spotting.html`, `spotting.json` and the figures, each atomically.

    Returns:
        The page.

    Raises:
        OutputError: the folder cannot be written.
    """
    write_json(folder / "spotting.json", spotting.facts())
    names = path_ends(one.path for one in spotting.files)
    figures = draw_detections(
        [make_row(names[one.path], one.seconds, one.firings, one.heard, spotting.words) for one in spotting.files],
        [hit.latency for one in spotting.files if one.heard for hit in one.heard.outcome.hits],
        within_seconds=spotting.within_seconds,
    )
    save_pictures(figures, folder / "figures", subject="spotting")
    page = folder / "spotting.html"
    lists = _lists(spotting)
    write_page(
        page,
        "spotting",
        title=folder.resolve().name,
        spotting=spotting,
        scores=spotting.scores,
        notes=spotting.notes,
        failed=spotting.failed,
        detections=sum(len(one.detections) for one in spotting.files),
        pictures={name: chart(name, svg_text(figure), _DESCRIPTIONS[name]) for name, figure in figures.items()},
        lists=[
            {
                "title": title,
                "about": about,
                "cards": [_card(one, names) for one in moments[:MOST_SOUNDS]],
                "left": len(moments[MOST_SOUNDS:]),
            }
            for title, about, moments in lists
        ],
    )
    return page


def _lists(spotting: Spotting) -> list[tuple[str, str, Sequence[_Moment]]]:
    """Give what there is to hear: a title, what it is, and the moments of each list."""
    if spotting.scores is None:
        found = [moment for one in spotting.files for moment in _detections(one)]
        return [("Detections", "In order of time.", found)]
    alarms = [moment for one in spotting.files for moment in _alarms(one)]
    missed = [
        _Moment(one.path, stretch.label, stretch.start, stretch.end, None)
        for one in spotting.files
        for stretch in one.misses
    ]
    return [
        (
            "False alarms",
            "Where a word was detected that was not said just then; the surest first.",
            sorted(alarms, key=lambda one: -(one.score or 0.0)),
        ),
        ("Misses", "Words that were said and not detected, in order of time.", missed),
    ]


def _detections(spotted: Spotted) -> Iterator[_Moment]:
    for one in spotted.detections:
        yield _Moment(spotted.path, one.word, one.start, one.end, one.score)


def _alarms(spotted: Spotted) -> Iterator[_Moment]:
    if spotted.heard is None:
        return
    for alarm in spotted.heard.outcome.alarms:
        one = spotted.detections[alarm.firing]
        again = alarm.during == one.word
        said = "" if alarm.during is None else "said once, detected before" if again else f"“{alarm.during}” was said"
        yield _Moment(spotted.path, one.word, one.start, one.end, one.score, said)


def _card(moment: _Moment, names: dict[str, str]) -> dict[str, Any]:
    card = {
        "word": moment.word,
        "score": moment.score,
        "said": moment.said,
        "file": names[moment.path],
        "at": moment.end,
        "start": moment.start,
        "sound": None,
        "picture": None,
    }
    start, end = max(0.0, moment.start - _BEFORE_SECONDS), moment.end + _AFTER_SECONDS
    try:
        samples, rate = decode(moment.path, start_seconds=start, end_seconds=end)
    except AudioError:  # gone since it was listened to
        return card
    if rate > _HIGHEST_RATE:
        samples, rate = resample(samples, rate, _HIGHEST_RATE), _HIGHEST_RATE
    heard = quantise(samples)
    return card | {"sound": sound_uri(heard, rate), "picture": picture_uri(heard, rate), "seconds": len(heard) / rate}
