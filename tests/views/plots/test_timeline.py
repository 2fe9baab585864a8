import pytest

from sayso.views.plots.timeline import MOST_LINES, TimelineRow, draw_latencies, draw_timeline


def row(name="a.wav", seconds=600.0, **marks):
    return TimelineRow(name, seconds, {kind.replace("_", " "): times for kind, times in marks.items()})


def legend(figure):
    found = figure.axes[0].get_legend()
    return [text.get_text() for text in found.get_texts()] if found else []


@pytest.mark.parametrize(
    ("seconds", "unit", "end"), [(60.0, "seconds", 60), (600.0, "minutes", 10), (36_000.0, "hours", 10)]
)
def test_the_axis_has_the_unit_that_suits(seconds, unit, end):
    axes = draw_timeline([row(seconds=seconds), row("b.wav", seconds / 2)]).axes[0]
    assert axes.get_xlabel() == unit
    assert axes.get_xlim() == (0, end)


def test_marks_stand_at_their_times_on_the_line_of_their_recording():
    first = row(hit=[60.0, 120.0], missed=[300.0])
    figure = draw_timeline([first, row("b.wav", false_alarm=[30.0])])
    assert legend(figure) == ["hit (2)", "missed (1)", "false alarm (1)"]
    drawn = {line.get_label(): line.get_xydata().tolist() for line in figure.axes[0].get_lines()}
    assert drawn["hit (2)"] == [[1.0, 0.0], [2.0, 0.0]]
    assert drawn["false alarm (1)"] == [[0.5, 1.0]]
    bottom, top = figure.axes[0].get_ylim()
    assert top < bottom


def test_nothing_detected_has_no_legend():
    assert legend(draw_timeline([row(hit=[], missed=[])])) == []


def test_no_name_is_cut_off_however_long():
    figure = draw_timeline([row("a-very-long-name-of-a-recording-in-the-kitchen.wav"), row("b.wav")])
    figure.draw_without_rendering()
    assert min(label.get_window_extent().x0 for label in figure.axes[0].get_yticklabels()) > 0


def test_very_many_recordings_are_not_all_drawn_and_that_is_said():
    figure = draw_timeline([row(f"{place}.wav") for place in range(MOST_LINES + 3)])
    assert len(figure.axes[0].get_yticklabels()) == MOST_LINES
    assert figure.axes[0].get_xlabel() == "minutes; 3 recordings are not drawn"


@pytest.mark.parametrize(("latencies", "median"), [([0.1], "0.10"), ([0.3, 0.1], "0.20"), ([-0.2, 0.6, 0.2], "0.20")])
def test_latencies_are_all_counted_and_their_median_is_named(latencies, median):
    figure = draw_latencies(latencies, within_seconds=0.75)
    axes = figure.axes[0]
    assert sum(bar.get_height() for bar in axes.patches) == len(latencies)
    assert axes.texts[0].get_text() == f"median {median} s"
