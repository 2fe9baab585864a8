import math

import pytest

from sayso.views.plots.curves import draw_loss_and_accuracy


def rows(epochs, parts):
    return [
        {"epoch": epoch, "set": part, "loss": 2.0 / epoch, "accuracy": 1 - 0.5 / epoch}
        for epoch in range(1, epochs + 1)
        for part in parts
    ]


@pytest.mark.parametrize(("epochs", "parts"), [(1, ["train"]), (1, ["train", "validation"]), (60, ["train"])])
def test_a_line_for_each_part_in_each_panel(epochs, parts):
    figure = draw_loss_and_accuracy(rows(epochs, parts))
    for axes in figure.axes:
        assert [line.get_label() for line in axes.lines] == parts
        assert all(len(line.get_xdata()) == epochs for line in axes.lines)
        low, high = axes.get_xlim()
        assert low < 1 <= epochs < high


def test_axes_are_named_with_units():
    loss, accuracy = draw_loss_and_accuracy(rows(3, ["train"])).axes
    assert "nats" in loss.get_ylabel()
    assert "%" in accuracy.get_ylabel()
    assert loss.get_xlabel() == accuracy.get_xlabel() == "epoch"


def test_the_kept_epoch_is_marked():
    figure = draw_loss_and_accuracy(rows(9, ["train", "validation"]), best_epoch=7)
    assert all("kept: 7" in [text.get_text() for text in axes.texts] for axes in figure.axes)


def test_missing_values_leave_gaps():
    log = [*rows(2, ["train"]), {"epoch": 3, "set": "train", "loss": None, "accuracy": math.nan}]
    loss, _ = draw_loss_and_accuracy(log).axes
    assert math.isnan(loss.lines[0].get_ydata()[-1])


def test_an_empty_log_is_an_empty_picture():
    assert all(not axes.lines for axes in draw_loss_and_accuracy([]).axes)
