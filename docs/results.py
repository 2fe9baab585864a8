"""Write results.md from measured.json and published.yaml: `python docs/results.py [RUN_OR_FOLDER_OF_RUNS...]`.

Runs that are named go into measured.json first, as do figures of `make bench` (`--bench FILE`) and a finished
comparison (`--comparison FOLDER`). With `--check` nothing is written, and the page or a figure that is stale is an
error.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from by_speaker import compared_recipes, comparison_rows, stale_recipes
from measured import compared, current_hash, facts_of, find_runs, merged, recipe_paths, shipped
from result_rows import compared_line, contest_lines, lines_of, names_of

from sayso.config.overrides import load_yaml
from sayso.errors import RunError, SaysoError
from sayso.system.files import write_text

HERE = Path(__file__).parent
Facts = dict[str, Any]


def main() -> int:
    """Merge, render, write or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="*", type=Path, help="finished runs, or folders of them")
    parser.add_argument("--bench", type=Path, help="the figures that make bench wrote, such as build/bench.json")
    parser.add_argument("--comparison", type=Path, help="the folder that `sayso compare` of `by_speaker` wrote")
    parser.add_argument("--check", action="store_true", help="write nothing, fail when something is stale")
    options = parser.parse_args()
    published: Facts = load_yaml((HERE / "published.yaml").read_text(encoding="utf-8"))
    measured: Facts = json.loads((HERE / "measured.json").read_text(encoding="utf-8"))
    try:
        if options.runs:
            add_runs(measured, published, find_runs(options.runs))
        if options.bench:
            add_bench(measured, options.bench)
        if options.comparison:
            measured["by_speaker"] = compared_recipes(options.comparison, published["by_speaker"]["recipes"])
    except SaysoError as error:
        print(f"results: {error}", file=sys.stderr)
        return 2
    stale = forget_stale(measured)
    pages = {"measured.json": as_json(measured), "results.md": render(published, measured)}
    return check(pages, stale) if options.check else write(pages, stale)


def add_runs(measured: Facts, published: Facts, runs: Sequence[Any]) -> None:
    """Put the facts of runs, and the comparisons they allow, into `measured`; a run that cannot serve is named."""
    recipes = shipped()
    told: list[tuple[Any, Facts]] = []
    for run in runs:
        try:
            told.append((run, facts_of(run, recipes)))
        except RunError as why:
            print(f"left out: {why}")
    measured["runs"] = merged(measured["runs"], [facts for _, facts in told])
    new = compared(published["comparisons"], told)
    known = {key_of(entry): entry for entry in measured["comparisons"]}
    for entry in new:
        before = known.get(key_of(entry))
        # Some of the runs alone are not to take the place of all.
        if before is None or len(entry["seeds"]) >= len(before["seeds"]):
            known[key_of(entry)] = entry
    measured["comparisons"] = [known[key] for key in sorted(known)]
    print(f"{len(told)} runs and {len(new)} comparisons read")


def add_bench(measured: Facts, path: Path) -> None:
    """Put what `make bench` wrote into `measured`; contests that were not held leave the old figures."""
    try:
        contests: Facts = json.loads(path.read_text(encoding="utf-8"))["contests"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path}: holds no figures of make bench") from error
    measured["bench"] |= {name: held for name, held in contests.items() if "skipped" not in held}


def key_of(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """What makes a comparison the same as another."""
    return (*entry["recipes"], json.dumps(entry["settings"], sort_keys=True))


def forget_stale(measured: Facts) -> list[str]:
    """Take out figures of recipes that are no longer what was measured, and say which."""
    names = {facts["recipe"] for facts in measured["runs"]}
    now = {name: current_hash(path) for name, path in recipe_paths().items() if name in names}
    kept = [facts for facts in measured["runs"] if facts["recipe_hash"] == now.get(facts["recipe"])]
    stale = sorted(names - {facts["recipe"] for facts in kept})
    measured["runs"] = kept
    measured["comparisons"] = [entry for entry in measured["comparisons"] if not set(entry["recipes"]) & set(stale)]
    if changed := stale_recipes(measured["by_speaker"]):
        measured["by_speaker"] = {}
    return sorted({*stale, *changed})


def render(published: Facts, measured: Facts) -> str:
    """The page."""
    listed = {name for section in published["sections"] for row in section["rows"] for name in names_of(row).values()}
    if missing := sorted({facts["recipe"] for facts in measured["runs"]} - listed):
        raise SystemExit(f"docs/published.yaml has no row for {', '.join(missing)}")
    sections = [
        section | {"rows": [line for row in section["rows"] for line in lines_of(row, measured["runs"])]}
        for section in published["sections"]
    ]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["number"] = "{:,}".format
    template = environment.get_template("results.md.j2")
    comparisons = [compared_line(entry) for entry in measured["comparisons"]]
    contests = [contest_lines(held) for _, held in sorted(measured["bench"].items())]
    by_speaker = published["by_speaker"] | {"rows": comparison_rows(measured["by_speaker"]), **measured["by_speaker"]}
    page = template.render(sections=sections, comparisons=comparisons, contests=contests, by_speaker=by_speaker)
    return page.rstrip() + "\n"


def as_json(measured: Mapping[str, Any]) -> str:
    """One line a run, so that a change is seen in a review."""
    lists = ",\n".join(
        f' "{key}": [' + ",".join(f"\n  {json.dumps(entry, ensure_ascii=False)}" for entry in measured[key]) + "\n ]"
        for key in ("runs", "comparisons")
    )
    contests = ",\n".join(f'  "{name}": {json.dumps(held)}' for name, held in sorted(measured["bench"].items()))
    by_speaker = json.dumps(measured["by_speaker"], ensure_ascii=False)
    return f'{{\n{lists},\n "by_speaker": {by_speaker},\n "bench": {{\n{contests}\n }}\n}}\n'


def write(pages: Mapping[str, str], stale: Sequence[str]) -> int:
    """Write the pages, and name what was dropped."""
    if stale:
        print(f"dropped, as their recipes have changed since: {', '.join(stale)}")
    for name, text in pages.items():
        write_text(HERE / name, text)
    return 0


def check(pages: Mapping[str, str], stale: Sequence[str]) -> int:
    """Compare the pages with the files."""
    if stale:
        print(f"docs/measured.json: changed since they were measured: {', '.join(stale)}; train again, `make results`")
        return 1
    if differing := [name for name, text in pages.items() if (HERE / name).read_text(encoding="utf-8") != text]:
        print(f"stale: {', '.join(f'docs/{name}' for name in differing)}; run `make results` and commit")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
