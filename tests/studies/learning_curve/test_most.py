"""What would help most, from curves that are made."""

import pytest

from sayso.studies.learning_curve.most import tell_most


def axis(unit, verdict="fitted", doubled=0.05, ci95=(0.04, 0.06)):
    return {"unit": unit, "verdict": verdict, "doubled": doubled, "doubled_ci95": ci95}


PEOPLE, CLIPS = axis("speakers"), axis("clips of each speaker", doubled=0.12, ci95=(0.1, 0.14))
FLAT = axis("clips of each speaker", "flat")


@pytest.mark.parametrize(
    ("axes", "told"),
    [
        (
            (CLIPS, PEOPLE),
            "more speakers: with twice as many 95.0 % (95 %: 94.0 to 96.0 %) would be right; "
            "with twice the clips of each speaker 88.0 % (95 %: 86.0 to 90.0 %)",
        ),
        ((PEOPLE,), "more speakers: with twice as many 95.0 % (95 %: 94.0 to 96.0 %) would be right"),
        (
            (PEOPLE, FLAT),
            "more speakers: with twice as many 95.0 % (95 %: 94.0 to 96.0 %) would be right; "
            "of more clips of each speaker no gain shows",
        ),
        (
            (PEOPLE, axis("clips", doubled=0.07, ci95=(0.05, 0.1))),
            "these curves cannot tell what would help most: with twice the speakers 95.0 % (95 %: 94.0 to 96.0 %) and "
            "with twice the clips 93.0 % (95 %: 90.0 to 95.0 %) would be right, which chance could turn round",
        ),
        (
            (axis("speakers", "too few sizes"), FLAT),
            "these curves cannot tell what would help most: for speakers no curve could be fitted; "
            "of more clips of each speaker no gain shows",
        ),
    ],
)
def test_the_steeper_curve_is_named_only_where_chance_does_not_explain_it(axes, told):
    most = tell_most(axes)
    assert most["told"] == told
    assert most["helps"] == ("speakers" if told.startswith("more speakers") else None)
