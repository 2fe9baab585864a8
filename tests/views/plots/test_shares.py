import pytest

from sayso.views.plots.shares import set_share_axis
from sayso.views.plots.style import add_axes, make_figure


@pytest.mark.parametrize(
    ("lowest", "begin", "label"),
    [
        (0.0, 0.0, "right (%)"),
        (0.499, 0.0, "right (%)"),
        (0.52, 0.5, "right (%, from 50)"),
        (0.88, 0.8, "right (%, from 80)"),
        (0.9, 0.8, "right (%, from 80)"),  # a dot at the very edge would be cut
        (0.97, 0.9, "right (%, from 90)"),
    ],
)
def test_an_axis_of_shares_begins_at_0_or_says_where(lowest, begin, label):
    axes = add_axes(make_figure(4, 4), left=1, bottom=1, width=2, height=2)
    set_share_axis(axes, "y", "right", lowest=lowest)
    low, high = axes.get_ylim()
    assert begin - 0.02 < low <= begin
    assert 1 < high < 1.02
    assert axes.get_ylabel() == label
    axes.figure.draw_without_rendering()
    ticks = [tick for tick in axes.get_yticks() if low <= tick <= high]
    assert ticks[0] == pytest.approx(begin)
    assert ticks[-1] == pytest.approx(1)
    written = {tick.get_loc(): tick.label1.get_text() for tick in axes.yaxis.get_major_ticks()}
    assert all(float(written[tick]) == pytest.approx(100 * tick) for tick in ticks)  # none rounded to another
