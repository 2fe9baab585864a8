"""Plain values: read from YAML, made from `key=value` texts, laid over one another."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import yaml

from sayso.errors import Fault, SettingsError

__all__ = ["is_set", "load_yaml", "merge", "override_text", "parse_overrides", "retold", "set_text"]


class _Loader(yaml.SafeLoader):
    """Safe, without the words of YAML 1.1 for true and false, and with each key of a section once."""

    yaml_implicit_resolvers: ClassVar[Any] = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            name = (key.tag, str(key.value))
            if name in seen:
                raise yaml.MarkedYAMLError(problem=f"{key.value} stands there twice", problem_mark=key.start_mark)
            seen.add(name)
        return node


def load_yaml(text: str) -> Any:
    """Read YAML safely, with the booleans of YAML 1.2: `yes`, `no`, `on` and `off` are words here.

    >>> load_yaml("words: [yes, no, on]")
    {'words': ['yes', 'no', 'on']}

    Raises:
        yaml.YAMLError: the text is no YAML, or a key stands in it twice.
    """
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - a safe loader by descent
    except ValueError as error:  # a date or number that is none, such as 2026-02-30
        raise yaml.MarkedYAMLError(problem=str(error)) from error
    except RecursionError as error:
        raise yaml.MarkedYAMLError(problem="nested too deeply") from error


def merge(base: Mapping[str, Any], over: Mapping[str, Any], *, are_parts: bool = False) -> dict[str, Any]:
    """Merge `over` into `base`, section by section; a section that names another `kind` starts anew.

    Where both `are_parts` of sections, one without a `kind` may be of any, so that what it says stays.
    """
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            is_any = are_parts and "kind" not in below
            same = is_any or value.get("kind", below.get("kind")) == below.get("kind")
            merged[key] = merge(below, value, are_parts=are_parts) if same else dict(value)
        else:
            merged[key] = value
    return merged


def parse_overrides(overrides: Sequence[str]) -> dict[str, Any]:
    """Turn `training.epochs=5` and their like into nested values.

    >>> parse_overrides(["training.epochs=5", "model.hidden=64", "model.kind=mlp"])
    {'training': {'epochs': 5}, 'model': {'hidden': 64, 'kind': 'mlp'}}

    Raises:
        SettingsError: an override without `=`, or whose value is no YAML.
    """
    values: dict[str, Any] = {}
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals or not key.strip():
            raise SettingsError([Fault("--set", f"'{override}' is not key=value, such as training.epochs=5")])
        try:
            value = load_yaml(text)
        except yaml.YAMLError as error:
            raise SettingsError([Fault(f"--set {key}", f"'{text}' cannot be read as YAML")]) from error
        nested: Any = value
        for part in reversed(key.strip().split(".")):
            nested = {part: nested}
        values = merge(values, nested, are_parts=True)
    return values


def is_set(key: str, laid_over: Mapping[str, Any]) -> bool:
    """Whether overrides say what stands under a dotted key, itself or all of a section around it.

    >>> is_set("model.hidden", {"model": {"kind": "mlp"}}), is_set("augment.0.most", {"augment": []})
    (False, True)
    """
    below: Any = laid_over
    for part in key.split("."):
        if not isinstance(below, Mapping):
            return True
        if part not in below:
            return False
        below = below[part]
    return True


def retold(error: SettingsError, *, source: str, laid_over: Mapping[str, Any]) -> SettingsError:
    """Give an error's faults with where each stands: in overrides, or in `source` that they were laid over.

    >>> error = SettingsError([Fault("training.epochs", "is 0, must be at least 1")])
    >>> print(retold(error, source="quick.yaml", laid_over={"training": {"epochs": 0}}))
    --set training.epochs: is 0, must be at least 1
    >>> print(retold(error, source="quick.yaml", laid_over={"model": {"kind": "mlp"}}))
    quick.yaml with --set model.kind: training.epochs: is 0, must be at least 1
    """
    faults = [
        Fault(f"--set {fault.key}", fault.message) if fault.key and is_set(fault.key, laid_over) else fault
        for fault in error.faults
    ]
    if all(told is not fault for told, fault in zip(faults, error.faults, strict=True)):
        return SettingsError(faults)
    beside = f" with --set {', '.join(_leaves(laid_over))}" if laid_over else ""
    return SettingsError(faults, source=source + beside)


def _leaves(values: Mapping[str, Any]) -> Iterator[str]:
    """The dotted keys of nested values."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from (f"{key}.{below}" for below in _leaves(value))
        else:
            yield str(key)


def override_text(key: str, text: str) -> str:
    """Write an override with a text as its value, such as a path, in quotes where YAML or a shell needs them.

    It is one line that any terminal shows: bytes of a file name that are no text are spelt as escapes of YAML.

    >>> print(override_text("dataset.exclude", "audits/first/exclude.csv"))
    dataset.exclude=audits/first/exclude.csv
    >>> print(override_text("dataset.exclude", "[1] my/exclude.csv"))
    'dataset.exclude="[1] my/exclude.csv"'
    """
    return shlex.quote(set_text(key, text))


def set_text(key: str, text: str) -> str:
    """Write an override with a text as its value, for a program that is called without a shell.

    >>> print(set_text("dataset.exclude", "[1] my/exclude.csv"))
    dataset.exclude="[1] my/exclude.csv"
    """
    try:
        plain = load_yaml(text) == text
    except yaml.YAMLError:
        plain = False
    if not plain:
        text = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=float("inf")).rstrip("\n")
    return f"{key}={text}"
