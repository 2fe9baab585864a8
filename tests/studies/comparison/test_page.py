"""What stands in the largest letters of a comparison: a score that won, or that none did."""

import re
from typing import Any

import pytest

from sayso.studies.comparison.page import write_comparison


def table(*verdicts: str) -> dict[str, Any]:
    """Three recipes; the verdicts are of wide against mid, wide against narrow, mid against narrow."""
    names = ("wide", "mid", "narrow")[: 3 if len(verdicts) > 1 else 1 + len(verdicts)]
    pairs = [(one, two) for place, one in enumerate(names) for two in names[place + 1 :]]
    costs = {"parameters": 1000, "multiply_adds": 9000}
    rows = [
        {"recipe": name, "rank": rank, "accuracy": 0.9 - 0.1 * rank, "speaker_ci95": [0.5, 0.9], "by_speaker": {}}
        | {"seeds_deviation": None, **costs}
        for rank, name in enumerate(names, 1)
    ]
    times = {"training_seconds": 1.0, "cpu_seconds": 1.0, "milliseconds_an_answer": 0.1}
    tested = {"difference": 0.1, "ci95": None, "p": 0.1, "p_corrected": 0.1}
    whole = {"folds": 4, "seeds": [0], "threads": 1, "clips": 36, "speakers": 4, "notes": [], "split_label": "4 folds"}
    return whole | {
        "recipes": rows,
        "measured": dict.fromkeys(names, times),
        "pairs": [
            {"first": one, "second": two, "verdict": verdict, **tested}
            for (one, two), verdict in zip(pairs, verdicts, strict=True)
        ],
    }


@pytest.mark.parametrize(
    ("verdicts", "largest", "beside"),
    [
        ((), "80.0\u202f%", "by wide"),
        (("better",), "80.0\u202f%", "by wide, better than 1 other recipe"),
        (("better", "better", "not told apart"), "80.0\u202f%", "by wide, better than 2 other recipes"),
        (
            ("no verdict",),
            "No verdict",
            "wide 80.0\u202f%, mid 70.0\u202f%: the speakers are too few to tell them apart",
        ),
        (("not told apart",), "No winner", "wide 80.0\u202f%, mid 70.0\u202f%: these were not told apart"),
        (
            ("not told apart", "better", "better"),
            "No winner",
            "wide 80.0\u202f%, mid 70.0\u202f%: these were not told apart",
        ),
    ],
)
def test_only_who_won_stands_in_huge_letters(verdicts, largest, beside, tmp_path):
    page = write_comparison(table(*verdicts), tmp_path).read_text(encoding="utf-8")
    headline = re.search(
        r'<p class="headline"><strong(?: class="said")?>(.*?)</strong>\n<span>(.*?)<br>', page, re.DOTALL
    )
    assert headline is not None
    assert headline[1] == largest
    assert headline[2].replace("\n", " ") == beside
