"""One key of a recipe's file set anew, everything else in it byte for byte as it was."""

import errno
import os
from pathlib import Path

import yaml

from sayso.config.overrides import merge
from sayso.config.schema import dump
from sayso.errors import Fault, SettingsError
from sayso.recipe.recipe import read_recipe
from sayso.system.files import atomic_path, output_errors, temporary_beside

__all__ = ["check_key", "set_key"]


def check_key(path: Path, section: str, key: str, value: str) -> None:
    """See before long work whether `set_key` could do its own; the file stays as it is. Raises as `set_key`."""
    path = path.resolve()
    _check_writable(path)
    with temporary_beside(path) as trial:
        _write_edited(path, trial, section, key, value)


def set_key(path: Path, section: str, key: str, value: str) -> None:
    """Set `section.key` in a recipe's file to `value`, as YAML; comments, order and line ends stay.

    The new text is read as a recipe before it takes the place of the old one, atomically.

    Raises:
        SettingsError: the file is no recipe, or is written in a way in which the one key cannot be set alone.
        OutputError: it cannot be written.
    """
    path = path.resolve()  # of a link, what it points to is written
    read_recipe(path)  # what is no recipe is told as such, and where there is none, none is made
    _check_writable(path)
    mode = path.stat().st_mode
    with atomic_path(path) as temporary:
        _write_edited(path, temporary, section, key, value)
    path.chmod(mode)


def _check_writable(path: Path) -> None:
    """Refuse a file that nobody may write: another one could still take its place, and would."""
    with output_errors(path):
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _write_edited(path: Path, target: Path, section: str, key: str, value: str) -> None:
    wanted = merge(dump(read_recipe(path)), {section: {key: yaml.safe_load(value)}})
    target.write_bytes(_edited(path.read_bytes().decode(), section, key, value).encode())
    if _values(target) != wanted:
        raise SettingsError(
            [Fault(f"{section}.{key}", f"cannot be set without changing more; write {value} there by hand")],
            source=str(path),
        )


def _values(path: Path) -> dict[str, object] | None:
    try:
        return dump(read_recipe(path))
    except SettingsError:
        return None


def _edited(text: str, section: str, key: str, value: str) -> str:
    root = yaml.compose(text, yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        return text
    found = _entry(root, section)
    if found is None:
        if root.flow_style:
            return _into_braces(text, root, f"{section}: {{{key}: {value}}}")
        indent = " " * root.start_mark.column
        return _lines_at(text, len(text), [f"{indent}{section}:", f"{indent}  {key}: {value}"])
    name, inner = found
    if not isinstance(inner, yaml.MappingNode) or inner.start_mark.index < name.end_mark.index:
        return text  # an alias: what it stands for lies elsewhere, and counts elsewhere too
    return _set_in(text, inner, key, value)


def _set_in(text: str, mapping: yaml.MappingNode, key: str, value: str) -> str:
    found = _entry(mapping, key)
    if found is not None:
        name, old = found
        return text if old.start_mark.index < name.end_mark.index else _replaced(text, old, value)
    if mapping.flow_style:
        return _into_braces(text, mapping, f"{key}: {value}")
    first = mapping.value[0][0].start_mark
    return _lines_at(text, first.index - first.column, [f"{' ' * first.column}{key}: {value}"])


def _entry(mapping: yaml.MappingNode, key: str) -> tuple[yaml.Node, yaml.Node] | None:
    """Key and value of an entry; of one written twice the last, which counts."""
    return next(((name, value) for name, value in reversed(mapping.value) if name.value == key), None)


def _replaced(text: str, node: yaml.Node, new: str) -> str:
    return text[: node.start_mark.index] + new + text[node.end_mark.index :]


def _into_braces(text: str, mapping: yaml.MappingNode, entry: str) -> str:
    inside = text.index("{", mapping.start_mark.index) + 1
    return text[:inside] + entry + (", " if mapping.value else "") + text[inside:]


def _lines_at(text: str, index: int, lines: list[str]) -> str:
    end = "\r\n" if "\r\n" in text else "\n"
    before = text[:index]
    gap = "" if not before or before.endswith("\n") else end
    return before + gap + "".join(line + end for line in lines) + text[index:]
