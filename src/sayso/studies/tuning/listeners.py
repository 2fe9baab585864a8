"""Who listens to the streams: the model that is shipped, or for each speaker one that never heard that speaker."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from sayso.classifier.checkpoint import load_model
from sayso.classifier.export import export
from sayso.classifier.streaming_export import export_streaming
from sayso.data.splits.settings import EACH_SPEAKER
from sayso.errors import RunError
from sayso.experiment.each_speaker import answer_for_each_speaker
from sayso.experiment.run import Run
from sayso.recipe.prepared import Prepared
from sayso.runtime import Recognizer, Stream
from sayso.studies.tuning.material import Material
from sayso.system.wording import counted

__all__ = ["Listener", "check_listeners", "open_listeners", "tell_listeners"]

_CHECKED_CLIPS = 8


@dataclass(frozen=True, eq=False)
class Listener:
    """A model that listens."""

    stream: Stream
    unheard: str | None = None
    """The speaker whom it never heard, and whose words alone it is asked about; None: it is asked about all."""

    def hears(self, material: Material) -> Material:
        """The material with the words that it is asked about."""
        if self.unheard is None:
            return material
        clips = material.corpus.clips
        return replace(material, rows=material.rows[[clips[row].speaker == self.unheard for row in material.rows]])


@contextmanager
def open_listeners(run: Run, prepared: Prepared) -> Generator[tuple[Listener, ...]]:
    """Open the exported model, or, where it has heard everyone, the models that left one speaker out, exported alike.

    Raises:
        ModelError: one of them is damaged.
    """
    if prepared.split.kind != EACH_SPEAKER:
        yield (Listener(Stream(Recognizer(run.onnx, threads=1))),)
        return
    with TemporaryDirectory(prefix="sayso-") as folder:
        yield tuple(_open_folds(run, prepared, Path(folder)))


def check_listeners(run: Run, prepared: Prepared) -> None:
    """Check that a run whose model has heard everyone has the models that left one speaker out.

    Raises:
        RunError: it does not.
    """
    if prepared.split.kind != EACH_SPEAKER:
        return
    names = prepared.test_speakers
    lacking = [name for place, name in enumerate(names) if not run.fold(place).weights.is_file()]
    if lacking:
        raise RunError(
            f"{run.path}: its model has heard every speaker (split.by: each_speaker), and of the models that left one "
            f"out, which choose thresholds in its place, {len(lacking)} of {len(names)} are gone from "
            f"{run.path}/folds; train it anew, or with --set split.by=speakers"
        )


def _open_folds(run: Run, prepared: Prepared, folder: Path) -> list[Listener]:
    """Export the models that left one speaker out, calibrated as they answer for the score, and open them."""
    corpus = prepared.corpus
    temperatures = answer_for_each_speaker(prepared, run).temperatures
    settings = Stream(Recognizer(run.onnx, threads=1)).settings
    stream_like = run.stream_onnx if run.stream_onnx.is_file() else None
    opened: list[Listener] = []
    names = prepared.test_speakers
    with prepared.progress.task("exporting the models without a speaker", total=len(names), unit="speakers") as task:
        for place, name in enumerate(names):
            own = folder / str(place)
            own.mkdir()
            classifier = load_model(run.fold(place).weights)
            classifier.temperature = temperatures[name]
            rows = prepared.without_speaker(name).split.test[:_CHECKED_CLIPS]
            clips = np.array(corpus.samples[rows])
            export(classifier, own / "model.onnx", clips, like=run.onnx)
            export_streaming(classifier, own / "model.onnx", clips, like=stream_like)
            opened.append(Listener(Stream(Recognizer(own / "model.onnx", threads=1), settings=settings), name))
            task.advance()
    return opened


def tell_listeners(listeners: tuple[Listener, ...]) -> str | None:
    """Say who listened in place of a model that has heard everyone; None where the model itself did."""
    if listeners[0].unheard is None:
        return None
    return (
        f"the model has heard all {counted(len(listeners), 'speaker')}: each one's words were listened to by the model "
        "that left that speaker out, with thresholds that the others' words chose; the model's own thresholds come "
        "from all of them"
    )
