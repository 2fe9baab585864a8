"""Detections, and what they are worth, as a person reads them."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sayso.errors import in_one_line
from sayso.system.wording import clock, counted, percent, rounded

if TYPE_CHECKING:
    from sayso.studies.spotting.result import Spotted

__all__ = ["alarms_line", "detection_rows", "latency_line", "misses_line", "word_rows"]


def detection_rows(spotted: "Spotted") -> Iterator[str]:
    """Yield a heading for a recording, and a line for each detection, and each miss where it is known what was said."""
    part = "" if spotted.is_whole else f", as far as {clock(spotted.heard_seconds)}"
    many = counted(len(spotted.detections), "detection")
    yield f"{in_one_line(spotted.path)} ({clock(spotted.seconds)}{part}): {many}"
    verdicts = _verdicts(spotted)
    rows = [
        (one.end, one.word, percent(one.score), verdicts.get(place, "")) for place, one in enumerate(spotted.detections)
    ]
    rows += [(one.end, one.label, "", "missed") for one in spotted.misses]
    for end, word, score, verdict in sorted(rows):
        yield f"  {clock(end):>12}  {word:<20}{score:>9}   {verdict}".rstrip()


def _verdicts(spotted: "Spotted") -> dict[int, str]:
    if spotted.heard is None:
        return {}
    outcome = spotted.heard.outcome
    verdicts = {hit.firing: f"hit, {hit.latency:+.2f} s from its end" for hit in outcome.hits}
    for alarm in outcome.alarms:
        word = spotted.detections[alarm.firing].word
        about = "" if alarm.during is None else ", once more" if alarm.during == word else f", at '{alarm.during}'"
        verdicts[alarm.firing] = f"false alarm{about}"
    return verdicts


def misses_line(misses: Mapping[str, Any]) -> str:
    """How many words were missed, in one line.

    >>> misses_line({"n": 100, "missed": 4, "rate": 0.04, "ci95": [0.016, 0.098], "files_ci95": None})
    '4 of 100 words, 4.0 % (95 % interval over words: 1.6 to 9.8)'
    """
    if not misses["n"]:
        return "none of its words was said"
    intervals = [f"95 % interval over words: {_shares(misses['ci95'])}"]
    if misses["files_ci95"]:
        intervals.append(f"over files: {_shares(misses['files_ci95'])}")
    return f"{misses['missed']} of {counted(misses['n'], 'word')}, {percent(misses['rate'])} ({'; '.join(intervals)})"


def alarms_line(alarms: Mapping[str, Any], hours: float) -> str:
    """How many false alarms there were, and how many there may be an hour, in one line.

    >>> alarms_line({"n": 0, "per_hour": 0.0, "at_most": 6.24}, 0.48)
    '0 in 0.48 h: the true rate may be 6.2 an hour (exact 95 % bound)'
    >>> intervals = {"poisson_ci95": [0.41, 5.84], "files_ci95": [0, 4]}
    >>> alarms_line({"n": 3, "files_fired": 2, "per_hour": 2} | intervals, 1.5)
    '3 in 1.50 h, 2 an hour (95 % interval were they independent: 0.41 to 5.8; over files: 0 to 4), in 2 files'
    """
    if not alarms["n"]:
        return f"0 in {hours:.2f} h: the true rate may be {rounded(alarms['at_most'])} an hour (exact 95 % bound)"
    intervals = [f"95 % interval were they independent: {_rates(alarms['poisson_ci95'])}"]
    if alarms["files_ci95"]:
        intervals.append(f"over files: {_rates(alarms['files_ci95'])}")
    many = f"{alarms['n']:,} in {hours:.2f} h, {rounded(alarms['per_hour'])} an hour"
    return f"{many} ({'; '.join(intervals)}), in {counted(alarms['files_fired'], 'file')}"


def latency_line(latency: Mapping[str, float] | None) -> str:
    """How long after its end a word was known, in one line.

    >>> latency_line({"quartile1": 0.15, "median": 0.21, "quartile3": 0.3, "p95": 0.45})
    'median 0.21 s from the end of the word (half of them 0.15 to 0.30; 95 % within 0.45)'
    """
    if latency is None:
        return "no word was found"
    spread = f"half of them {latency['quartile1']:.2f} to {latency['quartile3']:.2f}; 95 % within {latency['p95']:.2f}"
    return f"median {latency['median']:.2f} s from the end of the word ({spread})"


def word_rows(per_word: Mapping[str, Any]) -> Iterator[str]:
    """Yield a table with a line for each word."""
    said, alarms = f"{'said':>6}{'missed':>8}{'share':>9}", f"{'false alarms':>14}{'an hour':>9}{'at most':>9}"
    yield f"{'word':<20}{said}{alarms}{'latency':>9}"
    for word, row in per_word.items():
        misses, alarms, latency = row["misses"], row["alarms"], row["latency"]
        median = f"{latency['median']:.2f} s" if latency else "-"
        yield (
            f"{word:<20}{misses['n']:>6}{misses['missed']:>8}{percent(misses['rate']):>9}{alarms['n']:>14}"
            f"{rounded(alarms['per_hour']):>9}{rounded(alarms['at_most']):>9}{median:>9}"
        )


def _shares(interval: list[float]) -> str:
    return f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f}"


def _rates(interval: list[float]) -> str:
    return f"{rounded(interval[0])} to {rounded(interval[1])}"
