"""One self-contained HTML page a run: what it scored, what it was, and the clips it got wrong, to hear and to see.

The page loads nothing: sounds are FLAC, and pictures PNG or SVG, inside it. It opens from a disk, without a network.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from markupsafe import Markup
from numpy.typing import NDArray

from sayso.metrics.calibration import TRUSTED_CLIPS
from sayso.metrics.scores import name_never_recognised
from sayso.runs.manifest import split_label
from sayso.system.wording import path_ends
from sayso.views.html import chart, write_page
from sayso.views.html.clip_map import MappedClips, describe_map, names_on_map
from sayso.views.html.marks import AnsweredClip, describe_tested
from sayso.views.html.media import picture_uri, sound_uri

__all__ = ["AnsweredClip", "Mistake", "RunReport", "write_report"]

_SPLITS = {
    "official": "The test clips are those the data set's makers set aside (official split).",
    "random": "The test clips were drawn at random, so the same voices may be in training and test: "
    "expect less on people it has never heard.",
    "speakers": "The test clips come from speakers who were not heard in training (split by speaker).",
    "each speaker": "Every clip was answered by a model that never heard its speaker, one training for each; the model "
    "in this run has heard everyone.",
}
_FIGURES = {
    "loss_and_accuracy": "Loss and accuracy by epoch, for the training and the validation part.",
    "confusion_matrix": "Confusion matrix: rows are the true words, columns the predicted ones. "
    "The numbers are in the tables below.",
    "alluvial": "Predicted words on the left flow into true words on the right; wrong flows stand out. "
    "The numbers are in the tables below.",
    "accuracy_by_speaker": "Accuracy of each speaker with its 95 % interval, worst first. "
    "The numbers are in the table below.",
    "reliability": "Reliability diagram: the share of answers that were right against the probability stated, "
    "also before calibration where there was one; on the dotted diagonal both agree. "
    "With few clips the dots stray by luck alone.",
    "risk_coverage": "Risk-coverage curve: the share of wrong answers against the share of clips that are answered, "
    "the surest first.",
    "rejection": "Share of clips of unknown words that are accepted, against the share of clips of known words "
    "that are rejected, for every threshold on the confidence.",
}
_MOST_CONFUSIONS = 12
# Of the manifest, what stands at the top of the page.
_TOLD = ("notes", "advice")


@dataclass(frozen=True, eq=False)
class Mistake:
    """One test clip that was taken for another word, as the model heard it."""

    name: str
    """What the clip is called, unlike any other."""
    label: str
    predicted: str
    probability: float
    """What the model gave the predicted word, 0 to 1."""
    speaker: str | None
    samples: NDArray[np.int16]
    """(samples,)"""
    sample_rate: int
    """In hertz."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RunReport:
    """What stands in the report of a run."""

    title: str
    """The run's name."""
    metrics: Mapping[str, Any]
    """As in `metrics.json`; any value may be None, and `train` and `validation` may be missing."""
    manifest: Mapping[str, Any]
    """As in `manifest.json`; notes and advice stand at the top, the rest is printed as a table, whatever it holds."""
    recipe_yaml: str
    """The resolved recipe."""
    mistakes: Sequence[Mistake] = ()
    """The clips that were taken for another word; shown with the surest first."""
    tested: Sequence[AnsweredClip] = ()
    """Every test clip with its answer, so that clips can be listed by their answers and marked; empty: they cannot."""
    mapped: MappedClips | None = None
    """A map of test clips, named as in `tested`; None: there is none."""
    skipped: Sequence[tuple[str, str]] = ()
    """What files that could not be used are called, and why they could not."""
    clip_licences: Sequence[str] = ()
    """Whose the clips are and under which licences, where that is known."""
    figures: Mapping[str, str] = field(default_factory=dict)
    """Name to SVG, as `sayso.views.plots.style.svg_text` gives it; those of `sayso.views.figures.run` have their
    places, any other stands in a section of its own."""


