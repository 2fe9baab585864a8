"""How long work tells what it is doing, without any room but `cli` printing."""

from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["Progress", "Task"]


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
