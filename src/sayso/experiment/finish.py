"""What a training leaves in its run folder: scores, predictions, the exported model, report and pictures."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sayso.classifier.checkpoint import save_model
from sayso.classifier.export import Agreement, export
from sayso.classifier.inference import predict_probabilities
from sayso.data.corpus import Corpus
from sayso.data.splits.draw import Split
from sayso.evaluation.calibration import calibrate
from sayso.evaluation.model_scores import score_model
from sayso.recipe.recipe import Recipe, recipe_yaml
from sayso.runs.folder import RunFolder
from sayso.runs.predictions import write_predictions
from sayso.system.files import write_json, write_text
from sayso.system.progress import Progress
from sayso.views.figures.run import draw_report_figures
from sayso.views.plots.style import svg_text
from sayso.views.run_report import Mistake, write_report

if TYPE_CHECKING:
    from sayso.training import Fitted

__all__ = ["Stopwatch", "write_outcome"]

_EXPORT_CLIPS = 256
# A second of sound and its picture take 31 kB of the page.
_MOST_MISTAKES = 500


class Stopwatch:
    """Seconds since it was made: by the clock, and of processor time of all threads of this process."""

    def __init__(self) -> None:
        self._clock, self._processor = time.perf_counter(), time.process_time()

    @property
    def seconds(self) -> float:
        """By the clock."""
        return time.perf_counter() - self._clock

    @property
    def cpu_seconds(self) -> float:
        """Of processor time; other programs' work does not count."""
        return time.process_time() - self._processor


def write_outcome(
    run: RunFolder,
    recipe: Recipe,
    corpus: Corpus,
    split: Split,
    unheard: Corpus | None,
    fitted: "Fitted",
    begun: dict[str, Any],
    watch: Stopwatch,
    progress: Progress,
    *,
    extras: bool,
) -> None:
    """Calibrate, score, export and report what was trained, and say last of all that the run is finished.

    Args:
        run: its folder.
        recipe: what it was trained by.
        corpus: its clips.
        split: their parts.
        unheard: clips of words never learned, or None.
        fitted: what the training gave.
        begun: the manifest as the run began with it.
        watch: started when the training was.
        progress: where to report.
        extras: leave pictures, report and exported model too.
    """
    with progress.task("scoring, exporting, reporting" if extras else "scoring", total=3) as task:
        calibrate(fitted.classifier, corpus, split.validation)
        save_model(run.weights, fitted.classifier)
        probabilities = predict_probabilities(fitted.classifier, corpus, split.test)
        metrics = score_model(fitted.classifier, corpus, split, unheard, probabilities) | {
            "best_epoch": fitted.best_epoch,
            "epochs": fitted.epochs,
            "training_seconds": round(fitted.seconds, 2),
        }
        write_predictions(run.predictions, corpus, split.test, probabilities, corpus.labels)
        task.advance()
        agreement = export(fitted.classifier, run.onnx, _spread(corpus, split.test)) if extras else None
        task.advance()
        manifest = begun | _ended(fitted, agreement, watch)
        write_json(run.path / "metrics.json", metrics)
        if extras:
            _report(run, recipe, corpus, split, probabilities, metrics, manifest, fitted)
        task.advance()
    write_json(run.path / "manifest.json", manifest)
    run.resume.unlink(missing_ok=True)


def _ended(fitted: "Fitted", agreement: Agreement | None, watch: Stopwatch) -> dict[str, Any]:
    return {
        "finished": True,
        "epochs": fitted.epochs,
        "best_epoch": fitted.best_epoch,
        "training_seconds": round(fitted.seconds, 2),
        "duration_seconds": round(watch.seconds, 2),
        "cpu_seconds": round(watch.cpu_seconds, 2),
        "export": asdict(agreement) if agreement else None,
    }


def _spread(corpus: Corpus, rows: NDArray[np.int64]) -> NDArray[np.int16]:
    """Real clips for the export to be measured on, evenly over the rows and so over the words."""
    chosen = rows[np.linspace(0, len(rows) - 1, min(_EXPORT_CLIPS, len(rows))).astype(np.int64)]
    return np.array(corpus.samples[chosen])


def _report(
    run: RunFolder,
    recipe: Recipe,
    corpus: Corpus,
    split: Split,
    probabilities: NDArray[np.float64],
    metrics: Mapping[str, Any],
    manifest: Mapping[str, Any],
    fitted: "Fitted",
) -> None:
    log = [asdict(row) for row in fitted.log]
    figures = draw_report_figures(metrics, log)
    drawn = {name: svg_text(figure) for name, figure in figures.items()}
    for name, svg in drawn.items():
        write_text(run.figures / f"{name}.svg", svg)
    write_report(
        run.report,
        title=run.path.name,
        metrics=metrics,
        manifest=manifest,
        recipe_yaml=recipe_yaml(recipe),
        log=log,
        mistakes=_mistakes(corpus, split, probabilities),
        notes=manifest["notes"],
        skipped=corpus.skipped,
        figures=drawn,
    )


def _mistakes(corpus: Corpus, split: Split, probabilities: NDArray[np.float64]) -> list[Mistake]:
    """The surest of the clips that were taken for another word."""
    predicted, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != corpus.targets[split.test])
    surest = wrong[np.argsort(-sure[wrong], kind="stable")][:_MOST_MISTAKES]
    return [_mistake(corpus, int(split.test[place]), probabilities[place]) for place in surest]


def _mistake(corpus: Corpus, row: int, shares: NDArray[np.float64]) -> Mistake:
    clip = corpus.clips[row]
    return Mistake(
        name=clip.path,
        label=clip.label,
        predicted=corpus.labels[int(shares.argmax())],
        probability=float(shares.max()),
        speaker=clip.speaker,
        samples=np.array(corpus.samples[row]),
        sample_rate=corpus.audio.sample_rate,
    )
