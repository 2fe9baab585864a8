import pytest

from sayso.views.plots.confidence import draw_false_accepts, draw_reliability_diagram, draw_risk_coverage_curve

BINS = [{"n": 4, "confidence": 0.55, "accuracy": 0.5}, {"n": 100, "confidence": 0.97, "accuracy": 0.99}]
SHARE = {"rate": 0.05, "n": 100}


def lines(figure):
    return [(list(line.get_xdata()), list(line.get_ydata())) for line in figure.axes[0].lines]


def test_bins_stand_where_they_were_found_and_larger_ones_are_larger():
    figure = draw_reliability_diagram(BINS, before=BINS[:1])
    assert lines(figure)[0] == ([0, 1], [0, 1])
    assert ([0.55, 0.97], [0.5, 0.99]) in lines(figure)
    sizes = {line.get_xdata()[0]: line.get_markersize() for line in figure.axes[0].lines if line.get_marker() == "o"}
    assert sizes[0.97] > sizes[0.55]
    names = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert names == ["as it should be", "before calibration", "calibrated"]


@pytest.mark.parametrize(("coverage", "said"), [(0.8, ["1 % wrong at\n80.0 % answered"]), (0.0, [])])
def test_the_risk_is_drawn_and_one_per_cent_marked(coverage, said):
    figure = draw_risk_coverage_curve({"curve": [[0.8, 0.0], [1.0, 0.3]], "coverage_at_1_percent_risk": coverage})
    assert lines(figure)[0] == ([0.8, 1.0], [0.0, 0.3])
    assert [text.get_text() for text in figure.axes[0].texts] == said
    assert figure.axes[0].get_ylim()[1] > 0.3


def test_the_threshold_lies_on_the_curve_of_false_accepts():
    scores = {"curve": [[0, 1], [0.05, 0.2], [1, 0]], "false_reject": SHARE, "false_accept": SHARE | {"rate": 0.2}}
    figure = draw_false_accepts(scores)
    assert lines(figure) == [([0, 0.05, 1], [1, 0.2, 0]), ([0.05], [0.2])]
