"""What is done before every training, for 3,000 to 100,000 clips: listing a folder, near copies, leakage.

`python -m benchmarks.start_up CLIPS [SHARE]` measures one number of clips, in its own process, as the contest does.

The clips are real words, and where more are wanted than there are, the same played faster or slower by 3 % and more,
each with a little noise of its own: other recordings, to the search, though much alike, so that more pairs are left to
prove. What 100,000 clips take is therefore set beside 12,000 made the same way too, of a like share of the real ones.
Changed copies of some are planted among them.
Making and packing the clips is not in the seconds; reading the packed ones from their file is.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from benchmarks.contest import Contest, Figure, NotHereError
from benchmarks.copying import Samples, copying_kinds
from sayso.audio import AudioFormat
from sayso.data.corpus import Corpus, pack
from sayso.data.datasets.folder import FolderConfig
from sayso.data.datasets.speech_commands import SpeechCommandsConfig
from sayso.data.leakage import check_leakage
from sayso.data.near_copies import look_up_near_copies
from sayso.data.splits.split import Split
from sayso.system.progress import Progress

SIZES = (3_000, 12_000, 100_000)
STEPS = ("listing", "near copies", "leakage")
_AUDIO = AudioFormat()
_PLANTED_SHARE = 0.01
_SPEED_STEP = 0.03
_WORDS, _SPEAKERS = 30, 100


def contest(*, full: bool) -> Contest:
    """Set the contest up; the largest number is measured once, whatever the rounds."""
    del full
    if SpeechCommandsConfig().location() is None:
        raise NotHereError("needs Speech Commands v0.01; set SAYSO_DATA to the folder that holds speech_commands_v0.01")
    known: dict[int, dict[str, float]] = {}
    small, middle, large = (f"{size:,} clips" for size in SIZES)
    like = f"{middle} made as {SIZES[-1]:,}"

    def side(size: int, share: float = 1.0) -> Callable[[], float]:
        def measure() -> float:
            if size != SIZES[-1]:
                return _measured(size, share)["wall"] / (size / 1000)
            if size not in known:
                known[size] = _measured(size, share)
            return known[size]["wall"] / (size / 1000)

        return measure

    def of_largest(what: str) -> float:
        return known[SIZES[-1]][what]

    return Contest(
        title="work before a training: listing, near copies, leakage",
        unit="s a thousand clips",
        sides={f"{size:,} clips": side(size) for size in SIZES} | {like: side(SIZES[1], SIZES[1] / SIZES[-1])},
        figures=(
            Figure(f"seconds a thousand of {large}, of {like}", lambda s: s[large] / s[like], most=1.5),
            Figure(f"seconds a thousand of {large}, of {middle}", lambda s: s[large] / s[middle]),
            Figure(f"seconds a thousand of {middle}, of {small}", lambda s: s[middle] / s[small], most=1.5),
            Figure(f"seconds for {large}", lambda _: of_largest("wall"), most=180),
            Figure(f"processor seconds for {large}", lambda _: of_largest("cpu")),
            Figure(f"GiB at most, packed clips mapped, {large}", lambda _: of_largest("gibibytes")),
            Figure("share of planted copies found", lambda _: of_largest("found"), least=0.95),
        ),
        notes=(f"{large} are measured once",),
    )


def _measured(size: int, share: float) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.start_up", str(size), str(share)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure one number of clips, and print what was measured as JSON."""
    size, share = int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        planted = _make_clips(path / "samples.i16", size, share)
        os.environ["SAYSO_CACHE"] = str(path / "cache")
        _make_folder(path / "clips", size)
        print(json.dumps(_measure(path, planted)))


def _measure(folder: Path, planted: set[tuple[int, int]]) -> dict[str, float]:
    samples = np.memmap(folder / "samples.i16", np.int16, mode="r").reshape(-1, _AUDIO.clip_samples).view(np.ndarray)
    rows = np.random.default_rng(0).permutation(len(samples))
    parts = np.split(rows, [round(0.8 * len(rows)), round(0.9 * len(rows))])
    seconds: dict[str, float] = {}
    marks = [(time.perf_counter(), time.process_time())]

    def note(step: str) -> None:
        marks.append((time.perf_counter(), time.process_time()))
        seconds[step] = marks[-1][0] - marks[-2][0]

    listing = FolderConfig(path=str(folder / "clips")).listing(Progress())
    note("listing")
    corpus = Corpus(listing.clips, samples, _AUDIO, fingerprints=tuple(map(str, range(len(samples)))))
    pairs = look_up_near_copies(corpus)
    note("near copies")
    check_leakage(corpus, Split(*map(np.sort, parts), "random"), allow_copies=("*",))
    note("leakage")
    found = {(pair.first, pair.second) for pair in pairs}
    return seconds | {
        "wall": marks[-1][0] - marks[0][0],
        "cpu": marks[-1][1] - marks[0][1],
        "gibibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20),
        "packed gibibytes": samples.nbytes / (1 << 30),
        "pairs": len(pairs),
        "found": len(found & planted) / len(planted),
    }


def _make_folder(folder: Path, size: int) -> None:
    """Make empty files, word/speaker/number.wav: listing looks at their names alone."""
    for number in range(size):
        place = folder / f"word-{number % _WORDS:02}" / f"speaker-{number // _WORDS % _SPEAKERS:02}"
        if number < _WORDS * _SPEAKERS:
            place.mkdir(parents=True)
        (place / f"{number}.wav").touch()


def _make_clips(path: Path, size: int, share: float) -> set[tuple[int, int]]:
    """Write packed clips, of a share of the real ones, changed copies behind; gives where these pairs are."""
    real = pack(SpeechCommandsConfig().listing(Progress()), _AUDIO, progress=Progress()).samples
    order = np.random.default_rng(0).permutation(len(real))[: round(share * len(real))]
    copies = round(size * _PLANTED_SHARE)
    chosen = np.sort(np.random.default_rng(1).choice(size - copies, copies, replace=False))
    kinds = copying_kinds(_AUDIO.sample_rate)
    planted: list[Samples] = []
    wanted = set(chosen.tolist())
    with path.open("wb") as file:
        for number in range(size - copies):
            clip = _play_at(real[order[number % len(order)]], number // len(order), number)
            file.write(clip.tobytes())
            if number in wanted:
                planted.append(kinds[len(planted) % len(kinds)](clip, number))
        for copy in planted:
            file.write(copy.tobytes())
    return {(int(row), size - copies + at) for at, row in enumerate(chosen)}


def _play_at(clip: Samples, step: int, seed: int) -> Samples:
    """Play a clip faster or slower by so many steps, with a little noise; 0: as it is."""
    if not step:
        return clip
    factor = 1 + _SPEED_STEP * ((step + 1) // 2) * (1 if step % 2 else -1)
    rate = _AUDIO.sample_rate
    played: NDArray[np.float32] = soxr.resample(clip.astype(np.float32), rate, rate * factor, quality="QQ")
    made = np.random.default_rng(seed).normal(0, 2, len(clip))
    kept = played[: len(clip)]
    made[: len(kept)] += kept
    return np.clip(np.rint(made), -32768, 32767).astype(np.int16)


if __name__ == "__main__":
    main()
