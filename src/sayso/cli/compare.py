"""`sayso compare`."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sayso.cli.console import Bars, say
from sayso.cli.options import OverridesOfAll
from sayso.cli.trial_options import Cluster, Jobs, Threads
from sayso.errors import Fault, SettingsError
from sayso.system.wording import percent

if TYPE_CHECKING:
    from sayso.data.splits.folds import Folds

__all__ = ["compare"]


def compare(
    recipes: Annotated[
        list[str], typer.Argument(help="Recipes (YAML), or folders of clips by word; or finished runs.")
    ],
    folds: Annotated[
        str | None,
        typer.Option(
            help="leave-one-speaker-out, or a number of folds by speaker; without it each recipe's own split."
        ),
    ] = None,
    seeds: Annotated[int | None, typer.Option(help="How many seeds, from 0; default: 5.")] = None,
    jobs: Jobs = 2,
    on: Cluster = "",
    gap: Annotated[bool, typer.Option("--gap", help="Train on random splits too, and show the difference.")] = False,
    threads: Threads = 1,
    settings: OverridesOfAll = None,
    out: Annotated[Path, typer.Option(help="Folder of the comparison; one that was stopped goes on.")] = Path(
        "comparison"
    ),
) -> None:
    """Train recipes alike, rank them, and say which differ.

    All are trained on the same folds and seeds. Those that the speakers cannot tell apart are named too. Finished runs
    are compared as they are, on the clips that all of them were tested on.
    """
    from sayso.studies.comparison.compare import compare as run

    done = run(
        recipes,
        folds=_folds(folds),
        seeds=seeds,
        jobs=jobs,
        on=on,
        gap=gap,
        threads=threads,
        overrides=settings or (),
        out=out,
        progress=Bars(),
    )
    _show(done.table)
    say(f"\npage         {done.page}")


def _show(table: Mapping[str, Any]) -> None:
    width = max(len(row["recipe"]) for row in table["recipes"]) + 3
    gap = table["random_label"]
    say(table["split_label"])
    say(f"{'recipe':<{width + 2}}{'accuracy':>9}   95 % over speakers   {gap}".rstrip())
    for row in table["recipes"]:
        limits = row["speaker_ci95"]
        over = f"{100 * limits[0]:.1f} to {percent(limits[1])}" if limits else "-"
        random = percent(row["random_split"]).rjust(len(gap) + 3) if gap else ""
        score = f"{row['rank']:>2}. {row['recipe']:<{width - 2}}{percent(row['accuracy']):>9}"
        say(f"{score}   {over:<18}{random}".rstrip())
    better = [pair for pair in table["pairs"] if pair["verdict"] == "better"]
    what = "runs" if table.get("of_runs") else "recipes"
    say()
    for pair in better:
        say(f"{pair['first']} is better than {pair['second']} by {100 * pair['difference']:.1f} points")
    if table["pairs"] and not better:
        say(f"no two {what} can be told apart by these speakers")
    for note in table["notes"]:
        say(f"note: {note}")


def _folds(text: str | None) -> "Folds | None":
    if text is None or text == "leave-one-speaker-out":
        return text
    if not text.isdecimal():
        raise SettingsError([Fault("--folds", f"is '{text}', must be leave-one-speaker-out or a number of folds")])
    return int(text)
