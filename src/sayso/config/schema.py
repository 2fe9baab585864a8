"""Plain values (YAML, JSON, command line) to frozen dataclasses and back: strict, and every fault at once.

A settings class is a frozen dataclass below `Settings`. Its field types say what is allowed, `Range` in an
`Annotated` type says which numbers, and the text under a field is its help everywhere.
"""

import ast
import dataclasses
import difflib
import inspect
import itertools
import math
import textwrap
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from sayso.errors import Fault, SettingsError

__all__ = [
    "Decibels",
    "DecibelsApart",
    "NonNegative",
    "Positive",
    "PositiveInt",
    "Range",
    "Settings",
    "Share",
    "describe",
    "did_you_mean",
    "dump",
    "field_help",
    "field_types",
    "read",
]

S = TypeVar("S", bound="Settings")


# From here on not every whole number is one in floating point.
_WHOLE = 2**53
# No setting means anything beyond, and arithmetic in float32 ends soon after.
_SMALLEST, _LARGEST = 1e-30, 1e30


@dataclass(frozen=True)
class Range:
    """The numbers a field may hold; `above` and `below` leave the limit itself out."""

    least: float = -math.inf
    most: float = math.inf
    above: float = -math.inf
    below: float = math.inf

    def misfit(self, value: float) -> str | None:
        """Say what is wrong with `value`, or nothing.

        >>> Range(least=1).misfit(0)
        'is 0, must be at least 1'
        >>> Range(most=2**31 - 1).misfit(1e10)
        'is 10000000000, must be at most 2147483647'
        """
        if not math.isfinite(value):
            return f"is {value}, must be a finite number"
        checks = (
            (value < self.least, f"at least {_in_digits(self.least)}"),
            (value > self.most, f"at most {_in_digits(self.most)}"),
            (value <= self.above, f"above {_in_digits(self.above)}"),
            (value >= self.below, f"below {_in_digits(self.below)}"),
        )
        broken = [limit for wrong, limit in checks if wrong]
        return f"is {_in_digits(value)}, must be {broken[0]}" if broken else None


def _in_digits(value: float) -> str:
    """A number as a person writes it, whole ones to their last digit."""
    return str(int(value)) if abs(value) < _WHOLE and value == int(value) else f"{value:g}"


PositiveInt = Annotated[int, Range(least=1)]
Positive = Annotated[float, Range(above=0)]
NonNegative = Annotated[float, Range(least=0)]
Share = Annotated[float, Range(least=0, most=1)]
Decibels = Annotated[float, Range(least=-120, most=120)]
DecibelsApart = Annotated[float, Range(least=0, most=120)]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Base of every settings class: checks its numbers against their ranges when it is made, in code as in YAML.

    Raises:
        SettingsError: values outside their ranges, or that do not fit together.
    """

    def __post_init__(self) -> None:
        faults = list(_range_faults(self)) or list(self.faults())
        if faults:
            raise SettingsError(faults, source=type(self).__name__)

    def faults(self) -> Iterator[Fault]:
        """Yield a fault where fields do not fit together; asked only when every field is within its range."""
        return iter(())

    @classmethod
    def variant(cls: type[S], values: dict[str, Any]) -> type[S]:
        """Choose the class that `values` describe, taking the choosing key out of them."""
        del values
        return cls


def read(settings: type[S], values: object, *, key: str = "") -> S:
    """Make settings from plain values, converting by field type (YAML 1.1 reads `3e-4` as text).

    Args:
        settings: the class to make.
        values: a mapping of field names to plain values.
        key: where the values stand in the whole, for messages.

    Raises:
        SettingsError: unknown keys (with the nearest name), missing keys, wrong types, wrong values: all at once.
    """
    faults: list[Fault] = []
    made = _read(settings, values, key, faults)
    if faults or made is None:
        raise SettingsError(faults)
    return made


def dump(settings: Settings, *, changed: bool = False) -> dict[str, Any]:
    """Give the plain values that `read` would make the same settings from.

    Args:
        settings: of any class.
        changed: leave out, here and in settings within, what is as its class has it by default.
    """
    values: dict[str, Any] = {}
    if kind := getattr(settings, "kind", ""):
        values["kind"] = kind
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if not changed or value != _default(field):
            values[field.name] = _plain(value, changed=changed)
    return values


def describe(settings: type) -> list[tuple[str, str, str]]:
    """List each field of a settings class: its name, its default as text, its help in one line."""
    helps = field_help(settings)
    rows: list[tuple[str, str, str]] = []
    for field in dataclasses.fields(settings):
        default = _default(field)
        shown = "needed" if default is dataclasses.MISSING else _shown(_plain(default))
        rows.append((field.name, shown, " ".join(helps.get(field.name, "").split())))
    return rows


@cache
def field_types(settings: type) -> dict[str, Any]:
    """Give the field names of a settings class and their types, `Annotated` kept."""
    hints = get_type_hints(settings, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(settings)}


@cache
def field_help(settings: type) -> dict[str, str]:
    """Give the text under each field of a settings class, inherited ones included."""
    texts: dict[str, str] = {}
    for base in reversed(settings.__mro__):
        if dataclasses.is_dataclass(base):
            texts |= _texts_under_fields(base)
    return texts


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Name the nearest of `names`, or list them all.

    >>> did_you_mean("n_melz", ["n_mels", "scale"])
    "did you mean 'n_mels'?"
    """
    known = sorted(names)
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"did you mean '{near[0]}'?"
    return f"choose from {', '.join(known)}" if known else "there are none"


