"""Many clips at a glance: a grid of small spectrograms, a row for each clip, a column for each word."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sayso.views.plots.signals import LOWEST_DB, spectrogram_levels
from sayso.views.plots.style import MUTED, add_axes, make_figure, make_printable, text_inches, use_style

__all__ = ["draw_spectrogram_grid"]

_CELL_INCHES = (0.42, 1.1)  # width: least, most
_WIDEST_INCHES = 14.0
_GAP = 8  # pixels


def draw_spectrogram_grid(
    clips: Sequence[Sequence[NDArray[np.int16] | None]],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    sample_rate: int,
    title: str,
) -> Figure:
    """Draw clips of one length as small spectrograms; each one's loudest point is the brightest.

    Args:
        clips: by row and column; each (samples,), None where there is none.
        rows: what each row is, such as a speaker.
        columns: the words.
        sample_rate: in hertz.
        title: over the grid.

    Returns:
        A figure that grows with rows and columns, up to about 15 inches wide.
    """
    names = [make_printable(name, most=14) for name in rows]
    words = [make_printable(word, most=14) for word in columns]
    cell = float(np.clip(_WIDEST_INCHES / max(1, len(words)), *_CELL_INCHES))
    left = max((text_inches(name, points=9) for name in names), default=0.0) + 0.2
    word_inches = max((text_inches(word, points=9) for word in words), default=0.0)
    upright = word_inches > cell
    over = 0.5 + (word_inches if upright else 0.2)
    mosaic, high, wide = _mosaic(clips, sample_rate)
    width, height = cell * len(words), cell * 0.8 * len(names)
    scale = _scale(clips, sample_rate)
    with use_style():
        figure = make_figure(left + max(width + 0.2, text_inches(scale, points=8.5)), height + over + 0.5)
        axes = add_axes(figure, left=left, bottom=0.45, width=width, height=height)
        axes.imshow(mosaic, cmap=mpl.colormaps["magma"], aspect="auto", vmin=0, vmax=1, interpolation="antialiased")
        axes.set_yticks(np.arange(len(names)) * (high + _GAP) + high / 2, names, fontsize=9)
        axes.set_xticks(np.arange(len(words)) * (wide + _GAP) + wide / 2, words, fontsize=9)
        _words_on_top(axes, upright=upright)
        axes.set_title(title, pad=6 + (word_inches if upright else 0.2) * 72)
        axes.set_xlabel(scale, loc="left", fontsize=8.5, color=MUTED)
    return figure


def _words_on_top(axes: Axes, *, upright: bool) -> None:
    axes.tick_params(length=0, top=False, labeltop=True, labelbottom=False)
    axes.spines[:].set_visible(False)
    for word in axes.get_xticklabels() if upright else ():
        word.set(rotation=90, rotation_mode="anchor", ha="left", va="center")


def _scale(clips: Sequence[Sequence[NDArray[np.int16] | None]], sample_rate: int) -> str:
    seconds = max((len(clip) for row in clips for clip in row if clip is not None), default=0) / sample_rate
    axes = f"each: 0 to {seconds:.2g} s from left to right, 0 to {sample_rate // 2:,} Hz from the bottom up"
    return f"{axes}, {-LOWEST_DB:.0f} dB from black to bright"


def _mosaic(
    clips: Sequence[Sequence[NDArray[np.int16] | None]], sample_rate: int
) -> tuple[NDArray[np.float32], int, int]:
    """Give all in one picture (white between them), and the height and width of one in pixels."""
    high, wide = spectrogram_levels(np.zeros(2, np.int16), sample_rate).shape
    across = max((len(row) for row in clips), default=0)
    shape = (len(clips) * (high + _GAP) - _GAP, across * (wide + _GAP) - _GAP)
    mosaic = np.full([max(1, side) for side in shape], np.nan, np.float32)
    for row, line in enumerate(clips):
        for column, clip in enumerate(line):
            if clip is not None:
                top, left = row * (high + _GAP), column * (wide + _GAP)
                mosaic[top : top + high, left : left + wide] = spectrogram_levels(clip, sample_rate)
    return mosaic, high, wide
