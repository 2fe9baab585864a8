"""What would help a recogniser most, told from its clips and its score: once, for terminal, report and studio alike."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sayso.data.clips import Clip
from sayso.data.faults.quick_look import LEAST_OF_WORD
from sayso.metrics.intervals import wilson_interval
from sayso.runs.manifest import Advice
from sayso.system.wording import counted, percent

__all__ = ["advise"]

_FEW_PEOPLE, _MANY_PEOPLE = 3, 10
_MORE_PEOPLE = 3
_CLIPS_OF_PERSON = 8
_GOOD = 0.97
# Of voices that nobody has heard yet; below it, the people tested are too few to promise more.
_LEAST_PROMISED = 0.9
_UNEVEN = 3
_WORST_APART = 0.15
_WIDE = 0.2
_MOST_WORDS = 2
_NO_CLIPS = "Recordings of people: so far synthetic voices alone have said the words, and been tested."
_NOTHING = "Nothing stands out: try it on people who recorded nothing, and record those who fail."


def advise(
    clips: Sequence[Clip], test: Mapping[str, Any], *, quick_look: str | None = None, tests_strangers: bool = True
) -> Advice:
    """Say what to do next, what helps most first, each with its reason.

    That more people help most, as long as they are few, is what `sayso learning-curve` finds of sets such as Speech
    Commands: a new voice brings more than further clips of known ones. It is not measured for these recordings, and
    the advice says so.

    Args:
        clips: the recordings, those of voices aside; none: voices alone said the words.
        test: the scores of the test part, as in `metrics.json`.
        quick_look: what the look before every training found; None: nothing.
        tests_strangers: nobody who is tested was heard in training, so that the scores tell of new voices.
    """
    if not clips:
        return {"most": [_NO_CLIPS], "basis": ""}
    sentences = [
        *_missing_clips(clips),
        *([f"A closer look at the recordings: {quick_look}."] if quick_look else []),
        *_people(clips, test, tests_strangers),
        *_weak_words(test),
        *_mix_ups(test),
    ]
    return {"most": sentences or [_NOTHING], "basis": _basis(test)}


def _missing_clips(clips: Sequence[Clip]) -> Iterator[str]:
    counts = Counter(clip.label for clip in clips)
    fewest, word = min((count, label) for label, count in counts.items())
    most = max(counts.values())
    if fewest < LEAST_OF_WORD:
        yield f"More clips of '{word}': it has {counted(fewest, 'clip')}, and {LEAST_OF_WORD} are the least."
    elif _UNEVEN * fewest < most:
        yield f"More clips of '{word}': it has {counted(fewest, 'clip')}, and another word has {most:,}."


def _people(clips: Sequence[Clip], test: Mapping[str, Any], tests_strangers: bool) -> Iterator[str]:
    people = {clip.speaker for clip in clips if clip.speaker}
    if len(people) >= _MANY_PEOPLE:
        return
    tested = test.get("speakers") or 0
    if not people:
        yield "The names of the speakers: no clip says who speaks, so nobody knows how well a new voice is understood."
    elif len(people) < 2:
        yield "A second person: with one voice nobody can say how well others will be understood."
    else:
        promised = test.get("speaker_accuracy_ci95") if tests_strangers else None
        lowest = min(promised or [1.0])
        if min(len(people), tested) < _FEW_PEOPLE or test["accuracy"] < _GOOD or lowest < _LEAST_PROMISED:
            more, so_far = counted(_MORE_PEOPLE, "more person", "more people"), counted(len(people), "person", "people")
            doubt = f", by whom new voices may be understood to {percent(lowest, digits=0)} only"
            why = f"so far {so_far} recorded{doubt if lowest < _LEAST_PROMISED else ''}"
            yield f"{more}, {_CLIPS_OF_PERSON} clips of each word each: {why}."
    told: Mapping[str, Any] = test.get("per_speaker") or {}
    scores = sorted((facts["accuracy"], name) for name, facts in told.items() if name in people)
    if len(scores) > 1 and scores[0][0] < test["accuracy"] - _WORST_APART:
        accuracy, worst = scores[0]
        yield f"People who sound like {worst}, of whose clips {percent(accuracy, digits=0)} are right."


def _weak_words(test: Mapping[str, Any]) -> Iterator[str]:
    """Words that are recognised less often than the others, by more than so few clips could have done by chance."""
    told: Mapping[str, Any] = test.get("per_class") or {}
    hits = {word: (round(row["recall"] * row["n"]), row["n"]) for word, row in told.items() if row["n"]}
    right, clips = (sum(pair[place] for pair in hits.values()) for place in (0, 1))
    weak: list[tuple[float, str]] = []
    for word, (hit, own) in hits.items():
        rest_hit, rest = right - hit, clips - own
        if rest and wilson_interval(hit, own)[1] < wilson_interval(rest_hit, rest)[0]:
            others = percent(rest_hit / rest, digits=0)
            weak.append((hit / own, f"More clips of '{word}': {hit:,} of {own:,} were right, of other words {others}."))
    yield from (sentence for _, sentence in sorted(weak)[:_MOST_WORDS])


def _mix_ups(test: Mapping[str, Any]) -> Iterator[str]:
    confusion = test.get("confusion") or {}
    labels, counts = confusion.get("labels") or (), confusion.get("counts") or ()
    wrong = [
        (count, labels[row], labels[column])
        for row, line in enumerate(counts)
        for column, count in enumerate(line)
        if row != column and row < len(labels) and column < len(labels) and count > 1
    ]
    if wrong:
        count, said, heard = max(wrong)
        times = counted(count, "time")
        yield f"More clips of '{said}' and '{heard}', or another word for one: '{said}' was heard as '{heard}' {times}."


def _basis(test: Mapping[str, Any]) -> str:
    """What the advice rests on, and what it cannot tell."""
    told = "How much each would bring is not measured: sayso learning-curve CLIPS does that."
    interval = test.get("accuracy_ci95")
    if interval and interval[1] - interval[0] > _WIDE:
        low, high = (f"{100 * limit:.0f}" for limit in interval)
        return f"So small a test tells little ({counted(test['n'], 'clip')}, 95 % interval {low} to {high} %). {told}"
    return told