def _texts_under_fields(settings: type) -> dict[str, str]:
    texts: dict[str, str] = {}
    try:
        node = ast.parse(textwrap.dedent(inspect.getsource(settings))).body[0]
    except (OSError, TypeError):
        # Typed in at a prompt: there is no source to read.
        return texts
    body = node.body if isinstance(node, ast.ClassDef) else []
    for before, after in itertools.pairwise(body):
        match before, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                texts[name] = inspect.cleandoc(text)
            case _:
                pass
    return texts


def _range_faults(settings: Settings) -> Iterator[Fault]:
    for name, hint in field_types(type(settings)).items():
        if misfit := _range_misfit(hint, getattr(settings, name)):
            yield Fault(name, misfit)


def _range_misfit(hint: Any, value: Any) -> str | None:
    if get_origin(hint) is Annotated:
        limits = [extra for extra in hint.__metadata__ if isinstance(extra, Range)]
        is_number = isinstance(value, int | float)
        return next((m for limit in limits if is_number and (m := limit.misfit(value))), None)
    if get_origin(hint) is tuple and isinstance(value, tuple):
        return next((m for item in value if (m := _range_misfit(get_args(hint)[0], item))), None)
    if get_origin(hint) in (Union, types.UnionType) and value is not None:
        return next((m for option in get_args(hint) if (m := _range_misfit(option, value))), None)
    return None


def _read(settings: type[S], values: object, key: str, faults: list[Fault]) -> S | None:
    if not isinstance(values, Mapping):
        faults.append(Fault(key, f"{_found(values)}, must be a section of `key: value` lines"))
        return None
    rest: dict[str, Any] = {str(name): value for name, value in values.items()}
    try:
        chosen = settings.variant(rest)
    except SettingsError as error:
        faults += [fault.under(key) for fault in error.faults]
        return None
    before = len(faults)
    hints = field_types(chosen)
    made = _read_fields(hints, rest, key, faults)
    faults += [Fault(_join(key, name), "is missing") for name in _needed(chosen) if name not in rest]
    if len(faults) > before:
        return None
    try:
        return chosen(**made)
    except SettingsError as error:
        faults += [fault.under(key) for fault in error.faults]
        return None


