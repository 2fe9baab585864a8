"""A figure's SVG as part of a web page: names of its own, and the page's ink and paper."""

import re
from xml.etree import ElementTree

from sayso.views.plots.style import BLUE, GRID, INK, MUTED, PAPER_ID, VERMILION

__all__ = ["inline_svg"]

_REFERENCE = re.compile(r"(url\(#|^#)")
_THEME = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--line)",
    BLUE: "var(--blue)",
    VERMILION: "var(--vermilion)",
}


def inline_svg(svg: str, *, prefix: str, description: str) -> str:
    """Give an `<svg>` element that can stand in an HTML page beside others.

    Ids get a prefix, since those of two figures would clash; the white sheet goes, and its colours become the CSS
    variables `--ink`, `--muted`, `--line`, `--blue` and `--vermilion`; style sheets, metadata and namespaces go too.

    Args:
        svg: what `svg_text` gave.
        prefix: unique in the page; anything but letters, digits and hyphens is dropped.
        description: what a reader who cannot see it should hear.

    Returns:
        HTML; its only text is that of the figure, escaped.
    """
    root = ElementTree.fromstring(svg)
    unique = re.sub(r"[^A-Za-z0-9-]", "", prefix) + "-"
    for element in root.iter():
        _drop(element)
        element.tag = element.tag.rpartition("}")[2]
        attributes = [(name.rpartition("}")[2], value) for name, value in element.attrib.items()]
        element.attrib.clear()
        element.attrib.update({name: _adapt(name, value, unique) for name, value in attributes})
    natural = root.attrib.pop("width", "600pt")
    root.attrib.pop("height", None)
    root.attrib.update({"role": "img", "aria-label": description, "style": f"--natural: {natural}"})
    return ElementTree.tostring(root, encoding="unicode")


def _drop(parent: ElementTree.Element) -> None:
    for child in list(parent):
        if child.get("id") == PAPER_ID or child.tag.endswith(("}style", "}metadata")):
            parent.remove(child)


def _adapt(name: str, value: str, prefix: str) -> str:
    if name == "id":
        return prefix + value
    if name == "style":
        for colour, variable in _THEME.items():
            value = value.replace(colour, variable)
    return _REFERENCE.sub(lambda found: found.group() + prefix, value)
