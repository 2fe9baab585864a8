"""A training that the page begins: a process of its own that runs `sayso train`, followed by the log that it writes."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Literal

from sayso.errors import RunError
from sayso.runs.folder import RunFolder
from sayso.runs.log import read_log

__all__ = ["Training", "Wanted"]

State = Literal["none", "running", "stopping", "finished", "stopped", "failed"]
_INTERRUPTED = 130
_LINES = 200
_SHOWN_LINES = 6
_LONGEST_LINE = 500
_WAIT_SECONDS, _READ_SECONDS = 20.0, 2.0
_COUNTED = re.compile(r"(?P<title>.+): (?P<done>\d+)/(?P<total>\d+) (?P<facts>.*)")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a training is asked for."""

    source: Path | None
    """A folder or manifest; None: words alone."""
    words_file: Path | None = None
    language: str = ""
    small: bool = False
    epochs: int | None = None
    overrides: tuple[str, ...] = ()
    """Settings laid over those of the recordings, `key=value` each."""

    @property
    def arguments(self) -> list[str]:
        """Of `sayso train`."""
        given = ["--words-file", str(self.words_file)] if self.source is None else [str(self.source)]
        given += ["--language", self.language] if self.language else []
        given += [part for override in self.overrides if self.source for part in ("--set", override)]
        given += ["--small"] if self.small and self.source else []
        return given + (["--epochs", str(self.epochs)] if self.epochs else [])


@dataclass
class _Process:
    run: Path
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


class Training:
    """The trainings of one page: one at a time.

    Args:
        root: folder of runs.
    """

    def __init__(self, root: Path) -> None:
        self._root, self._lock = root, Lock()
        self._now: _Process | None = None

    def start(self, wanted: Wanted, *, name: str) -> Path:
        """Begin; gives the run's folder.

        Raises:
            RunError: a training is running.
        """
        with self._lock:
            self._check_free()
            run = self._free_run(name)
            self._begin(run, [*wanted.arguments, "--out", str(run)])
        return run

    def resume(self, run: Path) -> None:
        """Go on with a run that was stopped.

        Raises:
            RunError: a training is running.
        """
        with self._lock:
            self._check_free()
            self._begin(run, ["--resume", str(run)])

    def cancel(self) -> None:
        """Stop as Ctrl-C does: what is done so far is kept. Nothing happens where nothing is running."""
        if (now := self._now) and now.process.poll() is None:
            now.is_cancelled = True
            _interrupt(now.process)

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
        """How it goes, in plain values: `state`, `run`, `seconds`, `task`, `lines`, `parts` and, when failed, `why`."""
        if (now := self._now) is None:
            return {"state": "none"}
        state = _state_of(now)
        lines = list(now.lines)
        facts: dict[str, Any] = {
            "state": state,
            "run": now.run.name,
            "seconds": round(time.monotonic() - now.began, 1),
            "task": _task(lines) if state in ("running", "stopping") else None,
            "lines": [line for line in lines if not _COUNTED.match(line)][-_SHOWN_LINES:],
            "parts": _progress(now.run),
        }
        return facts | ({"why": _why(lines)} if state == "failed" else {})

    def running_name(self) -> str | None:
        """Name of the run that is trained now."""
        now = self._now
        return now.run.name if now and now.process.poll() is None else None

    def _check_free(self) -> None:
        if name := self.running_name():
            raise RunError(f"a training is running ({name}); cancel it, or wait for it")

    def _free_run(self, name: str) -> Path:
        stem = f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
        number, path = 2, self._root / stem
        while path.exists():
            number, path = number + 1, self._root / f"{stem}-{number}"
        return path

    def _begin(self, run: Path, arguments: Sequence[str]) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "sayso", "train", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"},
            start_new_session=True,  # Ctrl-C in the terminal is for the page's program, which then cancels
        )
        self._now = _Process(run, process)


def _interrupt(process: "subprocess.Popen[str]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)


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


def _progress(run: Path) -> list[dict[str, Any]]:
    """Loss and accuracy by epoch, of each training in the run: one for each speaker left out, and the whole."""
    folder = RunFolder(run)
    parts: list[dict[str, Any]] = []
    for part in (*folder.folds, folder):
        with suppress(RunError, OSError):
            if rows := read_log(part.log):
                epochs = [
                    {"epoch": row.epoch, "set": row.set, "loss": row.loss, "accuracy": row.accuracy} for row in rows
                ]
                parts.append({"fold": part.path.name if part is not folder else "", "epochs": epochs})
    return parts
