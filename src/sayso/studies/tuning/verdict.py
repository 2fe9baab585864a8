"""What a person must know of thresholds that were chosen: what holds, what does not, and what would mend it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sayso.metrics.rates import poisson_upper_bound
from sayso.system.wording import counted, listed, rounded

__all__ = ["judge"]

_NAMED = 5
_APART = 0.2


def judge(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the figures, as `sayso tune --json` prints them, cannot support, a sentence each."""
    rate, test = facts["false_alarms_per_hour"], facts["test"]
    hours = test["independent_hours"]
    lost = [word for word, chosen in facts["chosen"].items() if not chosen["keeps_rate"]]
    if lost:
        names = listed([f"'{word}'" for word in lost], _NAMED)
        yield (
            f"no threshold keeps {rate:g} false alarms an hour of {names}: the highest is taken; train on long "
            "recordings of other speech (rejection.recordings, rejection.rounds)"
        )
    over = {
        word: scores["alarms"]["per_hour"]
        for word, scores in test["per_word"].items()
        if scores["alarms"]["per_hour"] > rate and word not in lost
    }
    if over:
        names = listed([f"'{word}' {rounded(per_hour)}" for word, per_hour in over.items()], _NAMED)
        yield f"on the test streams these fire more often than the {rate:g} an hour they were chosen by: {names}"
    if own := facts.get("each_speaker"):
        yield from _of_the_model(own, rate, lost)
    if (least := poisson_upper_bound(0, hours)) > rate:
        needed = hours * least / rate
        even = "even " if test["alarms"]["n"] else ""
        yield (
            f"{even}0 alarms in {rounded(hours)} h of different background: the true rate may be {rounded(least)} an "
            f"hour all the same; to promise {rate:g} takes {rounded(needed)} h of it in all without an alarm: twice as "
            "much --background, as half of it tests, and --hours in which all of that is heard"
        )


def _of_the_model(own: Mapping[str, Any], rate: float, lost: Sequence[str]) -> Iterator[str]:
    """Say how often the model itself fires, where others listened in its place."""
    alarms = own["alarms_of_the_model"]
    yield (
        f"the model itself, which has heard all these speakers, fired {counted(alarms['n'], 'time')} on the same test "
        f"streams: {rounded(alarms['per_hour'])} false alarms an hour of all words together; what it misses nobody can "
        "say of these clips, as it was trained on them"
    )
    over = {
        word: each["per_hour"]
        for word, each in own["alarms_of_the_model_per_word"].items()
        if each["per_hour"] > rate and word not in lost
    }
    if over:
        names = listed([f"'{word}' {rounded(per_hour)}" for word, per_hour in over.items()], _NAMED)
        yield f"there it fires more often than the {rate:g} an hour of each word: {names}"
    by_others = own["thresholds_by_others"].values()
    limits = {word: [each[word] for each in by_others] for word in own["alarms_of_the_model_per_word"]}
    apart = {word: (min(all_of), max(all_of)) for word, all_of in limits.items() if max(all_of) - min(all_of) > _APART}
    if apart:
        names = listed([f"'{word}' {low:.2f} to {high:.2f}" for word, (low, high) in apart.items()], _NAMED)
        yield (
            f"thresholds hang on who is left out: {names}; more speakers, or more recordings of each, would make them "
            "surer"
        )
