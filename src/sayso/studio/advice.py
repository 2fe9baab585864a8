"""What would help a recogniser most, in a sentence, told from its clips and its score."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sayso.data.faults.quick_look import LEAST_OF_WORD
from sayso.studio.takes import Take
from sayso.system.wording import counted, percent

__all__ = ["advise"]

_FEW_PEOPLE, _MANY_PEOPLE = 3, 10
_MORE_PEOPLE = 3
_CLIPS_OF_PERSON = 8
_MUCH_FAULTY = 0.1
_GOOD = 0.97
_NO_CLIPS = "Recordings of people: so far synthetic voices alone have said the words, and been tested."
_UNEVEN = 3
_WORST_APART = 0.15


def advise(takes: Sequence[Take], test: Mapping[str, Any] | None) -> list[str]:
    """Say what to do next, what helps most first.

    That more people help most, as long as they are few, is what `sayso learning-curve` finds of sets such as Speech
    Commands: a new voice brings more than further clips of known ones. That command measures it for these recordings.

    Args:
        takes: the clips.
        test: the scores of a run, as in `metrics.json`; None: none was trained.

    Returns:
        Sentences, at least one.
    """
    if not takes:
        return [_NO_CLIPS]
    sentences = [*_missing_clips(takes), *_faulty(takes), *_people(takes, test), *_mix_ups(test or {})]
    return sentences or ["Nothing stands out: try it on people who recorded nothing, and record those who fail."]


def _missing_clips(takes: Sequence[Take]) -> Iterator[str]:
    counts = Counter(take.label for take in takes)
    fewest, word = min((count, label) for label, count in counts.items())
    most = max(counts.values())
    if fewest < LEAST_OF_WORD:
        yield f"More clips of '{word}': it has {counted(fewest, 'clip')}, and {LEAST_OF_WORD} are the least."
    elif _UNEVEN * fewest < most:
        yield f"More clips of '{word}': it has {counted(fewest, 'clip')}, and another word has {most:,}."


def _people(takes: Sequence[Take], test: Mapping[str, Any] | None) -> Iterator[str]:
    people = Counter(take.speaker for take in takes if take.speaker)
    if len(people) >= _MANY_PEOPLE:
        return
    tested = (test or {}).get("speakers") or 0
    if len(people) < 2:
        yield "A second person: with one voice nobody can say how well others will be understood."
    elif min(len(people), tested) < _FEW_PEOPLE or (test or {}).get("accuracy", 0) < _GOOD:
        more, so_far = counted(_MORE_PEOPLE, "more person", "more people"), counted(len(people), "person", "people")
        yield f"{more}, {_CLIPS_OF_PERSON} clips of each word each: so far {so_far} recorded."
    told: Mapping[str, Any] = (test or {}).get("per_speaker") or {}
    scores = sorted((facts["accuracy"], name) for name, facts in told.items() if name in people)
    if len(scores) > 1 and test and scores[0][0] < test["accuracy"] - _WORST_APART:
        accuracy, worst = scores[0]
        yield f"People who sound like {worst}, of whose clips {percent(accuracy, digits=0)} are right."


def _faulty(takes: Sequence[Take]) -> Iterator[str]:
    faulty = sum(bool(take.take.get("remarks")) for take in takes)
    if faulty > max(1, _MUCH_FAULTY * len(takes)):
        yield f"Recording {counted(faulty, 'clip')} anew that were quiet, cut off or the like: Record shows them."


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
