"""`sayso learning-curve`."""

from pathlib import Path
from typing import Annotated

import typer

from sayso.cli.console import Bars, say
from sayso.cli.options import Overrides
from sayso.cli.trial_options import Cluster, Jobs, Threads
from sayso.errors import Fault, SettingsError

__all__ = ["learning_curve"]


def learning_curve(
    recipe: Annotated[str, typer.Argument(help="A recipe (YAML), or a folder of clips by word.")],
    speakers: Annotated[
        str | None,
        typer.Option(metavar="N,N,...", help="How many speakers to train on; given alone, this is the only curve."),
    ] = None,
    clips: Annotated[
        str | None,
        typer.Option(metavar="N,N,...", help="How many clips of each speaker; given alone, this is the only curve."),
    ] = None,
    seeds: Annotated[int, typer.Option(help="How many seeds, from 0; each draws other speakers and clips.")] = 3,
    jobs: Jobs = 2,
    on: Cluster = "",
    threads: Threads = 1,
    settings: Overrides = None,
    out: Annotated[Path, typer.Option(help="Folder of the curves; those that were stopped go on.")] = Path(
        "learning-curve"
    ),
) -> None:
    """Say what more speakers, or clips of each, would bring.

    The recipe is trained on ever more of them.
    """
    sizes = {"--speakers": speakers, "--clips": clips}
    counts = {option: () if text is None else _counts(text) for option, text in sizes.items()}
    if faults := [
        Fault(option, f"is '{sizes[option]}', must be numbers from 1 with commas between, such as 1,2,4")
        for option, found in counts.items()
        if found is None
    ]:
        raise SettingsError(faults)
    from sayso.studies.learning_curve.learning_curve import learning_curve as run

    done = run(
        recipe,
        speakers=counts["--speakers"] or (),
        clips=counts["--clips"] or (),
        seeds=seeds,
        jobs=jobs,
        on=on,
        threads=threads,
        overrides=settings or (),
        out=out,
        progress=Bars(),
    )
    for note in done.table["notes"]:
        say(f"note: {note}")
    for answer in done.answers:
        say(answer)
    say(f"page: {done.files[0]}")


def _counts(text: str) -> tuple[int, ...] | None:
    """The numbers in a text; None where something else is there, or nothing."""
    parts = [part.strip() for part in text.split(",")]
    whole = all(part.isascii() and part.isdigit() and int(part) > 0 for part in parts)
    return tuple(int(part) for part in parts) if whole else None
