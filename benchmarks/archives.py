"""`sayso predict --out` over every clip of Speech Commands, beside decoding and scoring, each timed apart.

All sides use as many threads as there are cores, and find the files in memory. Two models answer, untrained, as that
costs the same: the network of `recipes/speech-commands/quick.yaml`, and one of less than 10,000 parameters.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.contest import Contest, Figure, NotHereError
from sayso.audio import AudioFormat, clip_from_file, to_float
from sayso.classifier.export import export
from sayso.classifier.module import Classifier
from sayso.data.datasets.speech_commands import SpeechCommandsConfig
from sayso.data.packing import count_workers
from sayso.recipe.recipe import recipe_from_values
from sayso.runtime import Recognizer
from sayso.studies.archive.answers import WordAnswers
from sayso.studies.archive.predict import predict_archive
from sayso.system.progress import Progress

AUDIO = AudioFormat()
WORDS = ("yes", "no", "up", "down", "left", "right", "stop", "go")
MODELS = {
    "quick": {"features": {"kind": "mel"}, "model": {"kind": "tc_resnet", "width": 3.0}},
    "small": {
        "features": {"kind": "mel"},
        "model": {"kind": "tc_resnet", "channels": [8, 10, 14, 20], "width": 1.0, "kernel": 5},
    },
}
BARE, DECODING = "libsndfile: bare decoding", "sayso: decoding"
BATCH = 16

Side = Callable[[], float]


def contest(*, full: bool) -> Contest:
    """Set the contest up: every clip of Speech Commands that is here, read once so that all sides find it in memory."""
    del full  # always all of them: what begins and ends an archive is to weigh as little as it does
    if SpeechCommandsConfig().location() is None:
        raise NotHereError("needs Speech Commands v0.01; set SAYSO_DATA to the folder that holds speech_commands_v0.01")
    paths = [clip.path for clip in SpeechCommandsConfig().listing(Progress()).clips]
    for path in paths:
        Path(path).read_bytes()
    place = tempfile.TemporaryDirectory()
    folder = Path(place.name)
    (folder / "list.txt").write_text("\n".join(paths), encoding="utf-8")
    clips = np.stack([clip_from_file(path, AUDIO) for path in paths[: 16 * BATCH]])
    spent: dict[str, float] = {}
    sides: dict[str, Side] = {
        BARE: lambda: _bare_decoding(paths),
        DECODING: _counted(spent, DECODING, lambda: _on_all_cores(_decode, paths)),
    }
    figures: list[Figure] = []
    notes = [f"{len(paths):,} clips, {count_workers()} threads"]
    for name, parts in MODELS.items():
        model, parameters = _make_model(folder / f"{name}.onnx", parts)
        notes.append(f"{name}: {parameters:,} parameters")
        scoring, archive = f"sayso: scoring, {name}", f"sayso: archive, {name}"
        sides[scoring] = _counted(spent, scoring, _scoring(Recognizer(model, threads=1), clips, len(paths)))
        sides[archive] = _counted(spent, archive, _archive(model, folder))
        figures += _figures(name, scoring, archive, spent)
    return Contest(
        title="an archive answered", sides=sides, figures=tuple(figures), notes=tuple(notes), close=(place.cleanup,)
    )


def _figures(name: str, scoring: str, archive: str, spent: dict[str, float]) -> list[Figure]:
    aims = {"least": 0.6} if name == "small" else {}
    return [
        Figure(
            f"{name}: decoding + scoring, of the archive's time",
            lambda s: (s[DECODING] + s[scoring]) / s[archive],
            least=0.9,
        ),
        Figure(f"{name}: the same of processor time", lambda _: (spent[DECODING] + spent[scoring]) / spent[archive]),
        Figure(f"{name}: bare decoding, of the archive's time", lambda s: s[BARE] / s[archive], **aims),
    ]


def _make_model(path: Path, parts: dict[str, dict[str, object]]) -> tuple[Path, int]:
    recipe = recipe_from_values({"dataset": {"kind": "speech_commands"}, **parts}, source="benchmark")
    classifier = Classifier(recipe, list(WORDS)).eval()
    export(classifier, path, np.zeros((2, AUDIO.clip_samples), np.int16))
    return path, sum(tensor.numel() for tensor in classifier.parameters())


def _counted(spent: dict[str, float], name: str, side: Side) -> Side:
    """The same side, which also notes the processor's time."""

    def timed() -> float:
        before = time.process_time()
        seconds = side()
        spent[name] = time.process_time() - before
        return seconds

    return timed


def _archive(model: Path, folder: Path) -> Side:
    """All that the command does but starting Python: the model is opened, the list read, the table written."""

    def side() -> float:
        out = folder / "answers.csv"
        out.unlink(missing_ok=True)
        start = time.perf_counter()
        predict_archive([folder / "list.txt"], WordAnswers(Recognizer(model, threads=1)), out=out)
        return time.perf_counter() - start

    return side


def _scoring(recognizer: Recognizer, clips: np.ndarray, count: int) -> Side:
    """Score so many clips in batches, of which some are taken again and again."""
    batches = [clips[first : first + BATCH] for first in range(0, len(clips), BATCH)]

    def side() -> float:
        start = time.perf_counter()
        with ThreadPoolExecutor(count_workers()) as pool:
            whole = [batches[place % len(batches)] for place in range(count // BATCH)]
            list(pool.map(lambda some: recognizer.probabilities(to_float(some)), [*whole, clips[: count % BATCH]]))
        return time.perf_counter() - start

    return side


def _decode(some: Sequence[str]) -> None:
    for path in some:
        clip_from_file(path, AUDIO)


def _bare(some: Sequence[str]) -> None:
    for path in some:
        with soundfile.SoundFile(path) as file:
            file.read(dtype="int16")


def _bare_decoding(paths: Sequence[str]) -> float:
    return _on_all_cores(_bare, paths)


def _on_all_cores(work: Callable[[Sequence[str]], None], paths: Sequence[str]) -> float:
    start = time.perf_counter()
    with ThreadPoolExecutor(count_workers()) as pool:
        list(pool.map(work, [paths[first : first + BATCH] for first in range(0, len(paths), BATCH)]))
    return time.perf_counter() - start
