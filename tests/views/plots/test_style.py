import subprocess
import sys
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest

from sayso.errors import OutputError
from sayso.views.plots.confusion import draw_confusion_matrix
from sayso.views.plots.curves import draw_loss_and_accuracy
from sayso.views.plots.inline import inline_svg
from sayso.views.plots.style import save, svg_text


def matrix():
    return draw_confusion_matrix(np.array([[5, 1], [0, 6]]), ["no", '<b>&"'])


def test_svg_is_valid_and_the_same_every_time():
    first = svg_text(matrix())
    assert first == svg_text(matrix())
    assert ElementTree.fromstring(first).tag == "{http://www.w3.org/2000/svg}svg"
    assert "<metadata" not in first


def test_a_notebook_shows_a_figure_by_itself():
    assert matrix()._repr_svg_() == svg_text(matrix())


@pytest.mark.parametrize(("name", "magic"), [("a.svg", b"<?xml"), ("a.PNG", b"\x89PNG")])
def test_save_goes_by_the_suffix(tmp_path, name, magic):
    save(matrix(), tmp_path / "new" / name)
    first = (tmp_path / "new" / name).read_bytes()
    save(matrix(), tmp_path / "new" / name)
    assert first.startswith(magic)
    assert (tmp_path / "new" / name).read_bytes() == first
    assert [path.name for path in (tmp_path / "new").iterdir()] == [name]


def test_another_suffix_is_one_clear_line(tmp_path):
    with pytest.raises(OutputError, match=r"\.svg or \.png, not '\.gif'"):
        save(matrix(), tmp_path / "a.gif")


def test_the_users_own_settings_neither_count_nor_change():
    plain = svg_text(matrix())
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "path"}):
        assert svg_text(matrix()) == plain
        assert mpl.rcParams["font.size"] == 30


def test_pyplot_is_never_imported():
    code = (
        "import sys, sayso.views.plots.curves, sayso.views.plots.inline; sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_inline_figures_share_no_ids_and_load_nothing():
    svgs = [svg_text(matrix()), svg_text(matrix()), svg_text(draw_loss_and_accuracy([]))]
    inlined = [inline_svg(svg, prefix=f"figure {i}", description='a "b" <c>') for i, svg in enumerate(svgs)]
    ids = [element.get("id") for svg in inlined for element in ElementTree.fromstring(svg).iter() if element.get("id")]
    assert len(ids) == len(set(ids)) > 20
    for svg in inlined:
        own = [i for i in ids if f'id="{i}"' in svg]
        references = [value[1:] for e in ElementTree.fromstring(svg).iter() if (value := e.get("href"))]
        clips = [e.get("clip-path")[5:-1] for e in ElementTree.fromstring(svg).iter() if e.get("clip-path")]
        assert set(references) | set(clips) <= set(own)
        assert "http" not in svg
        assert ElementTree.fromstring(svg).get("aria-label") == 'a "b" <c>'


def test_inline_figures_take_the_pages_ink_and_paper():
    svg = inline_svg(
        svg_text(draw_loss_and_accuracy([{"epoch": 1, "set": "train", "loss": 1.0, "accuracy": 0.5}])),
        prefix="x",
        description="d",
    )
    assert "var(--ink)" in svg
    assert "#1f2430" not in svg
    assert "#ffffff" not in svg