def _read_fields(hints: Mapping[str, Any], values: Mapping[str, Any], key: str, faults: list[Fault]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in values.items():
        path = _join(key, name)
        if name not in hints:
            faults.append(Fault(path, f"unknown key; {did_you_mean(name, hints)}"))
            continue
        made[name] = _convert(hints[name], value, path, faults)
        if misfit := _range_misfit(hints[name], made[name]):
            faults.append(Fault(path, misfit))
    return made


def _needed(settings: type[Settings]) -> list[str]:
    nothing = dataclasses.MISSING
    fields = dataclasses.fields(settings)
    return [field.name for field in fields if field.default is nothing and field.default_factory is nothing]


def _convert(hint: Any, value: object, key: str, faults: list[Fault]) -> Any:
    """Convert `value` to the type `hint`; on failure add to `faults` and give None."""
    origin = get_origin(hint)
    if origin is Annotated:
        return _convert(get_args(hint)[0], value, key, faults)
    if origin in (Union, types.UnionType):
        return _convert_union(get_args(hint), value, key, faults)
    if origin is tuple:
        return _convert_tuple(get_args(hint)[0], value, key, faults)
    if isinstance(hint, type) and issubclass(hint, Settings):
        return _read(hint, value, key, faults)
    converted, wanted = _convert_scalar(hint, value)
    if wanted:
        faults.append(Fault(key, f"{_found(value)}, must be {wanted}"))
    return converted


def _convert_scalar(hint: Any, value: object) -> tuple[Any, str]:
    """Give the converted value and an empty text, or None and what was wanted."""
    if get_origin(hint) is Literal:
        options = get_args(hint)
        hit = [option for option in options if option == value and type(option) is type(value)]
        if hit:
            return hit[0], ""
        near = did_you_mean(str(value), map(str, options)) if isinstance(value, str) else ""
        return None, " | ".join(map(str, options)) + (f"; {near}" if near.startswith("did") else "")
    if hint is str:
        # YAML reads a bare `no` as false and a bare 7 as a number; words are words, so only text is taken.
        return (value, "") if isinstance(value, str) else (None, "text (put it in quotes)")
    if hint is bool:
        return (value, "") if isinstance(value, bool) else (None, "true or false")
    if hint is type(None):
        return (None, "") if value is None else (None, "empty")
    return _convert_number(hint, value)


def _convert_number(hint: Any, value: object) -> tuple[Any, str]:
    wanted = "a whole number" if hint is int else "a number"
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None, wanted
    if hint is int and isinstance(value, int):
        return value, ""
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None, wanted
    if not math.isfinite(number) or (hint is int and not number.is_integer()):
        return None, wanted
    if hint is not int and number and not _SMALLEST <= abs(number) <= _LARGEST:
        return None, f"0 or a number from {_SMALLEST:g} to {_LARGEST:g} in size"
    return (int(number) if hint is int else number), ""


def _convert_union(options: tuple[Any, ...], value: object, key: str, faults: list[Fault]) -> Any:
    tried: list[list[Fault]] = []
    for option in options:
        own: list[Fault] = []
        converted = _convert(option, value, key, own)
        if not own:
            return converted
        tried.append(own)
    # A section that was nearly right says more than that it is not, say, empty.
    inner = next((own for own in tried if own[0].key != key), None)
    wanted = " or ".join(own[0].message.removeprefix(f"{_found(value)}, must be ") for own in tried)
    faults += inner or [Fault(key, f"{_found(value)}, must be {wanted}")]
    return None


def _convert_tuple(item: Any, value: object, key: str, faults: list[Fault]) -> Any:
    if not isinstance(value, list | tuple):
        faults.append(Fault(key, f"{_found(value)}, must be a list, such as [a, b]"))
        return None
    return tuple(_convert(item, entry, f"{key}[{index}]", faults) for index, entry in enumerate(value))


def _found(value: object) -> str:
    return "is empty" if value is None else f"is {value!r}"


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default


def _plain(value: Any, *, changed: bool = False) -> Any:
    if isinstance(value, Settings):
        return dump(value, changed=changed)
    if isinstance(value, tuple):
        return [_plain(item, changed=changed) for item in value]
    return value


def _shown(value: Any) -> str:
    return "empty" if value is None else str(value)


def _join(parent: str, name: str) -> str:
    return f"{parent}.{name}" if parent else name
