"""What would help most, from clips and scores that are made."""

import pytest

from sayso.data.clips import Clip
from sayso.evaluation.advice import advise as advise_all


def takes(words=("yes", "no"), people=("Ann", "Ben"), each=8):
    return [
        Clip(f"{word}/{person}/{place}.flac", word, person)
        for word in words
        for person in people
        for place in range(each)
    ]


def people(count):
    return tuple(f"p{place}" for place in range(count))


def advise(clips, test, **more):
    return advise_all(clips, test, **more)["most"]


GOOD = {"accuracy": 0.99, "speakers": 4}


def test_a_word_of_few_clips_comes_first():
    some = [take for place, take in enumerate(takes()) if take.label == "yes" or place % 8 == 0]
    assert advise(some, GOOD)[0] == "More clips of 'no': it has 2 clips, and 5 are the least."


def test_a_word_far_behind_the_others_is_named():
    some = [*takes(("yes",), each=30), *takes(("no",), each=3)]
    assert advise(some, GOOD)[0] == "More clips of 'no': it has 6 clips, and another word has 60."


def test_one_voice_says_nothing_of_others():
    assert advise(takes(people=("Ann",)), {"accuracy": 1.0})[0].startswith("A second person")


@pytest.mark.parametrize(
    "test", [{"accuracy": 1.0}, {"accuracy": 1.0, "speakers": 2}, {"accuracy": 0.9, "speakers": 5}]
)
def test_few_people_need_more(test):
    assert (
        advise(takes(people=people(5)), test)[0]
        == "3 more people, 8 clips of each word each: so far 5 people recorded."
    )


def test_people_by_whom_little_is_promised_need_more():
    """All of three people's clips may be right, and it says little of a fourth."""
    told = advise(takes(people=people(3)), GOOD | {"speakers": 3, "speaker_accuracy_ci95": [0.696, 1.0]})
    why = "so far 3 people recorded, by whom new voices may be understood to 70 % only"
    assert told[0] == f"3 more people, 8 clips of each word each: {why}."


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
    told = " ".join(advise(takes(), test, quick_look="a quick look found silence in 3 clips"))
    assert "A closer look at the recordings: a quick look found silence in 3 clips." in told
    assert "People who sound like Ben, of whose clips 50 % are right." in told
    assert "'no' was heard as 'yes' 7 times" in told


def test_clips_without_a_speaker_need_names_before_people():
    told = advise([Clip(f"{word}/{place}.wav", word) for word in ("yes", "no") for place in range(9)], GOOD)
    assert told[0].startswith("The names of the speakers: ")
    assert not any("more people" in each or "second person" in each for each in told)


@pytest.mark.parametrize(("right", "is_told"), [(10, True), (17, False)])
def test_a_word_is_weak_only_where_chance_does_not_explain_it(right, is_told):
    words = {"yes": {"n": 20, "recall": 1.0}, "no": {"n": 20, "recall": right / 20}, "up": {"n": 20, "recall": 0.95}}
    told = advise(takes(people=people(5)), GOOD | {"per_class": words})
    sentence = f"More clips of 'no': {right} of 20 were right, of other words 98 %."
    assert (sentence in told) == is_told
    assert not any("'up'" in each or "'yes'" in each for each in told)


def test_it_says_what_it_cannot_tell():
    large, small = GOOD | {"n": 900, "accuracy_ci95": [0.98, 0.995]}, GOOD | {"n": 12, "accuracy_ci95": [0.32, 0.81]}
    measure = "How much each would bring is not measured: sayso learning-curve CLIPS does that."
    assert advise_all(takes(), large)["basis"] == measure
    assert advise_all(takes(), small)["basis"] == (
        f"So small a test tells little (12 clips, 95 % interval 32 to 81 %). {measure}"
    )
    assert advise_all([], small)["basis"] == ""


def test_of_known_voices_nothing_is_promised_for_new_ones():
    test = {"accuracy": 0.96, "speakers": 4, "speaker_accuracy_ci95": [0.62, 0.99]}
    clips = [Clip(f"{place}.wav", "on", speaker) for speaker in "abcd" for place in range(20)]
    told = [advise_all(clips, test, tests_strangers=strangers)["most"] for strangers in (True, False)]
    assert ["new voices" in " ".join(each) for each in told] == [True, False]