def write_report(path: Path, report: RunReport) -> None:
    """Write the page, usually `report.html` in the run's folder, atomically; the same report gives the same bytes.

    Raises:
        OutputError: the page cannot be written.
    """
    metrics, manifest = report.metrics, report.manifest
    test = metrics["test"]
    kind = manifest.get("split")
    confusion = test.get("confusion")
    page_clips, places = _page_clips(report, confusion)
    names = path_ends(path for path, _ in report.skipped)
    write_page(
        path,
        "report",
        title=report.title,
        metrics=metrics,
        test=test,
        label=split_label(manifest, test.get("speakers")),
        split=_SPLITS.get(str(kind), f"Split: {kind or 'not recorded'}."),
        notes=list(dict.fromkeys(manifest.get("notes") or [])),
        advice=manifest.get("advice"),
        pictures={name: _figure(name, svg) for name, svg in report.figures.items()},
        other_pictures=[name for name in report.figures if name not in _FIGURES],
        never=name_never_recognised(test.get("per_class") or {}),
        trusted_clips=TRUSTED_CLIPS,
        speakers=sorted((test.get("per_speaker") or {}).items(), key=_worst_first),
        confusions=_confusions(confusion),
        page_clips=page_clips,
        mapped=report.mapped if page_clips else None,
        map_of="what the network makes of it before its last layer",
        mistakes=[
            _shown(mistake, places.get(mistake.name))
            for mistake in sorted(report.mistakes, key=lambda m: (-m.probability, m.name))
        ],
        skipped=[(names[path], reason.removeprefix(f"{path}: ")) for path, reason in report.skipped],
        parts=_parts(report.recipe_yaml),
        recipe=report.recipe_yaml,
        clip_licences=report.clip_licences,
        epochs=manifest.get("epochs"),
        facts=list(_flat({key: value for key, value in manifest.items() if key not in _TOLD})),
        export=manifest.get("export") or {},
    )


def _page_clips(report: RunReport, confusion: Mapping[str, Any] | None) -> tuple[dict[str, Any] | None, dict[str, int]]:
    """Give what the page's script knows of its clips, and their places by name."""
    if not report.tested or not confusion:
        return None, {}
    labels, mapped = confusion["labels"], report.mapped
    facts, places = describe_tested(report.tested, labels, confusion["counts"], also=names_on_map(mapped))
    if mapped:
        told = describe_map(mapped, places, labels, {mistake.name for mistake in report.mistakes})
        facts |= {"map": told, "sounds": told.pop("sounds")}
    return facts, places


def _figure(name: str, svg: str) -> Markup:
    description = _FIGURES.get(name, name.replace("_", " "))
    return chart(name, svg, description)


def _worst_first(item: tuple[str, Mapping[str, Any]]) -> tuple[float, int, str]:
    name, scores = item
    accuracy = scores.get("accuracy")
    return (math.inf if accuracy is None else accuracy, -(scores.get("n") or 0), name)


def _confusions(confusion: Mapping[str, Any] | None) -> list[tuple[str, str, int, float]]:
    """Give the commonest mix-ups: true word, predicted word, clips, share of the true word's clips."""
    if not confusion:
        return []
    labels, rows = confusion["labels"], confusion["counts"]
    wrong = [
        (labels[true], labels[heard], count, count / sum(row))
        for true, row in enumerate(rows)
        for heard, count in enumerate(row)
        if count and true != heard
    ]
    return sorted(wrong, key=lambda pair: (-pair[2], -pair[3]))[:_MOST_CONFUSIONS]


def _shown(mistake: Mistake, place: int | None) -> dict[str, Any]:
    return {
        "place": place,
        "name": mistake.name,
        "label": mistake.label,
        "predicted": mistake.predicted,
        "probability": mistake.probability,
        "speaker": mistake.speaker,
        "sound": sound_uri(mistake.samples, mistake.sample_rate),
        "picture": picture_uri(mistake.samples, mistake.sample_rate),
        "top_hertz": mistake.sample_rate // 2,
        "seconds": len(mistake.samples) / mistake.sample_rate,
    }


def _parts(recipe_yaml: str) -> dict[str, str]:
    """Give the kinds a recipe names, such as features: mel; nothing when it cannot be read."""
    try:
        recipe = yaml.safe_load(recipe_yaml)
    except yaml.YAMLError:
        return {}
    sections = recipe if isinstance(recipe, dict) else {}
    wanted = ("dataset", "features", "model")
    return {
        key: str(sections[key]["kind"])
        for key in wanted
        if isinstance(sections.get(key), dict) and "kind" in sections[key]
    }


def _flat(mapping: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in mapping.items():
        name = f"{prefix}{str(key).replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}: ")
        else:
            # Numbers as they were written, so that a seed stays a seed.
            yield name, f"{value:.4g}" if isinstance(value, float) else _plain(value)


def _plain(value: object) -> str:
    if value is None:
        return "–"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
