"""`sayso find-lr`."""

from pathlib import Path
from typing import Annotated

import typer

from sayso.cli.console import Bars, say
from sayso.cli.options import Overrides

__all__ = ["find_lr"]

_SHOWN = 12


def find_lr(
    source: Annotated[str, typer.Argument(help="A recipe (YAML), a folder of clips by word, or a manifest.")],
    settings: Overrides = None,
    lowest: Annotated[float, typer.Option(help="First learning rate.")] = 1e-6,
    highest: Annotated[float, typer.Option(help="Last learning rate.")] = 10.0,
    steps: Annotated[int, typer.Option(help="Batches between them.")] = 200,
    out: Annotated[Path, typer.Option(help="Folder for the curve (SVG, PNG, CSV).")] = Path("pictures"),
    write: Annotated[bool, typer.Option("--write", help="Set training.learning_rate in the recipe's file.")] = False,
) -> None:
    """Suggest a learning rate from a short search.

    It is a tenth of the one with the lowest loss while the rate grows.
    """
    from sayso.studies.lr_finder import find_lr as search_and_write

    found = search_and_write(
        source,
        overrides=settings or (),
        lowest=lowest,
        highest=highest,
        steps=steps,
        out=out,
        write=write,
        progress=Bars(),
    )
    search = found.search
    say(f"{'learning rate':>13}{'smoothed loss':>16}")
    shown = {round(place * (len(search.rates) - 1) / (_SHOWN - 1)) for place in range(_SHOWN)} | {search.lowest}
    for place in sorted(shown):
        mark = "   lowest" if place == search.lowest else ""
        say(f"{search.rates[place]:>13.1e}{search.smoothed[place]:>16.3f}{mark}")
    say(f"suggestion   {search.suggestion:.1e}, a tenth of the rate with the lowest loss; now {found.before:.1e}")
    if search.still_falling:
        say(f"note         the loss was still falling at {search.rates[-1]:.1e}; try a higher --highest")
    if found.written:
        say(f"written      training.learning_rate in {source}")
    for file in found.files:
        say(f"curve        {file}")
    if found.unwritten:
        raise found.unwritten
