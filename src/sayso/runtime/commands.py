"""Commands that are run when a word is heard: no shell, and no waiting for them."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sayso.errors import Fault, SettingsError
from sayso.runtime.live import Tell
from sayso.runtime.stream import Detection

__all__ = ["Commands", "parse_commands"]

_MOST_RUNNING = 16
_POLL_SECONDS = 0.05
_STDERR = 2


def parse_commands(texts: Iterable[str], words: Sequence[str]) -> dict[str, list[list[str]]]:
    """Read `WORD=COMMAND` texts into the commands of each word, divided as a shell would, without one.

    >>> parse_commands(["lights on=mosquitto_pub -m 'on now'"], ["lights on"])
    {'lights on': [['mosquitto_pub', '-m', 'on now']]}

    Raises:
        SettingsError: a word is none of the model's, or a command is empty or has a quote that is not closed.
    """
    faults: list[Fault] = []
    commands: dict[str, list[list[str]]] = {}
    for text in texts:
        # A word may hold an = itself.
        word = max((word for word in words if text.startswith(f"{word}=")), key=len, default=None)
        if word is None:
            faults.append(_no_word(text, words))
            continue
        try:
            parts = shlex.split(text[len(word) + 1 :])
        except ValueError as error:
            faults.append(Fault("--on-word", f"'{text}' cannot be divided into words ({error})"))
            continue
        if parts:
            commands.setdefault(word, []).append(parts)
        else:
            faults.append(Fault("--on-word", f"'{text}' has no command after the ="))
    if faults:
        raise SettingsError(faults)
    return commands


@dataclass
class Commands:
    """Runs the commands of words.

    Their standard output goes where errors go, so that the detections stay alone on standard output.
    """

    commands: Mapping[str, Sequence[Sequence[str]]]
    """Of each word."""
    tell: Tell
    """Takes one line for each command that fails."""
    _running: "list[tuple[str, subprocess.Popen[bytes]]]" = field(default_factory=list[Any])

    def check(self) -> None:
        """See that every program is there.

        Raises:
            SettingsError: one is not.
        """
        programs = {command[0] for commands in self.commands.values() for command in commands}
        missing = sorted(program for program in programs if shutil.which(program) is None)
        if missing:
            raise SettingsError(
                Fault("--on-word", f"there is no program '{program}'; no shell reads the command")
                for program in missing
            )

    def run(self, detection: Detection) -> None:
        """Start the commands of a word that was detected, and wait for none."""
        facts = {
            "SAYSO_WORD": detection.word,
            "SAYSO_SCORE": f"{detection.score:.4f}",
            "SAYSO_START": f"{detection.start:.3f}",
            "SAYSO_END": f"{detection.end:.3f}",
        }
        for command in self.commands.get(detection.word, ()):
            self.look()
            shown = shlex.join(command)
            if len(self._running) >= _MOST_RUNNING:
                self.tell(f"'{shown}' is not run: {_MOST_RUNNING} commands run already and have not ended")
                continue
            sys.stderr.flush()
            try:
                process = subprocess.Popen(command, env=os.environ | facts, stdin=subprocess.DEVNULL, stdout=_STDERR)
            except (OSError, ValueError) as error:
                self.tell(f"'{shown}' cannot be run: {getattr(error, 'strerror', None) or error}")
            else:
                self._running.append((shown, process))

    def look(self) -> None:
        """Tell of commands that have ended with a failure since."""
        for entry in list(self._running):
            shown, process = entry
            if (code := process.poll()) is None:
                continue
            self._running.remove(entry)
            if code:
                how = f"exit code {code}" if code > 0 else f"signal {-code}"
                self.tell(f"'{shown}' ended with {how}")

    def finish(self, seconds: float) -> None:
        """Wait for commands that still run, but no longer than this; those that go on are left alone."""
        until = time.monotonic() + seconds
        self.look()
        while self._running and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)
            self.look()


def _no_word(text: str, words: Sequence[str]) -> Fault:
    word, equals, _ = text.partition("=")
    if not equals:
        return Fault("--on-word", f"'{text}' is not WORD=COMMAND")
    return Fault("--on-word", f"'{word}' is no word of this model; it has {', '.join(words)}")
