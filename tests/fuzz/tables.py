"""Tables of clips: made in the ways in which people write them, and read as far as packed samples."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

import sayso
from fuzz.target import RATE
from sayso.audio import AudioFormat
from sayso.data.corpus import clear_packed, pack
from sayso.system.progress import Progress

__all__ = ["made_table", "read_table"]


def made_table(name: str) -> Callable[[Path], tuple[bytes, ...]]:
    """Give manifests that name clips beside them."""

    def make(folder: Path) -> tuple[bytes, ...]:
        names = [
            f"{word}/{speaker}_{take}.wav" for word in ("yes", "no") for speaker in ("ann", "bob") for take in "12"
        ]
        for at, clip in enumerate(names):
            (folder / clip).parent.mkdir(exist_ok=True)
            tone = 0.3 * np.sin(np.arange(RATE // 4) * (0.1 + 0.01 * at))
            soundfile.write(folder / clip, tone, RATE)
        (folder / "_background_noise_").mkdir(exist_ok=True)
        soundfile.write(folder / "_background_noise_" / "hum.wav", np.full(RATE, 0.01), RATE)
        rows = [(clip, *_parts(clip)) for clip in names]
        return _csv_files(rows) if name == "csv" else _jsonl_files(rows)

    return make


def _parts(clip: str) -> tuple[str, str, str]:
    word, file = clip.split("/")
    return word, file.split("_")[0], "test" if "bob" in file else "train"


def _csv_files(rows: list[tuple[str, ...]]) -> tuple[bytes, ...]:
    plain = [
        "path,label,speaker,split",
        *(",".join(row) for row in rows),
        "_background_noise_/hum.wav,_background_noise_,,",
    ]
    timed = ["file;word;start;end", *(f'"{path}";"{word}";0.05;0.2' for path, word, *_ in rows)]
    samples = ["audio_filepath,text,start_samples,end_ms", *(f"./{path},{word},100,200" for path, word, *_ in rows)]
    tabs = ["path\tsentence\tclient_id", *(f"{path}\t{word}\t{speaker}" for path, word, speaker, _ in rows)]
    return tuple("\n".join(lines).encode() for lines in (plain, timed, samples, tabs))


def _jsonl_files(rows: list[tuple[str, ...]]) -> tuple[bytes, ...]:
    plain = [json.dumps(dict(zip(("path", "label", "speaker", "split"), row, strict=True))) for row in rows]
    nemo = [json.dumps({"audio_filepath": row[0], "offset": 0.05, "duration": 0.15, "command": row[1]}) for row in rows]
    return tuple("\n".join(lines).encode() for lines in (plain, nemo))


def read_table(path: Path) -> None:
    recordings = sayso.dataset(str(path))
    assert recordings.clips
    pack(recordings.settings.listing(Progress()), AudioFormat(sample_rate=RATE, clip_seconds=0.2), progress=Progress())
    clear_packed()
