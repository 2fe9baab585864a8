"""Constants of a model as C: arrays, written once however often they are asked for, and what describes layers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sayso.delivery.c.narrow import Narrow

__all__ = ["Tables", "number"]

_A_LINE = 116


class Tables:
    """Collects constants, and names them.

    Attributes:
        constant_bytes: of all arrays.
    """

    def __init__(self) -> None:
        self.constant_bytes = 0
        self._names: dict[tuple[str, bytes], str] = {}
        self._texts: list[str] = []

    @property
    def text(self) -> str:
        """All that was asked for, in C."""
        return "\n".join(self._texts) + "\n"

    def floats(self, values: NDArray[np.generic]) -> str:
        """Name an array of float."""
        return self._array("float", values.astype(np.float32).ravel())

    def integers(self, values: NDArray[np.generic], kind: str) -> str:
        """Name an array of `int8_t` or `int16_t`."""
        return self._array(kind, values.astype(np.int8 if kind == "int8_t" else np.int16).ravel())

    def weights(self, values: NDArray[np.generic], narrow: Narrow | None = None) -> str:
        """Give the initialiser of weights, (outputs, ...), as float or as int8."""
        if narrow is None:
            return f"{{{self.floats(values)}, 0, 0}}"
        return f"{{0, {self.integers(narrow.numbers, 'int8_t')}, {self.floats(narrow.scales)}}}"

    def structure(self, kind: str, *fields: object) -> str:
        """Name what describes a layer; gives its address."""
        name = f"layer_{len(self._texts)}"
        self._texts.append(f"static const struct {kind} {name} = {{{', '.join(map(_field, fields))}}};")
        return f"&{name}"

    def _array(self, kind: str, values: NDArray[np.generic]) -> str:
        key = (kind, values.tobytes())
        if key not in self._names:
            name = self._names[key] = f"numbers_{len(self._texts)}"
            lines = _lines([number(each) for each in values])
            self._texts.append(f"static const {kind} {name}[{len(values)}] = {{\n{lines}\n}};")
            self.constant_bytes += values.nbytes
        return self._names[key]


def number(value: np.generic | float) -> str:
    """Write a number so that C reads the same: of a float all that it has.

    >>> number(np.float32(1.0)), number(np.int8(-3)), number(np.float32(0.1)), number(float("-inf"))
    ('1.0f', '-3', '0.1f', '-INFINITY')
    """
    if isinstance(value, np.integer):
        return str(int(value))
    exact = np.float32(value)
    if np.isinf(exact):
        return "INFINITY" if exact > 0 else "-INFINITY"
    return f"{exact!s}f"


def _field(value: object) -> str:
    if isinstance(value, list | tuple):
        return "{" + ", ".join(map(_field, value)) + "}"
    return str(int(value)) if isinstance(value, bool) else str(value)


def _lines(numbers: Sequence[str]) -> str:
    lines = [""]
    for each in numbers:
        if len(lines[-1]) + len(each) > _A_LINE:
            lines.append("")
        lines[-1] += f"{each}, "
    return "\n".join(f"    {line.rstrip()}" for line in lines)
