import numpy as np
import pytest

from sayso.views.plots.counts import draw_bars, draw_histogram
from sayso.views.plots.grid import draw_spectrogram_grid
from sayso.views.plots.signals import spectrogram_levels


def test_a_bar_for_each_name_in_order_with_its_number():
    axes = draw_bars({"yes": 1200, "no": 3}, title="Clips", x_label="clips").axes[0]
    assert [bar.get_width() for bar in axes.patches] == [1200, 3]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["yes", "no"]
    assert {"1,200", "3"} <= {text.get_text() for text in axes.texts}
    assert axes.get_xlabel() == "clips"
    assert axes.get_ylim()[0] > axes.get_ylim()[1]


@pytest.mark.parametrize("values", [[], [1.0], [0.3] * 9, [1, 2, 2, 3], list(range(500)), np.linspace(0.2, 2, 99)])
def test_every_value_is_in_one_class(values):
    axes = draw_histogram(
        np.array(values, float), title="t", x_label="length (s)", y_label="clips", mark=(1.0, "here")
    ).axes[0]
    assert sum(bar.get_height() for bar in axes.patches) == len(values)
    assert len(axes.patches) <= 41
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["here"]


def test_whole_numbers_have_a_class_each():
    counts = np.array([1.0, 1, 2, 5])
    axes = draw_histogram(counts, title="t", x_label="clips", y_label="speakers", whole=True).axes[0]
    assert [bar.get_height() for bar in axes.patches][:5] == [2, 1, 0, 0, 1]


@pytest.mark.parametrize("mark", [None, (1.0, "here"), (1.5, "here")])
@pytest.mark.parametrize("value", [0.5, 1.0, 50.0])
def test_values_that_are_alike_are_one_narrow_bar_around_them(value, mark):
    values = value + 1e-6 * np.arange(60)
    axes = draw_histogram(values, title="t", x_label="length (s)", y_label="clips", mark=mark).axes[0]
    (bar,) = (bar for bar in axes.patches if bar.get_height())
    assert bar.get_height() == 60
    assert bar.get_x() + bar.get_width() / 2 == pytest.approx(value, rel=1e-3)
    low, high = axes.get_xlim()
    assert 1 / 50 < bar.get_width() / (high - low) < 1 / 30
    assert low < bar.get_x()
    assert high > max(bar.get_x() + bar.get_width(), mark[0] if mark else 0)


def test_counts_that_are_alike_are_one_bar_at_a_whole_number():
    axes = draw_histogram(np.full(60, 50.0), title="t", x_label="clips", y_label="speakers", whole=True).axes[0]
    assert [(bar.get_x(), bar.get_width(), bar.get_height()) for bar in axes.patches] == [(49.5, 1, 60)]
    low, high = axes.get_xlim()
    assert high - low > 10


@pytest.mark.parametrize("words", [1, 10, 30])
def test_a_grid_has_a_cell_for_each_clip_and_none_where_none_is(words):
    clip = (np.sin(np.arange(4000) * 0.5) * 9000).astype(np.int16)
    clips = [[clip] * words, [None] * words]
    figure = draw_spectrogram_grid(
        clips, rows=["ann", "bob"], columns=[f"word{i}" for i in range(words)], sample_rate=8000, title="t"
    )
    axes = figure.axes[0]
    mosaic = axes.images[0].get_array()
    high, wide = spectrogram_levels(clip, 8000).shape
    assert np.allclose(mosaic[:high, :wide], spectrogram_levels(clip, 8000))
    assert np.ma.getmaskarray(np.ma.masked_invalid(mosaic))[high:].all()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["ann", "bob"]
    assert len(axes.get_xticklabels()) == words
    assert figure.get_figwidth() < 16
    assert "0 to 0.5 s" in axes.get_xlabel()
    assert "4,000 Hz" in axes.get_xlabel()
    figure.draw_without_rendering()
    assert axes.xaxis.label.get_window_extent().x1 < figure.bbox.x1
