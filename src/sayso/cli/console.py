"""What the program prints: results on standard output, everything else on standard error."""

import codecs
import io
import json
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import typer

from sayso.errors import in_one_line
from sayso.system.progress import Forecast, Progress, Task

__all__ = ["Bars", "confirm", "print_any_name", "say", "say_json", "warn", "was_read"]

_notes: set[str] = set()
# Names of words and files are anyone's, and a terminal takes these for orders; lines and tabs are ours.
_ORDERS = {code: in_one_line(chr(code)) for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"}


def print_any_name() -> None:
    """Have standard output and error spell as an escape what they cannot hold, such as odd bytes of a file name.

    Where one is closed, what is printed there is lost: Python would print errors among the results.
    """
    sys.stdout, sys.stderr = sys.stdout or _open_nowhere(), sys.stderr or _open_nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and _may_fail(stream):
            stream.reconfigure(errors="backslashreplace")


def _may_fail(stream: io.TextIOWrapper) -> bool:
    """Whether some text cannot be printed there: one way for what cannot gives odd bytes back, and them alone."""
    is_utf8 = codecs.lookup(stream.encoding).name == "utf-8"
    return stream.errors == "strict" or (stream.errors == "surrogateescape" and not is_utf8)


def _open_nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


def say(text: str = "") -> None:
    """Print a result; of control characters other than ends of lines and tabs, their codes."""
    print(text.translate(_ORDERS))


def say_json(value: Any, *, indent: int | None = 2) -> None:
    """Print a result as JSON, in UTF-8 wherever it goes: odd bytes of a file name are escapes, as in files."""
    print(json.dumps(value, indent=indent, ensure_ascii=False).encode(errors="backslashreplace").decode())


def confirm(question: str) -> bool:
    """Ask on the terminal; or take the answer that is piped in, without showing the question.

    Raises:
        typer.BadParameter: standard input is closed or has ended, so that nobody answers.
    """
    try:
        answer = input(f"{question} [y/N]: " if sys.stdin and sys.stdin.isatty() else "")
    except (EOFError, RuntimeError) as error:  # Python has lost an input that is closed
        raise typer.BadParameter(f"{question} Nobody answers; give --yes") from error
    return answer.strip().lower() in ("y", "yes")


def warn(text: str) -> None:
    """Print something a person should know, apart from the result; control characters as in a result."""
    print(text.translate(_ORDERS), file=sys.stderr)


class Bars(Progress):
    """Progress bars on a terminal; plain lines anywhere else. What takes minutes says so at its beginning."""

    @contextmanager
    def task(self, title: str, *, total: int | None = None, unit: str = "") -> Generator[Task]:
        """Draw a bar for as long as the block runs."""
        if not sys.stderr.isatty():
            yield _Line(title, total, unit)
            return
        # Imported here: drawing a bar is the only use of rich, and help must open at once.
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as RichProgress

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(unit),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[facts]}"),
        )
        with RichProgress(*columns, console=Console(stderr=True)) as drawn:
            yield _Bar(drawn, drawn.add_task(title, total=total, facts=""), title, total)

    def note(self, text: str) -> None:
        """Print one line to be read."""
        _notes.add(text)
        warn(f"note: {in_one_line(text)}")


def was_read(note: str) -> bool:
    """Whether a note stands already on the terminal that results go to."""
    return note in _notes and sys.stdout.isatty() and sys.stderr.isatty()


class _Bar(Task):
    def __init__(self, drawn: "object", identity: "object", title: str, total: int | None) -> None:
        self._drawn, self._identity = drawn, identity
        self._title, self._forecast = title, Forecast(total)

    def advance(self, steps: int = 1) -> None:
        self._drawn.advance(self._identity, steps)  # type: ignore[attr-defined]
        if how_long := self._forecast.advance(steps):
            self._drawn.console.print(f"{self._title}: {how_long}", highlight=False)  # type: ignore[attr-defined]

    def tell(self, facts: str) -> None:
        self._drawn.update(self._identity, facts=facts)  # type: ignore[attr-defined]


class _Line(Task):
    """A line at the start, and then at most one for every tenth of the way."""

    def __init__(self, title: str, total: int | None, unit: str) -> None:
        self._title, self._total, self._unit = title, total, unit
        self._forecast = Forecast(total)
        self._done = 0
        self._shown = 0
        self._facts = ""

    def advance(self, steps: int = 1) -> None:
        self._done += steps
        if how_long := self._forecast.advance(steps):
            warn(f"{self._title}: {how_long}")
        tenths = 10 * self._done // self._total if self._total else 0
        if tenths > self._shown:
            self._shown = tenths
            warn(f"{self._title}: {self._done}/{self._total} {self._unit} {self._facts}".rstrip())

    def tell(self, facts: str) -> None:
        self._facts = facts
