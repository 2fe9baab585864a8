import re
from itertools import pairwise

import numpy as np
import pytest

from sayso.views.plots.panels import Curves, Heat, draw_sheet
from sayso.views.plots.style import svg_text


def curves(count=1, **changes):
    settings = {
        "title": "c",
        "x": np.linspace(1, 1000, 50),
        "ys": np.random.default_rng(0).uniform(0, 1, (count, 50)),
        "x_label": "frequency (Hz)",
        "y_label": "energy (dB)",
    }
    return Curves(**settings | changes)


def heat(**changes):
    settings = {
        "title": "h",
        "values": np.arange(12.0).reshape(3, 4),
        "x_edges": np.linspace(0, 1, 5),
        "y_edges": np.array([50.0, 100, 200, 400]),
        "x_label": "time (s)",
        "y_label": "frequency (Hz)",
        "value_label": "dB",
    }
    return Heat(**settings | changes)


@pytest.mark.parametrize(("panels", "columns", "rows"), [(1, 1, 1), (3, 2, 2), (8, 2, 4)])
def test_panels_lie_side_by_side_and_stay_apart(panels, columns, rows):
    figure = draw_sheet([curves() for _ in range(panels)], title="all")
    boxes = [axes.get_position() for axes in figure.axes]
    assert len({round(box.x0, 6) for box in boxes}) == columns
    assert len({round(box.y0, 6) for box in boxes}) == rows
    assert boxes[0].y0 == max(box.y0 for box in boxes)
    for index, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[index + 1 :])


def test_axes_and_colours_are_named_with_units():
    axes, bar = draw_sheet([heat()]).axes
    assert (axes.get_xlabel(), axes.get_ylabel(), bar.get_ylabel()) == ("time (s)", "frequency (Hz)", "dB")


def test_low_rows_are_at_the_bottom_and_log_axes_have_plain_numbers():
    axes = draw_sheet([heat(log_y=True)]).axes[0]
    assert axes.get_yscale() == "log"
    assert axes.get_ylim() == (50, 400)
    axes.figure.draw_without_rendering()
    assert {"100", "200"} <= {label.get_text() for label in axes.get_yticklabels()}
    assert (axes.collections[0].get_array() == np.arange(12).reshape(3, 4)).all()


@pytest.mark.parametrize("ends", [(50, 8000), (5, 8000), (5, 24_000)])
def test_numbers_on_a_log_axis_do_not_touch(ends):
    axes = draw_sheet([curves(x=np.geomspace(*ends, 50), log_x=True)]).axes[0]
    axes.figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in axes.get_xticklabels() if label.get_text()]
    inside = [box for box in boxes if axes.bbox.x0 - 1 <= (box.x0 + box.x1) / 2 <= axes.bbox.x1 + 1]
    assert len(inside) >= 4
    assert all(left.x1 < right.x0 for left, right in pairwise(inside))


def test_named_ticks_and_limits():
    figure = draw_sheet([heat(y_ticks=((60.0, "sixty"),), limits=(-80.0, 0.0))])
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["sixty"]
    assert figure.axes[0].collections[0].get_clim() == (-80, 0)


def test_neighbouring_curves_differ_in_more_than_colour():
    lines = draw_sheet([curves(3, last_apart=True)]).axes[0].lines
    assert len({str(line.get_linestyle()) + str(line._dash_pattern) for line in lines}) == 3


def test_big_pictures_stay_small_files_and_the_same():
    wide = heat(
        values=np.random.default_rng(0).uniform(size=(200, 3000)), x_edges=np.arange(3001.0), y_edges=np.arange(201.0)
    )
    svg = svg_text(draw_sheet([wide]))
    assert len(svg) < 2_000_000
    assert len(re.findall("<image", svg)) == 2  # the panel and its colours
    assert svg == svg_text(draw_sheet([wide]))


@pytest.mark.parametrize("panel", [heat(values=np.zeros((3, 4))), curves(x=np.zeros(1), ys=np.zeros((1, 1)))])
def test_what_has_no_extent_is_drawn_too(panel):
    assert "<svg" in svg_text(draw_sheet([panel]))


@pytest.mark.parametrize("limits", [None, (-80.0, 0.0)])
def test_a_panel_in_which_nothing_stands_out_says_so_and_has_no_scale(limits):
    noise = 1e-6 * np.random.default_rng(0).standard_normal((3, 4))
    axes, bar = draw_sheet([heat(values=noise - 13.8, limits=limits)]).axes
    assert [text.get_text() for text in axes.texts] == ["nothing stands out"]
    assert not bar.axison
    low, high = axes.collections[0].get_clim()
    assert (noise - 13.8 < low).all()  # all in the darkest colour
    assert high > low
    axes, bar = draw_sheet([heat(limits=limits)]).axes
    assert not axes.texts
    assert bar.axison
