"""A model as C99 for small boards: source without dependencies, that answers on a stream as the model does."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sayso.audio import to_float
from sayso.delivery.c import other
from sayso.delivery.c.babble import make_babble
from sayso.delivery.c.check_vector import HOPS, check_header, make_sound
from sayso.delivery.c.lowering import UnsupportedError
from sayso.delivery.c.measure import Measured, measure
from sayso.delivery.c.program import Program, write_program
from sayso.delivery.c.settings import config_header, words_source
from sayso.delivery.licences import write_licences
from sayso.delivery.model_bytes import read_metadata
from sayso.delivery.shared import MODEL_CARD, SharedModel, shared_model
from sayso.errors import ModelError, install_command
from sayso.runtime import Recognizer
from sayso.runtime.hops import Stateful, Windows, score_stream
from sayso.runtime.stream_file import STREAM_FILE, StreamFile
from sayso.runtime.stream_settings import StreamSettings
from sayso.system.files import atomic_folder, refuse_filled
from sayso.web import licence_files

__all__ = ["WORKING", "CExport", "Weights", "export_c"]

Weights = Literal["float", "int8"]
_CODE = Path(__file__).parent / "code"
# Of sound by which weights are rounded.
_HEARD_SECONDS = 30
WORKING = (
    "features mel, mfcc, spectrogram, speech_embedding, waveform",
    "models bc_resnet, bottleneck_cnn, digit_cnn, ds_cnn, feed_forward, logistic, luz_convnet, matchbox_net, mlp, "
    "pooled_mlp, spectrogram_cnn, tc_resnet, temporal_mlp",
)
"""Parts of recipes whose graphs can be written in C; on small boards the small ones alone."""
# Of what logits may differ, as shares of the largest one, or of 1.
_LIMITS: dict[str, float] = {"float": 1e-4, "int8": 0.05}
_PARTS = ("The source in C, Sayso's: Apache License 2.0, Apache-2.0.txt.",)


@dataclass(frozen=True)
class CExport:
    """What was written."""

    folder: Path
    program: Program
    graph: str
    """The file that it answers as."""
    hop_seconds: float
    static_bytes: int
    """What lies in memory all the time, by the program's own arrays."""
    measured: Measured | None
    """None where this machine has no C compiler."""
    notes: tuple[str, ...]
    """What a person should know of it."""


def export_c(model: Path, folder: Path, *, weights: Weights = "float", names: bool = False) -> CExport:
    """Write a model as C: a program that takes samples at the model's rate and tells the words in them, hop by hop.

    Args:
        model: a `model.onnx`, or a run's folder. Where `stream.onnx` lies beside it and serves, it is that form.
        folder: where to; new, or empty.
        weights: `float`, or `int8` with a scale for each output, a quarter as large.
        names: keep people's names in the model card, as far as the run's folder has them.

    Raises:
        MissingExtraError: the package `onnx` is not installed.
        ModelError: the model is missing, damaged, int8 already, or has operators that have no form in C.
        OutputError: the folder is there already, or cannot be written.
    """
    recognizer = Recognizer(model, threads=1)
    refuse_filled(folder)
    if "int8" in read_metadata(recognizer.path.read_bytes()):
        raise ModelError(f"{recognizer.path}: is int8 already; name the run that it was made from, with --weights int8")
    try:
        part = _own(recognizer, model, names=names, is_narrow=weights == "int8")
    except UnsupportedError as error:
        part = _other(recognizer, model, str(error), names=names, is_narrow=weights == "int8")
    settings, rate = recognizer.stream or StreamSettings(), recognizer.audio.sample_rate
    heard = max(part.program.heard, part.scorer.hop)
    samples = recognizer.audio.clip_samples + (HOPS - 1) * part.scorer.hop
    expected = score_stream(part.scorer, make_sound(samples))
    limit = _LIMITS[weights] * max(1.0, float(np.abs(expected).max()))
    texts = {
        "sayso_model.c": part.program.text,
        "sayso_config.h": config_header(recognizer, settings, part.scorer, heard=heard, classes=expected.shape[1]),
        "sayso_words.c": words_source(recognizer, settings),
        "sayso_check.h": check_header(samples, expected, limit=limit),
    } | ({MODEL_CARD: part.shared.card} if part.shared.card else {})
    with atomic_folder(folder) as new:
        for path in sorted(_CODE.iterdir()):
            shutil.copyfile(path, new / path.name)
        for name, text in texts.items():
            (new / name).write_text(text, encoding="utf-8")
        own = {"Apache-2.0.txt": licence_files()["Apache-2.0.txt"]}
        write_licences(new, own, _PARTS, recipe=part.shared.recipe, credit=recognizer.credit)
        measured = measure(new)
    notes = [part.note] if part.note else []
    if measured is None:
        notes.append("there is no C compiler here, so that nothing was compared; `make check` does so")
    static = part.program.arena_bytes + part.program.ring_bytes + 2 * heard
    return CExport(folder, part.program, part.graph, part.scorer.hop / rate, static, measured, tuple(notes))


