"""A run, or two beside one another: how training went, and which clips were taken for what."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.runs.folder import RunFolder
from sayso.runs.log import read_log
from sayso.runs.manifest import split_label
from sayso.system.wording import path_tail
from sayso.views.figures import Pictures
from sayso.views.plots.confidence import draw_false_accepts, draw_reliability_diagram, draw_risk_coverage_curve
from sayso.views.plots.confusion import draw_confusion_matrix, make_confusion_drawing
from sayso.views.plots.curves import draw_learning_rate, draw_loss_and_accuracy, make_loss_and_accuracy_drawing
from sayso.views.plots.flow import draw_alluvial, make_alluvial_drawing
from sayso.views.plots.layout import draw_side_by_side
from sayso.views.plots.speakers import compare_speakers, draw_accuracy_by_speaker
from sayso.views.plots.style import Figure

__all__ = ["draw_report_figures", "draw_run", "read_confusion", "read_log_rows"]

Log = Sequence[Mapping[str, Any]]


def draw_run(path: Path, other: Path | None = None) -> Pictures:
    """Draw a finished run, or two side by side.

    Raises:
        RunError: there is no run, or it has not finished.
    """
    runs = [RunFolder.open(one) for one in (path, other) if one is not None]
    metrics = [run.metrics() for run in runs]
    names = _names([run.path for run in runs])
    logs = [read_log_rows(run) for run in runs]
    figures: dict[str, Figure] = {"learning_rate": draw_learning_rate(dict(zip(names, logs, strict=True)))}
    if other is None:
        counts, labels = read_confusion(metrics[0])
        one = draw_report_figures(metrics[0], runs[0].manifest(), logs[0])
        return one | figures | {"confusion_shares": draw_confusion_matrix(counts, labels, shares=True)}
    return figures | _two(runs, metrics, logs, names)


def draw_report_figures(metrics: Mapping[str, Any], manifest: Mapping[str, Any], log: Log) -> dict[str, Figure]:
    """Draw the figures of one run that stand in its report."""
    counts, labels = read_confusion(metrics)
    figures = {
        "loss_and_accuracy": draw_loss_and_accuracy(log, best_epoch=manifest["best_epoch"]),
        "confusion_matrix": draw_confusion_matrix(counts, labels),
        "alluvial": draw_alluvial(counts, labels),
    }
    test = metrics["test"]
    if len(test["per_speaker"]) > 1:
        label = split_label(manifest, test.get("speakers"))
        figures["accuracy_by_speaker"] = draw_accuracy_by_speaker(test["per_speaker"], label=label)
    return figures | _confidence_figures(metrics)


def _confidence_figures(metrics: Mapping[str, Any]) -> dict[str, Figure]:
    """Draw what confidence is worth, as far as the run measured it: older ones did not."""
    test, figures = metrics["test"], dict[str, Figure]()
    if test.get("reliability"):
        calibration = metrics.get("calibration") or {}
        before = calibration.get("test_reliability_before") or () if calibration.get("fitted_on") else ()
        figures["reliability"] = draw_reliability_diagram(test["reliability"], before=before)
    if test.get("risk_coverage"):
        figures["risk_coverage"] = draw_risk_coverage_curve(test["risk_coverage"])
    if (metrics.get("rejection") or {}).get("curve"):
        figures["rejection"] = draw_false_accepts(metrics["rejection"])
    return figures


def read_confusion(metrics: Mapping[str, Any]) -> tuple[NDArray[np.int64], list[str]]:
    """Read the counts (rows true, columns predicted) of the test part, and the words."""
    confusion = metrics["test"]["confusion"]
    return np.array(confusion["counts"], dtype=np.int64), confusion["labels"]


def read_log_rows(run: RunFolder) -> list[dict[str, Any]]:
    """Read the rows of a run's `log.csv`."""
    return [asdict(row) for row in read_log(run.log)]


def _two(
    runs: Sequence[RunFolder], metrics: Sequence[Mapping[str, Any]], logs: Sequence[Log], names: Sequence[str]
) -> dict[str, Figure]:
    tables = [read_confusion(one) for one in metrics]
    best = [run.manifest().get("best_epoch") for run in runs]
    curves = [make_loss_and_accuracy_drawing(log, best_epoch=epoch) for log, epoch in zip(logs, best, strict=True)]
    figures = {
        "loss_and_accuracy": draw_side_by_side(curves, names, same_scale=True),
        "confusion_matrix": draw_side_by_side([make_confusion_drawing(*table) for table in tables], names),
        "confusion_shares": draw_side_by_side([make_confusion_drawing(*table, shares=True) for table in tables], names),
        "alluvial": draw_side_by_side([make_alluvial_drawing(*table) for table in tables], names),
    }
    speakers = {name: one["test"]["per_speaker"] for name, one in zip(names, metrics, strict=True)}
    if set.intersection(*(set(per_speaker) for per_speaker in speakers.values())):
        figures["accuracy_by_speaker"] = compare_speakers(
            speakers, label=" | ".join(dict.fromkeys(filter(None, (run.split_label() for run in runs))))
        )
    return figures


def _names(paths: Sequence[Path]) -> list[str]:
    """Name folders: with their parents where the names are the same, and numbered where those are too."""
    whole = [path.resolve() for path in paths]
    names = [path.name for path in whole]
    if len(set(names)) < len(names):
        names = [path_tail(str(path)) for path in whole]
    return names if len(set(names)) == len(names) else [f"{index + 1}: {name}" for index, name in enumerate(names)]
