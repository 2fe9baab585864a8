"""`sayso tune`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from sayso.cli.console import Bars, say, say_json
from sayso.system.wording import percent, rounded

__all__ = ["tune"]


def tune(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    background: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="Recordings in which none of the words is said; may be repeated."),
    ] = None,
    false_alarms_per_hour: Annotated[float, typer.Option(help="How often each word may fire by mistake.")] = 0.5,
    hours: Annotated[
        float | None, typer.Option(help="Of streams to listen to, twice; by default 2 / rate, 6 at most.")
    ] = None,
    rooms: Annotated[
        float, typer.Option(help="Share of the words, and of synthetic voices, in simulated rooms; 0: none.")
    ] = 0.5,
    write: Annotated[bool, typer.Option("--write", help="Put the thresholds into the model.")] = False,
    keep_thresholds: Annotated[
        bool, typer.Option("--keep-thresholds", help="With --write: leave the model's own, and put in what each costs.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Choose the words' thresholds, and say what they cost.

    Validation words in background choose, test words in other background report: misses, and false alarms an hour.

    Without --background, synthetic voices say other words.
    """
    if keep_thresholds and not write:
        raise typer.BadParameter("--keep-thresholds is about --write")
    from sayso.studies.tuning.tune import tune as run_it

    done = run_it(
        run,
        background=background or (),
        false_alarms_per_hour=false_alarms_per_hour,
        hours=hours,
        rooms=rooms,
        write=write,
        keep_thresholds=keep_thresholds,
        progress=Bars(),
    )
    if as_json:
        say_json(done.facts)
        return
    _show(done.facts)
    say(f"page         {done.page}")
    if done.written:
        what = "what each threshold costs" if keep_thresholds else "thresholds and curves"
        say(f"written      {what} in {done.run.onnx}")
    else:
        say("not written  the model is as it was; --write puts the thresholds into it")


def _show(facts: Mapping[str, Any]) -> None:
    test = facts["test"]
    wide = max(len("all together"), *(len(word) for word in facts["thresholds"]))
    say(f"{'word':<{wide}}  threshold  missed (95 %)           alarms/h  at most  sources  latency")
    for word, own in test["per_word"].items():
        mark = "" if facts["chosen"][word]["keeps_rate"] else "  no threshold keeps the rate"
        say(f"{word:<{wide}}  {facts['thresholds'][word]:>9.4f}  {_row(own, test)}{mark}")
    say(f"{'all together':<{wide}}  {'':>9}  {_row(test, test)}")
    say()
    hours = f"{rounded(test['replayed_hours'])} h of test words, over {rounded(test['independent_hours'])} h"
    say(f"streams      {hours} of different background")
    say(f"background   {facts['background']}")
    met = [f"{percent(misses['rate'])} {name}" for name, misses in test["by_condition"].items()]
    say(f"missed       {', '.join(met)}")
    for note in facts["notes"]:
        say(f"note         {note}")


def _row(scores: Mapping[str, Any], test: Mapping[str, Any]) -> str:
    misses, alarms = scores["misses"], scores["alarms"]
    limits = misses["ci95"]
    missed = percent(misses["rate"]) + (f" ({100 * limits[0]:.1f} to {100 * limits[1]:.1f})" if limits else "")
    fired = f"{alarms['sources_fired']}/{test['sources']}"
    late = f"{1000 * scores['latency']['median']:.0f} ms" if scores["latency"] else "-"
    return f"{missed:<22} {rounded(alarms['per_hour']):>9} {rounded(alarms['at_most']):>8} {fired:>8} {late:>8}"
