from itertools import pairwise

import pytest

from sayso.views.plots.tradeoff import draw_accuracy_against_cost

COSTS = {"parameters": "parameters", "milliseconds": "ms an answer"}


def recipes(*costs):
    return [
        {"recipe": f"r{rank}", "rank": rank, "accuracy": 0.98 - 0.01 * rank, "speaker_ci95": None} | row
        for rank, row in enumerate(({"parameters": parameters, "milliseconds": ms} for parameters, ms in costs), 1)
    ]


@pytest.mark.parametrize(
    "costs",
    [
        [(254_000, 1.3)],
        [(254_000, 1.3), (260_000, 1.4)],
        [(99, 0.07), (101, 0.071)],
        [(12_000, 0.05), (254_000, 21.0), (3_000_000, 400.0)],
    ],
)
def test_every_cost_has_numbers_on_its_axis_that_do_not_touch(costs):
    for axes in draw_accuracy_against_cost(recipes(*costs), COSTS).axes:
        axes.figure.draw_without_rendering()
        low, high = axes.get_xlim()
        labels = [label for label in axes.get_xticklabels() if low <= label.get_position()[0] <= high]
        boxes = [label.get_window_extent() for label in labels]
        assert len(labels) >= 2
        assert all(label.get_text() for label in labels)
        assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


def test_small_costs_are_plain_numbers_and_great_ones_short():
    parameters, milliseconds = draw_accuracy_against_cost(recipes((254_000, 0.05), (500_000, 0.2)), COSTS).axes
    parameters.figure.draw_without_rendering()
    assert "200k" in [label.get_text() for label in parameters.get_xticklabels()]
    assert "0.05" in [label.get_text() for label in milliseconds.get_xticklabels()]


def test_nothing_is_cut_off_at_the_left():
    figure = draw_accuracy_against_cost(recipes((254_000, 0.05), (500_000, 0.2)), COSTS)
    figure.draw_without_rendering()
    assert figure.axes[0].yaxis.label.get_window_extent().x0 > 0
    assert figure.axes[0].get_ylabel() == "clips recognised (%, from 90)"
