"""What the studio says would help most: the run's own advice, and the clips that Record has remarks about."""

import os

import pytest

from sayso.studio.advice import Measured, advice_of, find_measured
from sayso.studio.takes import Take
from sayso.system.files import write_json, write_text

MANIFEST = {"advice": {"most": ["3 more people."], "basis": "Not measured."}}


def takes(faulty, fine):
    remarks = [["It is very quiet."]] * faulty + [[]] * fine
    return [
        Take(path=f"{place}.flac", label="yes", take={"remarks": each} if each else {})
        for place, each in enumerate(remarks)
    ]


@pytest.mark.parametrize(("faulty", "fine", "is_told"), [(32, 0, True), (2, 10, True), (1, 3, False), (2, 30, False)])
def test_many_clips_with_remarks_are_told_beside_the_run_s_own_advice(faulty, fine, is_told):
    told = advice_of(MANIFEST, takes(faulty, fine))
    more = f"Recording {faulty} clips anew that were quiet, cut off or the like: Record shows them."
    assert told == {"advice": ["3 more people.", *([more] if is_told else [])], "advice_basis": "Not measured."}


def test_a_run_of_an_earlier_sayso_says_that_it_has_none():
    assert advice_of({}, [])["advice"] == [
        "Train once more: an earlier Sayso trained this, and left no advice with it."
    ]


def test_a_learning_curve_of_these_recordings_is_what_it_rests_on(tmp_path):
    clips = tmp_path / "clips"
    assert find_measured(tmp_path, clips) is None
    for name, source in (
        ("learning-curve", clips),
        ("learning-curve-2", clips / "clips.jsonl"),
        ("learning-curve-3", "x"),
    ):
        (tmp_path / name).mkdir()
        write_json(
            tmp_path / name / "learning-curve.json",
            {"source": str(source), "most": {"told": f"by {name}", "helps": None}},
        )
    os.utime(tmp_path / "learning-curve" / "learning-curve.json", (0, 0))
    assert find_measured(tmp_path, clips) == Measured("by learning-curve-2", helps=False)
    for damage in ("", "[]", "{}"):
        write_text(tmp_path / "learning-curve-2" / "learning-curve.json", damage)
        assert find_measured(tmp_path, clips) == Measured("by learning-curve", helps=False)
    told = advice_of(MANIFEST, [], measured=Measured("more speakers: 95.0 % would be right", helps=True))
    assert told["advice"] == [
        "More speakers: 95.0 % would be right (measured by sayso learning-curve).",
        "3 more people.",
    ]
    assert told["advice_basis"].startswith("The first is measured on these recordings;")
    told = advice_of(MANIFEST, [], measured=Measured("these curves cannot tell", helps=False))
    assert told == {
        "advice": ["3 more people."],
        "advice_basis": "These curves cannot tell (measured by sayso learning-curve).",
    }
