"""What would help most, from clips and scores that are made."""

import pytest

from sayso.studio.advice import advise
from sayso.studio.takes import Take


def takes(words=("yes", "no"), people=("Ann", "Ben"), each=8, **facts):
    return [
        Take(path=f"{word}/{person}/{place}.flac", label=word, speaker=person, take=facts)
        for word in words
        for person in people
        for place in range(each)
    ]


def people(count):
    return tuple(f"p{place}" for place in range(count))


GOOD = {"accuracy": 0.99, "speakers": 4}


def test_a_word_of_few_clips_comes_first():
    some = [take for place, take in enumerate(takes()) if take.label == "yes" or place % 8 == 0]
    assert advise(some, GOOD)[0] == "More clips of 'no': it has 2 clips, and 5 are the least."


def test_a_word_far_behind_the_others_is_named():
    some = [*takes(("yes",), each=30), *takes(("no",), each=3)]
    assert advise(some, GOOD)[0] == "More clips of 'no': it has 6 clips, and another word has 60."


def test_one_voice_says_nothing_of_others():
    assert advise(takes(people=("Ann",)), {"accuracy": 1.0})[0].startswith("A second person")


@pytest.mark.parametrize("test", [None, {"accuracy": 1.0, "speakers": 2}, {"accuracy": 0.9, "speakers": 5}])
def test_few_people_need_more(test):
    assert (
        advise(takes(people=people(5)), test)[0]
        == "3 more people, 8 clips of each word each: so far 5 people recorded."
    )


def test_without_clips_people_are_what_is_missing():
    assert advise([], GOOD)[0].startswith("Recordings of people")


def test_many_people_or_a_good_score_over_several_need_no_more():
    assert not any(
        "more people" in each for each in advise(takes(people=people(12)), {"accuracy": 0.8, "speakers": 12})
    )
    assert advise(takes(people=people(5)), GOOD) == [
        "Nothing stands out: try it on people who recorded nothing, and record those who fail."
    ]


def test_faults_the_worst_person_and_a_mix_up_are_named():
    test = {
        "accuracy": 0.9,
        "speakers": 2,
        "per_speaker": {"Ann": {"n": 16, "accuracy": 1.0}, "Ben": {"n": 16, "accuracy": 0.5}},
        "confusion": {"labels": ["no", "yes"], "counts": [[9, 7], [1, 15]]},
    }
    told = " ".join(advise(takes(remarks=["It is very quiet."]), test))
    assert "Recording 32 clips anew" in told
    assert "People who sound like Ben, of whose clips 50 % are right." in told
    assert "'no' was heard as 'yes' 7 times" in told
