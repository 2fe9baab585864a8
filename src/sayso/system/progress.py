"""How long work tells what it is doing, without any room but `cli` printing."""

import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager

__all__ = ["Forecast", "Progress", "SaidOnce", "Task", "roughly"]

_WARM_UP_SECONDS = 0.5
_PACE_SECONDS = 2.0  # over so long it is measured; what takes longer at once is a pace by itself ...
_MANY = 100  # ... but for the first of so many steps, which may hold what is done once
_MINUTES_SECONDS = 90.0


class Task:
    """One piece of long work under way; the silent default ignores everything."""

    def advance(self, steps: int = 1) -> None:
        """Say that `steps` more of the total are done."""

    def tell(self, facts: str) -> None:
        """Show short facts beside the bar, such as the loss; replaces what was shown before."""


class Progress:
    """Where long work reports; this base class is silent, `sayso.cli.console` draws bars.

    >>> with Progress().task("packing", total=3) as task:
    ...     task.advance()
    """

    @contextmanager
    def task(self, title: str, *, total: int | None = None, unit: str = "") -> Generator[Task]:
        """Show a task of `total` steps (None: unknown) for as long as the block runs."""
        del title, total, unit
        yield Task()

    def note(self, text: str) -> None:
        """Show one line that a person should read, such as a warning about the data."""


class SaidOnce(Progress):
    """Reports where another one does, but for notes that were given there before.

    Args:
        progress: where to report.
        said: notes that are not to be given again.
    """

    def __init__(self, progress: Progress, said: Iterable[str]) -> None:
        self._progress, self._said = progress, frozenset(said)

    @contextmanager
    def task(self, title: str, *, total: int | None = None, unit: str = "") -> Generator[Task]:
        """Show a task there."""
        with self._progress.task(title, total=total, unit=unit) as task:
            yield task

    def note(self, text: str) -> None:
        """Show one line there that was not shown before."""
        if text not in self._said:
            self._progress.note(text)


class Forecast:
    """Says of a task, once, how long it will take: as soon as its pace is known, and where that is minutes.

    Args:
        total: steps of the task; None: unknown, and nothing is said.
        clock: gives seconds.
    """

    def __init__(self, total: int | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._total, self._clock = total, clock
        self._begin, self._began_with, self._done = clock(), 0, 0
        self._begun, self._said = self._begin, False

    def advance(self, steps: int) -> str | None:
        """Count steps; give how long the rest will take, such as `about 20 minutes`, when it is time to say so."""
        self._done += steps
        if self._said or not self._total:
            return None
        now = self._clock()
        is_first = self._done == steps and self._total >= _MANY
        if is_first or now - self._begun < _WARM_UP_SECONDS:  # what was done before, or what is cached, tells no pace
            self._begin, self._began_with = now, self._done
            return None
        if now - self._begin < _PACE_SECONDS or self._done == self._began_with:
            return None
        self._said = True
        seconds = (self._total - self._done) * (now - self._begin) / (self._done - self._began_with)
        return roughly(seconds) if seconds >= _MINUTES_SECONDS else None


def roughly(seconds: float) -> str:
    """Say a time of minutes or more as people do.

    >>> roughly(100), roughly(700), roughly(1_270), roughly(5_400), roughly(90_000)
    ('about 2 minutes', 'about 10 minutes', 'about 20 minutes', 'about 1.5 hours', 'about 25 hours')
    """
    minutes = seconds / 60
    if minutes < 10:
        return f"about {max(2, round(minutes))} minutes"
    if minutes < 57.5:
        return f"about {5 * round(minutes / 5)} minutes"
    hours = round(2 * minutes / 60) / 2
    return "about an hour" if hours == 1 else f"about {hours:g} hours"
