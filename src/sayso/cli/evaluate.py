"""`sayso evaluate`."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from sayso.cli.console import Bars, say, say_json, warn
from sayso.cli.options import DatasetSettings
from sayso.cli.results import show_scores
from sayso.system.wording import counted

if TYPE_CHECKING:
    from sayso.experiment.run import Run

__all__ = ["evaluate"]

_NO_TEST = {
    "train": "clips it was trained on",
    "validation": "clips its weights were chosen by",
    "all": "clips it was trained on among them",
}
Part = Literal["test", "validation", "train", "all"]


def evaluate(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    part: Annotated[
        Part | None, typer.Option("--split", help="Which part to score; of the run's clips test, of others all.")
    ] = None,
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="KIND|PATH", help="Other recordings: a dataset's kind, a folder or a manifest."),
    ] = None,
    words: Annotated[
        str | None,
        typer.Option("--map", metavar="LABEL=LABEL,...", help="With --on: what their words are called in the run."),
    ] = None,
    settings: DatasetSettings = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score a run again on its clips, or on other recordings."""
    if on is None and (words or settings):
        raise typer.BadParameter("--map and --set are about other recordings; name them with --on")
    from sayso.experiment.run import Run

    opened = Run.open(run)
    scored = part or "test" if on is None else "test"
    facts, label, notes = (
        _own_clips(opened, scored) if on is None else _others(opened, on, part or "all", words, settings)
    )
    if not opened.finished:
        warn(f"note: {opened.path} has not finished; these are answers of its best weights so far")
    if as_json:
        say_json(facts)
        return
    show_scores(facts[scored], label)
    for note in notes:
        say(f"note: {note}")


def _own_clips(run: "Run", part: Part) -> tuple[dict[str, Any], str, tuple[str, ...]]:
    from sayso.runs.manifest import split_label

    scores, manifest = run.evaluate(part, progress=Bars()), run.manifest()
    facts = {key: manifest[key] for key in ("split", "speakers_shared") if key in manifest}
    # Of the other parts the model has seen clips or was chosen by them, whoever speaks there.
    label = split_label(manifest, scores.get("speakers")) if part == "test" else _NO_TEST[part]
    if part == "validation" and not _chose_its_weights(run):
        label = "clips that its probabilities were fitted on"
    return {part: scores} | facts, label, ()


def _chose_its_weights(run: "Run") -> bool:
    from sayso.data.splits.split import LEAST_TO_CHOOSE

    clips = run.manifest().get("clips", {}).get("validation", LEAST_TO_CHOOSE)
    return run.settings.training.keep == "best" and clips >= LEAST_TO_CHOOSE


def _others(
    run: "Run", source: str, part: Part, words: str | None, settings: list[str] | None
) -> tuple[dict[str, Any], str, tuple[str, ...]]:
    from sayso.data.datasets import find_dataset

    dataset = find_dataset(source, settings or ())
    found = run.evaluate_on(dataset, part=part, words=_pairs(words), progress=Bars())
    facts = {
        "test": found.scores,
        "on": dataset.kind,
        "speakers_shared": found.speakers_shared,
        "notes": list(found.notes),
    }
    copied = f", but for {counted(found.copies, 'clip')}" if found.copies else ""
    label = f"other recordings than it was trained from{copied}"
    return facts, label if found.compared else "nobody can tell whether it was trained from any of them", found.notes


def _pairs(text: str | None) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in (text or "").split(",") if pair.strip()]
    if bad := [left for left, equals, right in pairs if not (left.strip() and equals and right.strip())]:
        raise typer.BadParameter(f"'{bad[0].strip()}' is no LABEL=LABEL; write --map theirs=ours,theirs=ours")
    named = Counter(left.strip() for left, _, _ in pairs)
    if again := [left for left, times in named.items() if times > 1]:
        raise typer.BadParameter(f"--map says {named[again[0]]} times what '{again[0]}' is called; leave one")
    return {left.strip(): right.strip() for left, _, right in pairs}
