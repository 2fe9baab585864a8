"""What a trial's model does on streams: at the threshold that misses no more than is asked, where it fires."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.classifier.checkpoint import load_model
from sayso.classifier.export import export
from sayso.classifier.module import Classifier
from sayso.classifier.streaming_export import export_streaming
from sayso.recipe.prepared import Prepared
from sayso.runs.folder import RunFolder
from sayso.runtime import Recognizer, Stream
from sayso.runtime.detection_curve import Point
from sayso.runtime.replay import Replay
from sayso.studies.tuning.listeners import Listener
from sayso.studies.tuning.listening import HeardPart, listen
from sayso.studies.tuning.material import Material
from sayso.studies.tuning.scores import score_part
from sayso.studies.tuning.thresholds import draw_curve
from sayso.system.progress import Task

__all__ = ["hear_trial"]

_CHECKED_CLIPS = 8


def hear_trial(
    run: RunFolder,
    prepared: Prepared,
    made: Mapping[str, Material],
    folder: Path,
    *,
    missed: float,
    hours: float,
    task: Task,
) -> dict[str, Any]:
    """Export a trial's model and have it listen to the streams of both parts; they are the same for every trial.

    Args:
        run: the trial's folder.
        prepared: the clips, for the export's proof.
        made: what the streams of `validation` and `test` are made of.
        folder: where it is exported to.
        missed: share of each word that may be missed on the validation streams.
        hours: of streams, in each part.
        task: counts seconds.

    Returns:
        Of the test streams `alarms` (of all words together, by source of background), `hours` (of each source),
        `missed` (share of words), `replayed_hours`, `independent_hours`; and `lost`: the words that no threshold
        lets be missed so seldom, so that the lowest is theirs. JSON can hold it.

    Raises:
        ModelError: the model cannot be exported.
    """
    classifier = load_model(run.weights)
    stream = _open(classifier, np.array(prepared.corpus.samples[prepared.split.test[:_CHECKED_CLIPS]]), folder)
    audio = classifier.audio
    replay = Replay(stream.labels, stream.settings, sample_rate=audio.sample_rate, window_samples=audio.clip_samples)
    parts: dict[str, HeardPart] = {}
    for place, (part, material) in enumerate(made.items()):
        rng = np.random.default_rng([0, place])
        parts[part] = listen([Listener(stream)], replay, material, hours=hours, rng=rng, task=task)
    chosen = {word: _highest(draw_curve(replay, parts["validation"].tracks, word), missed) for word in replay.words}
    thresholds = {word: point.threshold for word, point in chosen.items()}
    test = parts["test"]
    scored = score_part(replay, test, [thresholds], prepared.corpus.clips)
    hours_of: defaultdict[str, float] = defaultdict(float)
    for one in test.streams:
        for place in one.places:
            hours_of[place.name] += (place.end - place.start) / 3600
    return {
        "alarms": {each["source"]: each["alarms"] for each in scored["fired"]},
        "hours": dict(hours_of),
        "missed": scored["misses"]["rate"],
        "replayed_hours": test.replayed_hours,
        "independent_hours": test.independent_hours,
        "lost": [word for word, point in chosen.items() if (point.miss_share or 0.0) > missed],
    }


def _open(classifier: Classifier, clips: NDArray[np.int16], folder: Path) -> Stream:
    """Export a model and open it."""
    onnx = folder / "model.onnx"
    export(classifier, onnx, clips)
    export_streaming(classifier, onnx, clips)
    return Stream(Recognizer(onnx, threads=1))


def _highest(points: list[Point], missed: float) -> Point:
    """The highest threshold at which no more is missed than that; the one that misses least where there is none."""
    kept = [point for point in points if (point.miss_share or 0.0) <= missed]
    return kept[-1] if kept else min(points, key=lambda point: (point.misses, -point.threshold))
