"""A model as C99 for small boards: source without dependencies, that answers on a stream as the model does."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sayso.audio import to_float
from sayso.delivery.c.babble import make_babble
from sayso.delivery.c.check_vector import HOPS, check_header, make_sound
from sayso.delivery.c.lowering import UnsupportedError
from sayso.delivery.c.measure import Measured, measure
from sayso.delivery.c.program import Program, write_program
from sayso.delivery.licences import write_licences
from sayso.delivery.shared import MODEL_CARD, shared_model
from sayso.errors import ModelError
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
    "features dft, mel, mfcc, spectrogram, speech_embedding, waveform",
    "models digit_cnn, feed_forward, logistic, luz_convnet, mlp, pooled_mlp, spectrogram_cnn, tc_resnet, temporal_mlp",
)
"""Parts of recipes whose graphs can be written in C; on small boards the small ones alone."""
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
        ModelError: the model is missing, damaged, or has operators that have no form in C.
        OutputError: the folder is there already, or cannot be written.
    """
    recognizer = Recognizer(model / "model.onnx" if model.is_dir() else model, threads=1)
    settings, rate = recognizer.stream or StreamSettings(), recognizer.audio.sample_rate
    hop = settings.hop_samples(rate)
    file, why = recognizer.stream_file(hop, threads=1)
    graph = recognizer.path.with_name(STREAM_FILE) if file else recognizer.path
    shared = shared_model(model, graph, names=names)
    refuse_filled(folder)
    try:
        heard = _heard(recognizer, file, hop) if weights == "int8" else None
        program = write_program(shared.content, name=str(graph), heard=heard)
    except UnsupportedError as error:
        raise ModelError(f"{graph}: {error} has no form in C; what has: {'; '.join(WORKING)}") from error
    scorer = Stateful(file) if file else Windows(recognizer, hop)
    samples = recognizer.audio.clip_samples + (HOPS - 1) * hop
    expected = score_stream(scorer, make_sound(samples))
    with atomic_folder(folder) as new:
        for path in sorted(_CODE.iterdir()):
            shutil.copyfile(path, new / path.name)
        (new / "sayso_model.c").write_text(program.text, encoding="utf-8")
        config = _config(recognizer, settings, scorer, max(program.heard, hop), expected.shape[1])
        (new / "sayso_config.h").write_text(config, encoding="utf-8")
        (new / "sayso_words.c").write_text(_words(recognizer, settings), encoding="utf-8")
        (new / "sayso_check.h").write_text(check_header(samples, expected, limit=_LIMITS[weights]), encoding="utf-8")
        if shared.card:
            (new / MODEL_CARD).write_text(shared.card, encoding="utf-8")
        texts = {"Apache-2.0.txt": licence_files()["Apache-2.0.txt"]}
        write_licences(new, texts, _PARTS, recipe=shared.recipe, credit=recognizer.credit)
        measured = measure(new)
    notes = [] if file else [f"every hop computes its whole window anew: {why}"]
    if measured is None:
        notes.append("there is no C compiler here, so that nothing was compared; `make check` does so")
    static = program.arena_bytes + program.ring_bytes + 2 * max(program.heard, hop)
    return CExport(folder, program, graph.name, hop / rate, static, measured, tuple(notes))


def _heard(recognizer: Recognizer, file: StreamFile | None, hop: int) -> list[NDArray[np.float32]]:
    """What goes into the graph for sound like speech."""
    audio = recognizer.audio
    sound = make_babble(_HEARD_SECONDS, audio.sample_rate)
    if file is None:
        windows = np.lib.stride_tricks.sliding_window_view(sound, audio.clip_samples)[:: max(hop, len(sound) // 100)]
        return [to_float(windows)]
    chunks = to_float(sound[: len(sound) // hop * hop].reshape(-1, hop))
    return [chunks, *file.empty]


def _config(
    recognizer: Recognizer, settings: StreamSettings, scorer: Stateful | Windows, heard: int, classes: int
) -> str:
    rate = recognizer.audio.sample_rate
    facts = {
        "SAMPLE_RATE": rate,
        "HOP": scorer.hop,
        "WINDOW": recognizer.audio.clip_samples,
        "WORDS": len(recognizer.labels),
        "CLASSES": classes,
        "HEARD": heard,
        "LEAD": scorer.lead,
        "FIRST": scorer.first,
        "SMOOTHING": settings.smoothing,
        "LEAST_HOPS": f"{1 + settings.count_hops(settings.least_seconds, rate)}u",
        "REFRACTORY_HOPS": f"{settings.count_hops(settings.refractory_seconds, rate)}u",
        "MARGIN": f"{settings.margin!r}f",
    }
    if settings.gate_db is not None:
        facts["GATE_POWER"] = repr(10 ** (settings.gate_db / 10) * 32768.0**2)
    lines = "\n".join(f"#define SAYSO_{name} {value}" for name, value in facts.items())
    return f"/* Written by `sayso export --c`: sizes of this model, and how a stream is listened to. */\n{lines}\n"


def _words(recognizer: Recognizer, settings: StreamSettings) -> str:
    # In octal, as what follows a hexadecimal escape may be taken for part of it.
    words = ", ".join(f'"{_escaped(label)}"' for label in recognizer.labels)
    levels = ", ".join(f"{float(settings.threshold_of(label))!r}f" for label in recognizer.labels)
    return (
        '#include "sayso.h"\n\n'
        f"const char *const sayso_labels[SAYSO_WORDS] = {{{words}}};\n"
        f"const float sayso_thresholds[SAYSO_WORDS] = {{{levels}}};\n"
    )


def _escaped(text: str) -> str:
    return "".join(
        chr(each) if 32 <= each < 127 and chr(each) not in '"\\?' else f"\\{each:03o}" for each in text.encode()
    )
