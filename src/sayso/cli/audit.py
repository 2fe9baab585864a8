"""`sayso audit`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sayso.cli.console import Bars, say
from sayso.cli.options import Overrides
from sayso.errors import in_one_line
from sayso.system.wording import counted, percent

if TYPE_CHECKING:
    from sayso.studies.audit.audit import Audit

__all__ = ["audit"]

_EXAMPLES = 2


def audit(
    source: Annotated[
        str, typer.Argument(help="A folder of clips by word, a manifest, a recipe, or the kind of a dataset.")
    ],
    settings: Overrides = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FAULT",
            help="Look for this fault alone; may be repeated; `sayso list detectors` names them.",
        ),
    ] = None,
    mislabels: Annotated[
        bool, typer.Option("--mislabels", help="Also train five small models that find likely mislabels.")
    ] = False,
    with_map: Annotated[
        bool | None,
        typer.Option(
            "--map/--no-map",
            help="Draw a map of the clips, and list those that lie among another word's; without a word about it up to "
            "3,000 clips get one.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder; default: audits/<name>-<time>.")] = None,
) -> None:
    """Look through recordings for faults.

    Leaves a page to listen to, and a list of clips that training can leave out.
    """
    from sayso.studies.audit.audit import audit as look_through

    found = look_through(
        source,
        overrides=settings or (),
        only=only or (),
        mislabels=mislabels,
        with_map=with_map,
        out=out,
        progress=Bars(),
    )
    _print_table(found)
    if found.mapped and found.mapped.map.neighbours:
        many = counted(found.mapped.map.found, "clip lies", "clips lie")
        say(f"map          {many} among those of another word; they stand first on the page's map")
    say(f"page         {found.page}")
    say(f"findings     {found.table}")
    say(f"exclusions   {found.exclusions}; use: {found.train_command}")


def _print_table(found: "Audit") -> None:
    from sayso.data.clips import name_clips
    from sayso.studies.audit.findings import UNREADABLE

    say(f"{'fault':<17}{'clips':>7}{'of all':>9}   examples")
    everything = [*found.clips, *(clip for clip, _ in found.skipped)]
    names = dict(zip(everything, name_clips(everything), strict=True))
    total = len(everything)
    unasked = {detector.name: why for detector, why in found.not_looked_for.items()}
    rows = [
        (detector.name, [found.clips[row] for row in dict.fromkeys(finding.row for finding in findings)])
        for detector, findings in found.findings.items()
    ]
    for fault, clips in [*rows, (UNREADABLE, [clip for clip, _ in found.skipped])]:
        examples = in_one_line(", ".join(names[clip] for clip in clips[:_EXAMPLES]))
        found_here = f"{len(clips):>7,}{percent(len(clips) / total):>9}"
        many = f"not looked for: {unasked[fault]}" if fault in unasked else found_here
        say(f"{fault:<17}{many}   {examples}".rstrip())
