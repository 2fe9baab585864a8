"""What was answered of an archive, as a person reads it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from sayso.cli.console import say, warn
from sayso.system.wording import counted, listed

if TYPE_CHECKING:
    from sayso.studies.archive.answers import Answered
    from sayso.studies.archive.predict import Archived

__all__ = ["show_archived", "show_failed"]

_SHOWN_FAILED, _SHOWN_WORDS = 10, 12


def show_failed() -> "Callable[[Answered], None]":
    """Give what names the first files that cannot be used; the table has all of them."""
    shown = 0

    def show(one: "Answered") -> None:
        nonlocal shown
        shown += 1
        if shown <= _SHOWN_FAILED:
            warn(f"sayso: {one.error}")
        elif shown == _SHOWN_FAILED + 1:
            warn("sayso: and more, which are in the table alone")

    return show


def show_archived(archived: "Archived", *, spot: bool) -> None:
    """Say what is in the table, and in the last line whether files are missing from it; then the exit code is 2."""
    nothing = "files without any" if spot else "none of these"
    words = [f"{nothing if label is None else label} {count:,}" for label, count in archived.labels.most_common()]
    say(f"words        {listed(words, _SHOWN_WORDS, count_rest=True) or '-'}")
    say(f"table        {archived.table}, {counted(archived.files, 'file')}")
    if archived.failed:
        warn(
            f"sayso: {archived.failed:,} of {counted(archived.files, 'file')} could not be used; the column `error` of "
            f"{archived.table} says why"
        )
        raise typer.Exit(2)
