"""How every figure looks (fonts, inks, sizes) and how it is written as SVG or PNG.

Nothing here goes through pyplot: a figure belongs to whoever asked for it and is freed with it. Colours are the blue
and vermilion of Okabe and Ito (https://jfly.uni-koeln.de/color/), which colour-blind readers tell apart.
"""

import io
import unicodedata
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sayso.errors import OutputError
from sayso.system.files import atomic_path

__all__ = [
    "BLUE",
    "GRID",
    "INK",
    "MUTED",
    "PAPER_ID",
    "VERMILION",
    "add_axes",
    "make_figure",
    "make_printable",
    "mark_value",
    "save",
    "svg_text",
    "text_inches",
    "use_style",
]

INK = "#1f2430"
MUTED = "#667080"
GRID = "#d8dce2"
BLUE = "#0072b2"
VERMILION = "#d55e00"
PAPER_ID = "paper"
"""The id of the white sheet behind a figure in its SVG, so that a page can take it away."""

_FALLBACK_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "PingFang SC",
    "Hiragino Sans",
    "Microsoft YaHei",
    "WenQuanYi Micro Hei",
    "Noto Sans Devanagari",
    "Noto Sans Arabic",
    "Arial Unicode MS",
)
_STYLE: dict[str, Any] = {
    "font.size": 10.0,
    "text.color": INK,
    "text.parse_math": False,  # a label may hold dollar signs
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 11.0,
    "axes.titleweight": "bold",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "svg.fonttype": "none",  # the reader's own fonts draw the text, whatever its script
    "svg.hashsalt": "sayso",
}
_NOT_STYLE = ("backend", "interactive", "toolbar", "webagg", "datapath", "date.epoch", "timezone", "tk.", "docstring")


class _NotebookFigure(Figure):
    """A figure that a notebook shows by itself, without pyplot."""

    def _repr_svg_(self) -> str:
        return svg_text(self)


@contextmanager
def use_style() -> Generator[None]:
    """Draw in Sayso's style inside the block, whatever the user's own matplotlibrc says; restored afterwards."""
    settings = {key: value for key, value in mpl.rcParamsDefault.items() if not key.startswith(_NOT_STYLE)}
    changes: dict[Any, Any] = {**settings, **_STYLE, "font.family": _families()}
    with mpl.rc_context(changes):
        yield


def make_figure(width_inches: float, height_inches: float) -> Figure:
    """Give an empty figure of that size on a white sheet; call it inside `use_style`."""
    figure = _NotebookFigure(figsize=(width_inches, height_inches))
    figure.patch.set_gid(PAPER_ID)
    return figure


def add_axes(figure: Figure, *, left: float, bottom: float, width: float, height: float) -> Axes:
    """Add axes at a place given in inches from the figure's lower left corner."""
    across, up = figure.get_size_inches()
    axes = figure.add_axes((left / across, bottom / up, width / across, height / up))
    axes.patch.set_visible(False)
    return axes


def mark_value(axes: Axes, value: float, text: str, *, line: str = MUTED) -> None:
    """Draw a dotted line up from a value of the horizontal axis, and say above it what it is."""
    axes.axvline(value, color=line, linestyle=":", linewidth=1.2)
    axes.annotate(
        text,
        (value, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        fontsize=8.5,
        color=MUTED,
    )


def make_printable(text: str, *, most: int = 24) -> str:
    r"""Give a label or name as it can stand in a figure: one line, no control characters, at most `most` characters.

    >>> make_printable("two\nlines")
    'two lines'
    >>> make_printable("a very long label", most=8)
    'a very …'
    """
    line = " ".join(text.split())
    clean = "".join("\ufffd" if unicodedata.category(char) in ("Cc", "Cs", "Cn") else char for char in line)
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def text_inches(text: str, *, points: float) -> float:
    """Estimate how wide a line is, in inches, without its font: a Chinese sign is as wide as high, a letter 0.62 of it.

    >>> text_inches("好", points=72.0)
    1.0
    """
    ems = sum(1.0 if unicodedata.east_asian_width(char) in "WF" else 0.62 for char in text)
    return ems * points / 72


def save(figure: Figure, path: Path) -> None:
    """Write a figure atomically as SVG or PNG, by the path's suffix; the same figure gives the same bytes.

    Raises:
        OutputError: another suffix, or a place that cannot be written.
    """
    if path.suffix.lower() not in (".svg", ".png"):
        raise OutputError(f"cannot write {path}: pictures are .svg or .png, not '{path.suffix}'")
    with atomic_path(path) as temporary:
        _write(figure, temporary, path.suffix.lower()[1:])


def svg_text(figure: Figure) -> str:
    """Give a figure as SVG text; the same figure gives the same text."""
    target = io.BytesIO()
    _write(figure, target, "svg")
    return target.getvalue().decode()


def _write(figure: Figure, target: Path | io.BytesIO, kind: str) -> None:
    nothing = ("Date", "Creator", "Format", "Type") if kind == "svg" else ("Software",)
    with use_style(), warnings.catch_warnings():
        # In SVG the reader's fonts draw what ours lack; in PNG an empty box stands for that, beyond our mending.
        warnings.filterwarnings("ignore", message=r"Glyph \d+", category=UserWarning)
        figure.savefig(target, format=kind, dpi=150, metadata=dict.fromkeys(nothing))


@cache
def _families() -> list[str]:
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in _FALLBACK_FONTS if name in installed)]
