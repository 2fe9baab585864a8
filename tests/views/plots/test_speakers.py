import pytest

from sayso.views.plots.speakers import draw_accuracy_by_speaker
from sayso.views.plots.style import svg_text


def speaker(accuracy, n=50):
    interval = None if accuracy is None else [max(0.0, accuracy - 0.1), min(1.0, accuracy + 0.05)]
    return {"n": n, "accuracy": accuracy, "accuracy_ci95": interval}


def names(figure):
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


def test_the_worst_is_at_the_top():
    figure = draw_accuracy_by_speaker({"theo": speaker(0.98), "lucas": speaker(0.9), "王": speaker(0.95)})
    assert names(figure) == ["lucas (50)", "王 (50)", "theo (50)"]
    bottom, top = figure.axes[0].get_ylim()
    assert top < bottom
    assert "王 (50)" in svg_text(figure)


@pytest.mark.parametrize(("speakers", "shown"), [(1, 1), (40, 40), (41, 20), (400, 20)])
def test_many_speakers_leave_the_worst_20_and_a_line_that_says_so(speakers, shown):
    figure = draw_accuracy_by_speaker({f"s{i:03}": speaker(0.5 + i / 1000) for i in range(speakers)})
    assert names(figure)[0] == "s000 (50)"
    assert len(names(figure)) == shown
    assert (f"{shown} worst of {speakers}" in figure.axes[0].get_title(loc="left")) == (shown < speakers)


def test_unknown_numbers_are_left_out():
    scores = {"a": speaker(None), "b": {"n": 3, "accuracy": 1.0, "accuracy_ci95": None}}
    assert names(draw_accuracy_by_speaker(scores)) == ["b (3)"]
    assert names(draw_accuracy_by_speaker({})) == []
