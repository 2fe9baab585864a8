"""Reference pages from docstrings: the Sphinx directive `modules`, and docstrings and types made readable there."""

import dataclasses
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterable, Iterator
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from sayso.config.schema import Settings

__all__ = ["modules", "plain", "readable_type", "setup"]

_COLON = "\ue000"  # stands for a colon where napoleon would take it for the end of a type
_CODE = re.compile(r"(`[^`]*`)")
_RANGE = re.compile(r"Annotated\[(\w+), Range\(least=(\S+), most=(\S+), above=(\S+), below=(\S+)\)\]")


class Modules(SphinxDirective):
    """One module a line; a line that ends with `.*` is a package with every module that lies directly in it."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Parse a heading and an `automodule` for each."""
        sections = (
            f"{name}\n{'-' * len(name)}\n\n.. automodule:: {name}\n   :members:\n   :show-inheritance:\n"
            for name in modules(self.content)
        )
        return self.parse_text_to_nodes("\n".join(sections), allow_section_headings=True)


def modules(lines: Iterable[str]) -> Iterator[str]:
    """Names of modules that these lines stand for, in their order.

    >>> names = list(modules(["sayso.errors", "sayso.runtime.*"]))
    >>> names[:2], "sayso.runtime.recognizer" in names
    (['sayso.errors', 'sayso.runtime'], True)
    """
    for line in filter(None, map(str.strip, lines)):
        name = line.removesuffix(".*")
        yield name
        if name != line:
            package = importlib.import_module(name)
            # A package inside has a line of its own.
            yield from (
                f"{name}.{module.name}" for module in pkgutil.iter_modules(package.__path__) if not module.ispkg
            )


def plain(text: str) -> str:
    r"""Escape what reStructuredText would read as markup; code between backticks stays.

    >>> plain("log(|S| + 1e-6) of `a * b`, in *.wav")
    'log(\\|S\\| + 1e-6) of `a * b`, in \\*.wav'
    """
    parts = _CODE.split(text)
    return "".join(part if part.startswith("`") else re.sub(r"([*|])", r"\\\1", part) for part in parts)


def readable_type(text: str) -> str:
    """Say the range of a number in words.

    >>> readable_type("Annotated[float, Range(least=-inf, most=inf, above=0, below=inf)] | None")
    'float above 0 | None'
    """

    def words(found: re.Match[str]) -> str:
        name, *limits = found.groups()
        said = zip(("from", "to", "above", "below"), limits, strict=True)
        return " ".join([name, *(f"{word} {limit}" for word, limit in said if "inf" not in limit)])

    return _RANGE.sub(words, text)


def _guard(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Before napoleon: escape markup, and keep `Exponent: ...` under a field from being read as its type."""
    del app, name, thing, options
    literal = False
    for index, line in enumerate(lines):
        literal = line.startswith(">>>") or (literal and bool(line.strip()))
        if not literal:
            lines[index] = plain(line)
        if what in ("attribute", "data"):
            lines[index] = lines[index].replace(":", _COLON)


def _restore(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """After napoleon."""
    del app, what, name, thing, options
    lines[:] = [line.replace(_COLON, ":") for line in lines]


def _signature(
    app: Sphinx, what: str, name: str, thing: Any, options: object, signature: str, returns: str
) -> tuple[str, str] | None:
    """Settings show names and defaults; types and meanings stand below them."""
    del app, name, options, signature
    if what != "class" or not (inspect.isclass(thing) and issubclass(thing, Settings)):
        return None
    shown = [
        field.name if field.default is dataclasses.MISSING else f"{field.name}={field.default!r}"
        for field in dataclasses.fields(thing)
    ]
    return (f"(*, {', '.join(shown)})" if shown else "()", returns)


def _types(app: Sphinx, domain: str, kind: str, content: addnodes.desc_content) -> None:
    """Put ranges of numbers into words wherever a field's type is shown."""
    del app, domain, kind
    for note in content.parent.findall(addnodes.desc_annotation):
        if "Range(" in note.astext():
            note[:] = [nodes.Text(readable_type(note.astext()))]


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of all this."""
    app.add_directive("modules", Modules)
    app.connect("autodoc-process-docstring", _guard, priority=400)
    app.connect("autodoc-process-docstring", _restore, priority=600)
    app.connect("autodoc-process-signature", _signature)
    app.connect("object-description-transform", _types)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
