"""Pages: how numbers stand in them, charts side by side, and what a page may hold."""

import re
from pathlib import Path

import numpy as np
import pytest
from jinja2 import UndefinedError

from sayso.views.html import chart, percent, points, write_page
from sayso.views.plots.confusion import draw_confusion_matrix
from sayso.views.plots.style import svg_text

NARROW = "\u202f"


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "0.0 %"),
        (1e-9, "< 0.1 %"),
        (0.0004, "< 0.1 %"),
        (0.0006, "0.1 %"),
        (0.9812, "98.1 %"),
        (0.9994, "99.9 %"),
        (0.9996, "> 99.9 %"),
        (1.0, "100.0 %"),
    ],
)
def test_only_all_is_100_percent_and_only_none_is_0(share: float, said: str) -> None:
    *before, number, sign = said.split(" ")
    assert percent(share) == " ".join((*before, number + NARROW + sign))


@pytest.mark.parametrize("nothing", [None, float("nan"), float("inf")])
def test_what_is_no_number_is_a_dash(nothing: float | None) -> None:
    assert percent(nothing) == "–"


def test_points_have_a_sign_and_a_true_minus() -> None:
    assert points(0.0123) == "+1.2"
    assert points(-0.0123) == "−1.2"
    assert points(None) == "–"


def values(**changed: object) -> dict[str, object]:
    """What the page of a learning curve asks for."""
    axis = {
        "axis": "clips",
        "unit": "clips",
        "answers": ["with twice the clips: 97.0 %"],
        "points": [{"size": 1_200, "mean_size": 1_200.0, "accuracy": 0.9999, "ci95": [0.9, 1.0]}],
        "verdict": "one size",
    }
    table = {
        "axes": [axis],
        "most": {"helps": "clips", "told": "more clips: 97.0 % would be right"},
        "notes": [],
        "test_clips": 300,
        "test_speakers": 0,
        "seeds": 1,
        "guessing": 0.1,
        "intervals_over": "clips",
    }
    return {"title": "mine", "table": table, "pictures": {"clips": ""}, "label": "random split", "draws": 1_000} | {
        "furthest": 16,
        **changed,
    }


def test_a_page_is_whole_and_loads_nothing(tmp_path: Path) -> None:
    path = tmp_path / "new" / "page.html"
    write_page(path, "learning-curve", **values())
    page = path.read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert page.rstrip().endswith("</html>")
    assert "default-src 'none'" in page
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?!data:|#)""", page)
    assert f"<strong>&gt; 99.9{NARROW}%</strong>" in page
    assert "300 test clips" in page
    assert '<th scope="row">1,200</th>' in page
    assert [file.name for file in path.parent.iterdir()] == ["page.html"]


def test_what_a_person_wrote_is_text_and_never_code(tmp_path: Path) -> None:
    write_page(tmp_path / "page.html", "learning-curve", **values(title="<script>alert('é')</script>"))
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "&lt;script&gt;alert(&#39;é&#39;)" in page


def test_a_file_name_that_is_no_text_does_not_stop_the_page(tmp_path: Path) -> None:
    write_page(tmp_path / "page.html", "learning-curve", **values(title="odd\udcff.wav"))
    assert "<h1>odd?.wav</h1>" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_value_that_is_missing_is_an_error_and_leaves_the_old_page(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(UndefinedError, match="table"):
        write_page(path, "learning-curve", **{key: value for key, value in values().items() if key != "table"})
    assert path.read_text(encoding="utf-8") == "old"


def test_charts_of_one_page_share_no_id_and_are_not_escaped(tmp_path: Path) -> None:
    svg = svg_text(draw_confusion_matrix(np.array([[5, 1], [0, 6]]), ["no", "yes"]))
    one, other = (chart(name, svg, "rows are the true words") for name in ("one", "other"))
    ids = [re.findall(r'\bid="([^"]+)"', picture) for picture in (one, other)]
    assert ids[0]
    assert not set(ids[0]) & set(ids[1])
    assert 'aria-label="rows are the true words"' in one
    write_page(tmp_path / "page.html", "learning-curve", **values(pictures={"clips": one}))
    assert str(one) in (tmp_path / "page.html").read_text(encoding="utf-8")