@dataclass(frozen=True)
class _Part:
    """A graph that was written in C."""

    program: Program
    graph: str
    scorer: Stateful | Windows
    """Answers as it should."""
    shared: SharedModel
    note: str


def _own(recognizer: Recognizer, model: Path, *, names: bool, is_narrow: bool) -> _Part:
    """Write the form for streams, or where there is none that for windows, layer by layer."""
    hop = (recognizer.stream or StreamSettings()).hop_samples(recognizer.audio.sample_rate)
    file, why = recognizer.stream_file(hop, threads=1)
    graph = recognizer.path.with_name(STREAM_FILE) if file else recognizer.path
    shared = shared_model(model, graph, names=names)
    if shared.recipe.get("test_time_speeds"):
        raise UnsupportedError("an answer at several speeds (test_time_speeds)")
    heard = _heard(recognizer, file, hop) if is_narrow else None
    program = write_program(shared.content, name=str(graph), heard=heard)
    scorer = Stateful(file) if file else Windows(recognizer, hop)
    return _Part(
        program, graph.name, scorer, shared, "" if file else f"every hop computes its whole window anew: {why}"
    )


def _other(recognizer: Recognizer, model: Path, why: str, *, names: bool, is_narrow: bool) -> _Part:
    """Have emx-onnx-cgen write it, where that is installed."""
    refused = f"{recognizer.path}: {why} has no form in C; what has: {'; '.join(WORKING)}"
    if not other.is_here():
        raise ModelError(f"{refused}; for other boards than small ones: {install_command('c')}")
    if is_narrow:
        raise ModelError(f"{refused}; as --weights float emx-onnx-cgen may write it, for other boards than small ones")
    shared = shared_model(model, recognizer.path, names=names)
    try:
        program = other.write_other_program(shared.content, recognizer.audio.clip_samples)
    except UnsupportedError as error:
        raise ModelError(f"{refused}; nor does emx-onnx-cgen write it: {error}") from error
    hop = (recognizer.stream or StreamSettings()).hop_samples(recognizer.audio.sample_rate)
    return _Part(program, recognizer.path.name, Windows(recognizer, hop), shared, f"{why}: {other.NOTE}")


def _heard(recognizer: Recognizer, file: StreamFile | None, hop: int) -> list[NDArray[np.float32]]:
    """What goes into the graph for sound like speech."""
    audio = recognizer.audio
    sound = make_babble(_HEARD_SECONDS, audio.sample_rate)
    if file is None:
        windows = np.lib.stride_tricks.sliding_window_view(sound, audio.clip_samples)[:: max(hop, len(sound) // 100)]
        return [to_float(windows)]
    chunks = to_float(sound[: len(sound) // hop * hop].reshape(-1, hop))
    return [chunks, *file.empty]
