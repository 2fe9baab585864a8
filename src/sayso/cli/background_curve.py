"""`sayso background-curve`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from sayso.cli.console import Bars, say, say_json
from sayso.cli.options import Overrides
from sayso.cli.trial_options import Cluster, Jobs, Threads
from sayso.errors import Fault, SettingsError
from sayso.system.wording import percent, rounded

__all__ = ["background_curve"]


def background_curve(
    recipe: Annotated[str, typer.Argument(help="A recipe (YAML), or a folder of clips by word.")],
    negatives: Annotated[
        list[str] | None,
        typer.Option(help="Long recordings to train on shares of; short for --set rejection.recordings=[...]"),
    ] = None,
    background: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="Other recordings to test on, without any of the words; may be repeated."),
    ] = None,
    minutes: Annotated[
        str | None,
        typer.Option(metavar="N,N,...", help="Minutes to train on; by default all, and four times half of them."),
    ] = None,
    missed: Annotated[float, typer.Option(help="Share of the words that may be missed.")] = 0.05,
    hours: Annotated[float, typer.Option(help="Of streams that each model listens to, twice.")] = 1.0,
    rooms: Annotated[
        float, typer.Option(help="Share of the words, and of synthetic voices, in simulated rooms; 0: none.")
    ] = 0.5,
    seeds: Annotated[int, typer.Option(help="How many seeds, from 0; each draws other background.")] = 3,
    jobs: Jobs = 2,
    on: Cluster = "",
    threads: Threads = 1,
    settings: Overrides = None,
    out: Annotated[Path, typer.Option(help="Folder of the curve; one that was stopped goes on.")] = Path(
        "background-curve"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say how much more background would halve false alarms.

    The recipe is trained on ever more of its negatives.
    """
    sizes = [] if minutes is None else _minutes(minutes)
    from sayso.studies.background_curve.background_curve import background_curve as run

    short = [f"rejection.recordings={json.dumps(negatives, ensure_ascii=False)}"] if negatives else []
    done = run(
        recipe,
        background=background or (),
        minutes=sizes,
        missed=missed,
        hours=hours,
        rooms=rooms,
        seeds=seeds,
        jobs=jobs,
        on=on,
        threads=threads,
        overrides=[*(settings or ()), *short],
        out=out,
        progress=Bars(),
    )
    if as_json:
        say_json(done.table)
        return
    say("minutes  alarms/h  95 %              test words missed")
    for point in done.table["points"]:
        limits = " to ".join(rounded(limit) for limit in point["ci95"])
        row = f"{rounded(point['minutes']):>7}  {rounded(point['alarms_per_hour']):>8}  {limits:<16}"
        say(f"{row}  {percent(point['missed'])}")
    for note in done.table["notes"]:
        say(f"note: {note}")
    for answer in done.answers:
        say(answer)
    say(f"page: {done.page}")


def _minutes(text: str) -> list[float]:
    """Read the sizes.

    Raises:
        SettingsError: one is no number above 0.
    """
    try:
        sizes = [float(part) for part in text.split(",")]
    except ValueError:
        sizes = [0.0]
    if not all(0 < size < float("inf") for size in sizes):
        raise SettingsError(
            [Fault("--minutes", f"is '{text}', must be numbers above 0 with commas between, such as 5,10")]
        )
    return sizes
