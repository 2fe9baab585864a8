import numpy as np
import pytest

from sayso.views.plots.confusion import make_confusion_drawing
from sayso.views.plots.curves import draw_learning_rate, make_loss_and_accuracy_drawing
from sayso.views.plots.flow import make_alluvial_drawing
from sayso.views.plots.layout import draw_side_by_side
from sayso.views.plots.speakers import compare_speakers


def log(loss):
    return [
        {"epoch": epoch, "set": "train", "loss": loss / epoch, "accuracy": 0.5, "learning_rate": 0.1 / epoch}
        for epoch in (1, 2, 3)
    ]


@pytest.mark.parametrize("drawing", [make_confusion_drawing, make_alluvial_drawing])
def test_side_by_side_they_do_not_overlap_and_have_their_titles(drawing):
    sizes = (2, 12)
    drawings = [drawing(np.eye(n, dtype=np.int64), [str(i) for i in range(n)]) for n in sizes]
    figure = draw_side_by_side(drawings, ["small", "large"])
    first, second = (axes.get_position() for axes in figure.axes)
    assert first.x1 < second.x0
    assert first.y1 == pytest.approx(second.y1, abs=0.03)
    assert [text.get_text() for text in figure.texts] == ["small", "large"]
    assert figure.get_figwidth() > sum(one.width_inches for one in drawings)


def test_the_same_scale_when_asked_for():
    figure = draw_side_by_side(
        [make_loss_and_accuracy_drawing(log(loss)) for loss in (1.0, 4.0)], "ab", same_scale=True
    )
    first, _, second, _ = figure.axes
    assert first.get_ylim() == second.get_ylim()
    assert first.get_ylim()[1] >= 4


def test_learning_rates_of_two_runs_have_a_key():
    axes = draw_learning_rate({"a": log(1), "b": log(1)}).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b"]
    assert list(axes.lines[0].get_ydata()) == [0.1, 0.05, pytest.approx(0.1 / 3)]
    assert draw_learning_rate({"a": log(1)}).axes[0].get_legend() is None


def test_speakers_of_two_runs_stand_by_what_they_lost():
    def speakers(**accuracy):
        return {name: {"n": 9, "accuracy": value} for name, value in accuracy.items()}

    figure = compare_speakers(
        {"a": speakers(ann=0.9, bob=0.8, cas=0.5, dee=1.0), "b": speakers(ann=0.95, bob=0.3, cas=0.5)}
    )
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["bob", "cas", "ann"]
    assert [list(line.get_xdata()) for line in axes.lines] == [[0.8, 0.5, 0.9], [0.3, 0.5, 0.95]]
    assert axes.lines[0].get_marker() != axes.lines[1].get_marker()
