"""Long work that the page begins: a command of `sayso` in a process of its own, one of a kind at a time."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Literal

from sayso.errors import RunError

__all__ = ["Job", "free_path"]

State = Literal["none", "running", "stopping", "finished", "stopped", "failed"]
_INTERRUPTED = 130
_LINES = 200
_SHOWN_LINES = 6
_LONGEST_LINE = 500
_WAIT_SECONDS, _READ_SECONDS = 20.0, 2.0
_COUNTED = re.compile(r"(?P<title>.+): (?P<done>\d+)/(?P<total>\d+)(?: .*)?")


@dataclass
class _Process:
    out: Path
    process: "subprocess.Popen[str]"
    began: float = field(default_factory=time.monotonic)
    lines: deque[str] = field(default_factory=lambda: deque[str](maxlen=_LINES))
    is_cancelled: bool = False
    reader: Thread = field(init=False)

    def __post_init__(self) -> None:
        self.reader = Thread(target=self._read, daemon=True)
        self.reader.start()

    def poll(self) -> int | None:
        """Give what it ended with, once all that it said has been read; None: it runs."""
        code = self.process.poll()
        if code is not None:
            self.reader.join(_READ_SECONDS)
        return code

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as told:
            for line in told:
                if line := line.rstrip():
                    self.lines.append(line[:_LONGEST_LINE])


class Job:
    """The work of one kind that one page begins: one piece at a time, each leaving a folder.

    Args:
        what: the kind, for messages, such as `a training`.
    """

    def __init__(self, what: str) -> None:
        self._what, self._lock = what, Lock()
        self._now: _Process | None = None

    @property
    def out(self) -> Path | None:
        """The folder of the piece that was begun last; None: none was."""
        return self._now.out if self._now else None

    def start(self, place: Callable[[], Path], command: Callable[[Path], Sequence[str]]) -> Path:
        """Begin a piece of work, and give its folder.

        Args:
            place: chooses the folder.
            command: gives what follows `sayso`, for that folder.

        Raises:
            RunError: a piece is under way.
        """
        with self._lock:
            if name := self.running_name():
                raise RunError(f"{self._what} is running ({name}); cancel it, or wait for it")
            out = place()
            self._now = _Process(out, _begin(command(out)))
        return out

    def cancel(self) -> None:
        """Stop as Ctrl-C does: what is done so far is kept. Nothing happens where nothing is running."""
        if (now := self._now) and now.process.poll() is None:
            now.is_cancelled = True
            with suppress(ProcessLookupError):
                os.killpg(now.process.pid, signal.SIGINT)

    def close(self) -> None:
        """Cancel, and wait until it has ended."""
        self.cancel()
        if now := self._now:
            try:
                now.process.wait(_WAIT_SECONDS)
            except subprocess.TimeoutExpired:
                now.process.kill()
                now.process.wait()
            now.poll()

    def state(self) -> dict[str, Any]:
        """How it goes, in plain values: `state`, `name`, `seconds`, `task`, `lines` and, when failed, `why`."""
        if (now := self._now) is None:
            return {"state": "none"}
        state = _state_of(now)
        lines = list(now.lines)
        facts: dict[str, Any] = {
            "state": state,
            "name": now.out.name,
            "seconds": round(time.monotonic() - now.began, 1),
            "task": _task(lines) if state in ("running", "stopping") else None,
            "lines": [line for line in lines if not _COUNTED.fullmatch(line)][-_SHOWN_LINES:],
        }
        return facts | ({"why": _why(lines)} if state == "failed" else {})

    def running_name(self) -> str | None:
        """Name of the folder that is worked on now."""
        now = self._now
        return now.out.name if now and now.process.poll() is None else None


def free_path(root: Path, name: str) -> Path:
    """Give a path below `root` that is not there yet, named by the time."""
    stem = f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    number, path = 2, root / stem
    while path.exists():
        number, path = number + 1, root / f"{stem}-{number}"
    return path


def _begin(arguments: Sequence[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "sayso", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"},
        start_new_session=True,  # Ctrl-C in the terminal is for the page's program, which then cancels
    )


def _state_of(now: _Process) -> State:
    code = now.poll()
    if code is None:
        return "stopping" if now.is_cancelled else "running"
    if code == 0:
        return "finished"
    return "stopped" if now.is_cancelled or code == _INTERRUPTED else "failed"


def _task(lines: Sequence[str]) -> Mapping[str, Any] | None:
    """The last piece of long work that was told of, and how much of it is done."""
    for line in reversed(lines):
        if match := _COUNTED.fullmatch(line):
            return {"title": match["title"], "done": int(match["done"]), "total": int(match["total"])}
    return None


def _why(lines: Sequence[str]) -> str:
    told = [line.removeprefix("sayso: ") for line in lines if line.startswith("sayso: ")]
    return told[-1] if told else (lines[-1] if lines else "it ended without a word")
