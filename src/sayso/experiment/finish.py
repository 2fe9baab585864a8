"""What a training leaves in its run folder: scores, predictions, the exported model, report and pictures."""

import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sayso.classifier.checkpoint import save_model
from sayso.classifier.export import Agreement, export
from sayso.classifier.inference import predict_probabilities, represent
from sayso.classifier.kept_features import KeptFeatures
from sayso.classifier.streaming_export import export_streaming
from sayso.config.schema import dump
from sayso.data.corpus import Corpus, Rows
from sayso.evaluation.advice import advise
from sayso.evaluation.calibration import calibrate
from sayso.evaluation.model_scores import score_model
from sayso.evaluation.out_of_fold import OutOfFold
from sayso.evaluation.rejection import set_threshold
from sayso.recipe.prepared import Prepared
from sayso.runs.folder import RunFolder
from sayso.runs.manifest import Advice, Manifest, StartedManifest, write_manifest
from sayso.runs.metrics import Metrics, write_metrics
from sayso.runs.model_card import make_card, write_card
from sayso.runs.predictions import Predictions, write_predictions

if TYPE_CHECKING:
    from sayso.training import Fitted

__all__ = ["Begun", "finish_run", "load_ahead"]

_EXPORT_CLIPS = 256
# Where the graph is one that was compared before.
_EXPORT_CLIPS_AGAIN = 32


@dataclass(frozen=True)
class Begun:
    """A run that has begun: its manifest so far, and the clocks since then."""

    manifest: StartedManifest
    clock: float = field(default_factory=time.perf_counter)
    """In seconds."""
    processor: float = field(default_factory=time.process_time)
    """Processor time of all threads of this process, in seconds; other programs' work does not count."""

    def since(self, other: "Begun") -> "Begun":
        """The same with the clocks of another one, which began before."""
        return replace(self, clock=other.clock, processor=other.processor)

    def ended(self, fitted: "Fitted", agreement: Agreement | None, *, streams: bool) -> Manifest:
        """Give the manifest of the run as it has ended now; `streams`: the model has a form for them."""
        return {
            **self.manifest,
            "finished": True,
            "epochs": fitted.epochs,
            "best_epoch": fitted.best_epoch,
            "training_seconds": round(fitted.seconds, 2),
            "duration_seconds": round(time.perf_counter() - self.clock, 2),
            "cpu_seconds": round(time.process_time() - self.processor, 2),
            "export": asdict(agreement) | {"stream": streams} if agreement else None,
        }


def load_ahead() -> None:
    """Begin to load what draws pictures, beside what this thread does before it needs that, at the very end."""

    def load() -> None:
        with suppress(Exception):  # whoever needs it is told then
            import_module("matplotlib.figure")

    threading.Thread(target=load, daemon=True).start()


def finish_run(
    run: RunFolder,
    prepared: Prepared,
    fitted: "Fitted",
    begun: Begun,
    *,
    answers: OutOfFold | None = None,
    kept: KeptFeatures | None = None,
    start: RunFolder | None = None,
    extras: bool,
) -> None:
    """Calibrate, score, export and report what was trained, and say last of all that the run is finished.

    Args:
        run: its folder.
        prepared: its recipe and clips.
        fitted: what the training gave.
        begun: the run as it began.
        answers: to the test part, by models that never heard its speakers; None: this model answers it.
        kept: features of clips that the training drew from; what is lacking is computed and all of it is kept with the
            run. None: nothing of that kind is kept.
        start: the run that this one began with, whose exported graph serves again; None: it began with nothing.
        extras: leave pictures, report and exported model too.
    """
    corpus, test = prepared.corpus, prepared.split.test
    classifier = fitted.classifier
    title = "scoring, exporting, reporting" if extras else "scoring"
    with prepared.progress.task(title, total=3) as task:
        if kept is not None:
            classifier.kept = kept.as_they_are
            classifier.kept = represent(classifier, corpus)
        if answers is None:
            calibrate(classifier, corpus, prepared.split.validation)
            set_threshold(classifier, corpus, prepared.split.validation)
            probabilities = predict_probabilities(classifier, corpus, test)
        else:
            classifier.temperature, classifier.threshold = answers.temperature, answers.threshold
            probabilities = answers.probabilities
        save_model(run.weights, classifier)
        predictions = Predictions.of_rows(corpus, test, probabilities, corpus.labels)
        metrics = score_model(classifier, prepared, predictions.probabilities, answers)
        write_predictions(run.predictions_file, predictions)
        task.advance()
        if kept is not None and classifier.kept is not None and extras:
            KeptFeatures(classifier.kept, kept.copies).save(run.kept_features)
        like = start.onnx if start and start.onnx.is_file() else None
        compared = _spread(corpus, test, most=_EXPORT_CLIPS_AGAIN if like else _EXPORT_CLIPS)
        card = make_card(dump(prepared.recipe), begun.manifest, metrics) if extras else ""
        agreement = export(classifier, run.onnx, compared, like=like, card=card) if extras else None
        if extras:
            stream_like = start.stream_onnx if start and start.stream_onnx.is_file() else None
            export_streaming(classifier, run.onnx, compared, like=stream_like)
        task.advance()
        manifest = begun.ended(fitted, agreement, streams=run.stream_onnx.is_file())
        if extras and (advice := _advice(prepared, metrics, manifest)):
            manifest["advice"] = advice
        write_metrics(run.metrics_file, metrics)
        if extras:
            write_card(run, card)
            # Imported here: see `load_ahead`.
            from sayso.experiment import reporting

            # A map takes a fifth of an adaptation's time, and its test clips are on the map of the run before.
            mapped = None if start else reporting.map_clips_tested(prepared, fitted, learned=answers is not None)
            reporting.write_pictures_and_report(run, prepared, fitted, predictions, metrics, manifest, mapped)
        task.advance()
    write_manifest(run.manifest_file, manifest)
    run.resume.unlink(missing_ok=True)
    run.forget_rounds()
    for fold in run.folds:
        fold.resume.unlink(missing_ok=True)
        fold.log.unlink(missing_ok=True)


def _advice(prepared: Prepared, metrics: Metrics, manifest: Manifest) -> Advice | None:
    """What would help most; None: the clips are a published set's, which nobody adds recordings to."""
    dataset = prepared.recipe.dataset
    if dataset.is_made:
        return advise([], metrics["test"])
    if not Path(dataset.known_as).exists():
        return None
    recorded = [clip for clip in prepared.corpus.clips if clip.source == 0]
    strangers = not manifest.get("speakers_shared")
    return advise(recorded, metrics["test"], quick_look=prepared.quick_look, tests_strangers=strangers)


def _spread(corpus: Corpus, rows: Rows, *, most: int) -> NDArray[np.int16]:
    """Real clips for the export to be measured on, evenly over the rows and so over the words."""
    chosen = rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(np.int64)]
    return np.array(corpus.samples[chosen])
