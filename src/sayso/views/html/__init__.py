"""HTML pages: one file each that loads nothing, all with the same frame, colours and ways to write a number."""

import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from sayso.system import wording
from sayso.system.files import write_text
from sayso.views.plots.inline import inline_svg
from sayso.web import look

__all__ = ["chart", "percent", "points", "write_page"]


def write_page(path: Path, template: str, **values: Any) -> None:
    """Fill a template of this folder and write it, atomically.

    Args:
        path: the page.
        template: its name, such as `report`.
        values: what it asks for.

    Raises:
        OutputError: the page cannot be written.
    """
    page = render(template, **values)
    # A file name that is no text in the system's encoding holds halves of characters; they become question marks.
    write_text(path, page.encode("utf-8", "replace").decode())


def render(template: str, **values: object) -> str:
    """Fill a template of this folder; a value that it lacks raises jinja2.UndefinedError."""
    return _environment().get_template(f"{template}.html.j2").render(values)


def chart(name: str, svg: str, description: str) -> Markup:
    """Make an SVG ready to stand inside a page.

    Args:
        name: before every id in it, so that charts of one page do not share any.
        svg: the picture.
        description: for those who do not see it.
    """
    return Markup(inline_svg(svg, prefix=name, description=description))


def percent(share: float | None) -> str:
    r"""Write a share as a percentage; only 1 itself is 100 %, and only 0 itself is 0 %.

    >>> percent(0.9812), percent(0.9999), percent(None)
    ('98.1\u202f%', '> 99.9\u202f%', '–')
    """
    if share is None or not math.isfinite(share):
        return "–"
    return wording.percent(share).replace(" %", "\u202f%")


def points(difference: float | None) -> str:
    """Write a difference of shares in points of a per cent.

    >>> points(-0.0123)
    '−1.2'
    """
    return "–" if difference is None else f"{100 * difference:+.1f}".replace("-", "−")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("sayso.views", "html"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., str]] = {
        "percent": percent,
        "points": points,
        "number": _number,
        "counted": wording.counted,
        "rounded": wording.rounded,
        "clock": wording.clock,
    }
    environment.filters.update(filters)
    shared: dict[str, Any] = {"look": Markup(look())}
    environment.globals.update(shared)
    return environment


def _number(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
