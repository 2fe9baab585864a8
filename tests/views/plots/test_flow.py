from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from sayso.views.plots.flow import draw_alluvial, lay_out_flows
from sayso.views.plots.style import BLUE, VERMILION, svg_text

COUNTS = np.array([[8, 2, 0], [1, 9, 0], [0, 3, 7]])  # rows true, columns predicted
WORDS = ["bed", "cat", "dog"]


def bands(figure, colour):
    """Heights of the bands of one colour at both ends, as drawn."""
    for collection in figure.axes[0].collections:
        if np.allclose(collection.get_facecolor()[:, :3], to_rgb(colour)):
            paths = [path.vertices for path in collection.get_paths()]
            return [(corners[7, 1] - corners[0, 1], corners[4, 1] - corners[3, 1]) for corners in paths]
    raise AssertionError(colour)


def test_bands_are_as_high_as_their_counts_at_both_ends():
    figure = draw_alluvial(COUNTS, WORDS)
    assert bands(figure, BLUE) == [pytest.approx((n, n)) for n in (8, 9, 7)]
    assert bands(figure, VERMILION) == [pytest.approx((n, n)) for n in (1, 2, 3)]


def test_bands_leave_a_word_in_the_order_of_the_other_side_without_overlap():
    found = {(flow.predicted, flow.true): flow for flow in lay_out_flows(COUNTS, gap=5)}
    assert (found[0, 0].left_top, found[0, 1].left_top) == (0, 8)
    second = 9 + 5  # clips heard as the first word, and the gap
    assert [found[1, true].left_top for true in range(3)] == [second, second + 2, second + 11]
    assert (found[0, 0].right_top, found[1, 0].right_top) == (0, 8)
    assert (found[0, 1].right_top, found[1, 1].right_top) == (10 + 5, 10 + 5 + 1)


def test_pairs_rarer_than_a_thousandth_are_hidden_and_counted():
    counts = np.array([[1495, 1], [2, 502]])
    assert counts.sum() == 2000
    assert {(flow.true, flow.predicted) for flow in lay_out_flows(counts)} == {
        (0, 0),
        (1, 0),
        (1, 1),
    }  # 2 are a thousandth
    said = svg_text(draw_alluvial(counts, ["no", "yes"]))
    assert "1 pair of 1 clip" in said
    assert "every pair is shown" in svg_text(draw_alluvial(COUNTS, WORDS))


def test_predictions_stand_left_and_targets_right_with_their_counts():
    axes = draw_alluvial(COUNTS, WORDS).axes[0]
    places = {text.get_text(): text.get_position()[0] for text in axes.texts}
    assert places["bed (9)"] < 0  # 8 + 1 were heard as bed
    assert places["bed (10)"] > 1  # 8 + 2 were bed
    assert places["predicted word (clips)"] < 0 < 1 < places["true word (clips)"]


@pytest.mark.parametrize("classes", [1, 2, 30, 60])
def test_names_never_stand_over_one_another(classes):
    counts = np.zeros((classes, classes), np.int64)
    counts[:, 0] = 50  # everything is taken for the first word: the other bars on the left have no height
    figure = draw_alluvial(counts, [f"word {index}" for index in range(classes)])
    axes = figure.axes[0]
    inches = axes.get_position().height * figure.get_figheight()
    names = [text for text in axes.texts if text.get_text().startswith("word")]
    for side in (names[:classes], names[classes:]):
        places = np.array([text.get_position()[1] for text in side]) / axes.get_ylim()[0] * inches * 72
        assert (np.diff(places) >= side[0].get_fontsize()).all()
        assert places[-1] <= inches * 72 + 1


def test_no_clips_at_all_and_any_script():
    svg = svg_text(draw_alluvial(np.zeros((2, 2), np.int64), ["打开", '<b>&"']))
    texts = ["".join(element.itertext()) for element in ElementTree.fromstring(svg).iter()]
    assert "打开 (0)" in texts
    assert '<b>&" (0)' in texts


def test_wrong_is_darker_than_right_in_grey():
    right, wrong = draw_alluvial(COUNTS, WORDS).axes[0].collections[:2]

    def grey(collection):
        *colour, alpha = collection.get_facecolor()[0]
        return np.dot([0.299, 0.587, 0.114], colour) * alpha + 1 - alpha

    assert grey(wrong) < grey(right) - 0.2


@pytest.mark.parametrize("counts", [COUNTS, np.array([[0, 0, 4], [0, 4, 0], [0, 0, 4]])])
def test_it_is_narrow_enough_for_a_telephone_and_nothing_stands_over_anything(counts):
    figure = draw_alluvial(counts, WORDS)
    assert figure.get_figwidth() < 5.5  # 390 pixels show it whole at two thirds of its size
    figure.draw_without_rendering()
    axes = figure.axes[0]
    boxes = [text.get_window_extent() for text in axes.texts] + [axes.get_legend().get_window_extent()]
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1 for box in boxes)
    assert not [1 for one, box in enumerate(boxes) for other in boxes[one + 1 :] if box.overlaps(other)]
