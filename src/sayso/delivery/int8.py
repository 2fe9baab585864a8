"""A run's model as int8: quantised by training clips, judged by validation clips, refused where it costs too much."""

import json
import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.audio import to_float
from sayso.data.corpus import Corpus, Rows
from sayso.data.splits import Split
from sayso.delivery.int8_measures import Lost, Speed, measure_lost, measure_speed, right_answers
from sayso.delivery.int8_stream import stream_as_int8
from sayso.delivery.licences import write_licences
from sayso.delivery.model_bytes import read_metadata, with_metadata
from sayso.delivery.quantisation import SCHEME, quantise, quantised_share, weight_bytes
from sayso.delivery.shared import MODEL_CARD, SharedModel, shared_model
from sayso.errors import DataError, ModelError
from sayso.runs.folder import RunFolder
from sayso.runs.model_card import read_run_card
from sayso.runtime.model_file import find_model_file
from sayso.runtime.stream_file import STREAM_FILE
from sayso.system.files import atomic_folder, file_digest, refuse_filled
from sayso.system.progress import Progress, Task
from sayso.system.wording import counted, percent
from sayso.web import licence_files

__all__ = ["CALIBRATION_CLIPS", "Int8Clips", "Int8Export", "check_int8", "draw_evenly", "export_int8"]

CALIBRATION_CLIPS = 300
"""Training clips by which ranges are measured, in turn one of each word."""
_POINTS_LOST = 0.5
_SEED = 0
_FEED = 20
# Below, the file would hardly be smaller.
_LEAST_SHARE = 0.5
# What timing cannot tell apart.
_MOST_SLOWER = 0.02
_LICENCE = "Apache-2.0.txt"
_PART = f"Sayso, which wrote the model file: Apache License 2.0, {_LICENCE}."


@dataclass(frozen=True, eq=False)
class Int8Clips:
    """The clips of a run: what ranges are measured by, and what int8 is judged by."""

    corpus: Corpus
    split: Split
    folds: Mapping[Path, Split] = field(default_factory=dict[Path, Split])
    """Where each speaker was left out in turn and no clip validates: exported models, and the clips that train and test
    each. Int8 is then judged by them, each quantised without the speaker that it is judged by."""


@dataclass(frozen=True)
class Int8Export:
    """What was written."""

    folder: Path
    facts: Mapping[str, Any]
    """What was measured, as it stands in the file's metadata under `int8`."""
    notes: tuple[str, ...]
    """What a person should know of it."""
    streams: bool
    """Whether the form for streams is there, too."""


def check_int8(model: Path, folder: Path) -> RunFolder:
    """Give the run whose model is to become int8, before any clip is touched.

    Args:
        model: a run's folder, or the `model.onnx` in it.
        folder: where to write.

    Raises:
        ModelError: the file is missing, is int8 already, is not in its run's folder, or has too little to quantise.
        OutputError: the folder is there already.
    """
    run = RunFolder(model if model.is_dir() else model.parent)
    path = find_model_file(model)
    try:
        metadata = read_metadata(path.read_bytes())
    except ValueError as error:
        raise ModelError(f"{path}: damaged ({error}); export it again") from error
    if "int8" in metadata:
        raise ModelError(f"{path}: is int8 already; name the run that it was made from")
    if path != run.onnx or not run.manifest_file.is_file():
        raise ModelError(f"{path}: int8 is calibrated by the clips that trained it, so name the folder of its run")
    if (share := quantised_share(path.read_bytes())) < _LEAST_SHARE:
        raise ModelError(
            f"{path}: int8 would gain nothing, as {percent(share)} of its networks' numbers are in layers that it can "
            "hold (convolutions and dense layers)"
        )
    refuse_filled(folder)
    return run


def export_int8(
    run: RunFolder,
    folder: Path,
    clips: Int8Clips,
    *,
    points_lost: float | None = None,
    slower: bool = False,
    names: bool = False,
    progress: Progress | None = None,
) -> Int8Export:
    """Write a run's model as int8, with its card and licences, and its form for streams where that works.

    Args:
        run: as `check_int8` gives it.
        folder: where to; new, or empty.
        clips: of the run.
        points_lost: how many points of accuracy it may lose on the clips that judge it; None: half a point.
        slower: write it, too, where it is slower than the float model on this processor.
        names: keep people's names, paths and folders in card and recipe.
        progress: where to report.

    Raises:
        DataError: there are no clips to calibrate or to judge by.
        ModelError: it loses more, or is slower; nothing is left then.
        OutputError: the folder is there already, or cannot be written.
    """
    refuse_filled(folder)
    points_lost = _POINTS_LOST if points_lost is None else points_lost
    shared, drawn = shared_model(run.path, run.onnx, names=names), draw_evenly(clips.corpus, clips.split.train)
    if not len(drawn):
        raise DataError(f"{run.path}: its training part has no clips to calibrate by; bring them back, or train again")
    with (
        tempfile.TemporaryDirectory(prefix="sayso-int8-") as name,
        atomic_folder(folder) as new,
        (progress or Progress()).task("calibrating, judging", total=3 + len(clips.folds), unit="steps") as task,
    ):
        in_float, model = Path(name) / "float.onnx", new / run.onnx.name
        in_float.write_bytes(shared.content)
        model.write_bytes(_quantised(shared.content, clips.corpus, drawn))
        task.advance()
        judged = _judge(run, in_float, model, clips, task)
        _refuse_lost(run, judged, points_lost)
        speed = measure_speed(in_float, model, clips.corpus.samples[drawn[0]])
        if not slower:
            _refuse_slower(run, speed)
        facts = _scheme(run, clips.corpus, drawn) | _sizes(in_float, model) | {"speed": speed.facts}
        facts |= {"judged_by": (by := "left_out" if clips.folds else "validation"), by: judged.facts}
        if not clips.folds and len(clips.split.test):
            facts["test"] = _compare(in_float, model, clips.corpus, clips.split.test).facts
        task.advance()
        _write(run, model, shared, facts, names=names)
        checked = clips.split.train if clips.folds else clips.split.validation
        note = stream_as_int8(run.stream_onnx, model, clips.corpus, drawn, checked, points_lost)
        task.advance()
        streams = model.with_name(STREAM_FILE).is_file()
    return Int8Export(folder, facts, tuple(text for text in (_of_width(judged, points_lost), note) if text), streams)


