"""`python -m benchmarks [NAME...]`: hold the contests, print a table of figures, write them as JSON."""

import argparse
import importlib
import os
import platform
from pathlib import Path
from typing import Any

import torch

import benchmarks
from benchmarks.contest import Contest, NotHereError
from sayso.system.files import write_json


def contest_names() -> list[str]:
    """Name the modules that set a contest up; the others are what those are made of, and scripts of their own."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return [path.stem for path in sources if "\ndef contest(" in path.read_text(encoding="utf-8")]


def main() -> None:
    """Read the command line, hold the contests one by one."""
    names = contest_names()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=benchmarks.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which contests, of {', '.join(names)}; default all")
    parser.add_argument("--rounds", type=int, default=5, help="how often each side takes its turn (default 5)")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"), help="where the figures are written")
    parser.add_argument("--full", action="store_true", help="all 3,000 digits, and four times the words")
    options = parser.parse_args()
    if unknown := set(options.names) - set(names):
        parser.error(f"no contest {', '.join(sorted(unknown))}; choose from {', '.join(names)}")
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    results = {name: _hold(name, options.rounds, full=options.full) for name in options.names or names}
    machine = {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
    }
    write_json(options.json, {"machine": machine, "rounds": options.rounds, "contests": results})
    print(f"\nwritten to {options.json}")


def _hold(name: str, rounds: int, *, full: bool) -> dict[str, Any]:
    try:
        contest: Contest = importlib.import_module(f"benchmarks.{name}").contest(full=full)
    except NotHereError as why:
        print(f"\n{name}: skipped, {why}", flush=True)
        return {"skipped": str(why)}
    try:
        outcome = contest.hold(rounds=rounds)
    finally:
        for close in contest.close:
            close()
    print("\n".join(contest.table(outcome)), flush=True)
    unit = {"s": "seconds"}.get(contest.unit, contest.unit)
    return {
        "title": contest.title,
        unit: outcome.seconds,
        "figures": outcome.figures,
        "targets": {figure.name: figure.target for figure in contest.figures if figure.target},
        "missed": [figure.name for figure in contest.figures if not figure.reached(outcome.figures[figure.name])],
        "notes": contest.notes,
    }


if __name__ == "__main__":
    main()