def draw_evenly(corpus: Corpus, rows: Rows, *, clips: int = CALIBRATION_CLIPS) -> Rows:
    """Draw clips to calibrate by: in turn one of each word, in an order of chance that is always the same.

    Args:
        corpus: the clips.
        rows: of those that may be drawn.
        clips: how many, or as many as there are.
    """
    shuffled = np.random.default_rng(_SEED).permutation(rows)
    by_word: dict[str, list[int]] = {}
    for row in shuffled.tolist():
        by_word.setdefault(corpus.clips[row].label, []).append(row)
    turns = zip_longest(*(by_word[word] for word in sorted(by_word)))
    drawn = [row for turn in turns for row in turn if row is not None]
    return np.array(drawn[:clips], dtype=np.int64)


def _quantised(model: bytes, corpus: Corpus, rows: Rows) -> bytes:
    batches = (rows[at : at + _FEED] for at in range(0, len(rows), _FEED))
    return quantise(model, ({"samples": to_float(np.array(corpus.samples[batch]))} for batch in batches))


def _judge(run: RunFolder, in_float: Path, model: Path, clips: Int8Clips, task: Task) -> Lost:
    """Compare both on clips that chose neither weights nor ranges; where there are folds, on each of theirs."""
    if not clips.folds:
        if not len(clips.split.validation):
            raise DataError(f"{run.path}: has no validation clips to judge int8 by; train with split.validation: share")
        return _compare(in_float, model, clips.corpus, clips.split.validation)
    right: list[tuple[NDArray[np.bool_], NDArray[np.bool_]]] = []
    for path, split in clips.folds.items():
        made = path.with_suffix(".int8.onnx")
        made.write_bytes(_quantised(path.read_bytes(), clips.corpus, draw_evenly(clips.corpus, split.train)))
        one, other = (right_answers(each, clips.corpus, split.test) for each in (path, made))
        right.append((one, other))
        task.advance()
    one, other = (np.concatenate(side) for side in zip(*right, strict=True))
    return measure_lost(one, other, clips.corpus, np.concatenate([split.test for split in clips.folds.values()]))


def _compare(in_float: Path, model: Path, corpus: Corpus, rows: Rows) -> Lost:
    return measure_lost(right_answers(in_float, corpus, rows), right_answers(model, corpus, rows), corpus, rows)


def _refuse_lost(run: RunFolder, judged: Lost, points_lost: float) -> None:
    if judged.is_more_than(points_lost):
        raise ModelError(
            f"{run.path}: in int8 {_points(judged)} are lost on {counted(judged.clips, 'clip')} that did not train, "
            f"the limit is {points_lost:g}; nothing was written, --points-lost {math.ceil(100 * judged.lost)} allows it"
        )


def _points(judged: Lost) -> str:
    low, high = judged.interval
    return f"{100 * judged.lost:.2f} points of accuracy (95 % interval {100 * low:.1f} to {100 * high:.1f})"


def _refuse_slower(run: RunFolder, speed: Speed) -> None:
    if speed.slower_by > _MOST_SLOWER:
        raise ModelError(
            f"{run.path}: int8 is {100 * speed.slower_by:.1f} % slower here, {speed.file[1]:.2f} ms a clip instead of "
            f"{speed.file[0]:.2f} ({speed.processor}); nothing was written, --slower writes it all the same"
        )


def _of_width(judged: Lost, points_lost: float) -> str:
    """Say where the clips are too few to be sure."""
    if 100 * judged.interval[1] <= points_lost:
        return ""
    return (
        f"{counted(judged.clips, 'clip')} cannot tell losses of {points_lost:g} points from none: as much as "
        f"{100 * judged.interval[1]:.2f} may be lost"
    )


def _scheme(run: RunFolder, corpus: Corpus, drawn: Rows) -> dict[str, Any]:
    words = {corpus.clips[row].label for row in drawn}
    return {
        "scheme": SCHEME,
        "made_from_sha256": file_digest(run.onnx),
        "onnxruntime": version("onnxruntime"),
        "calibration": {"part": "train", "clips": len(drawn), "words": len(words), "seed": _SEED},
    }


def _sizes(in_float: Path, model: Path) -> dict[str, Any]:
    original, made = in_float.read_bytes(), model.read_bytes()
    return {
        "bytes": {"float": len(original), "int8": len(made)},
        "network_bytes": {
            "float": weight_bytes(original, of=original),
            "int8": weight_bytes(made, of=original),
        },
    }


def _write(run: RunFolder, model: Path, shared: SharedModel, facts: Mapping[str, Any], *, names: bool) -> None:
    """Complete the file's metadata, and put card and licences beside it."""
    card = read_run_card(run, names=names, int8=facts)
    told = {"card": card, "int8": json.dumps(facts)}
    model.write_bytes(with_metadata(model.read_bytes(), told))
    (model.parent / MODEL_CARD).write_text(card, encoding="utf-8")
    texts = {name: path for name, path in licence_files().items() if name == _LICENCE}
    credit = read_metadata(shared.content).get("credit", "")
    write_licences(model.parent, texts, [_PART], recipe=shared.recipe, credit=credit)
