"""Two of eight words added to a run of the other six, from five recordings each: how long, at what cost, how well.

`python -m benchmarks.adapting` trains on six words of Speech Commands by the official lists, adds two with recordings
of training speakers, and scores the testing clips of all eight; `--part validation` scores validation clips, by which
settings are chosen. The command `sayso adapt` is timed as a whole, as a person waits for it.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from sayso.data.datasets import find_dataset
from sayso.experiment.run import Run
from sayso.experiment.train import train
from sayso.system.progress import Progress

WORDS = ("yes", "no", "up", "down", "left", "right", "stop", "go")
RECIPE = "recipes/speech-commands/pretrained.yaml"
RECORDINGS = 5


def main() -> None:
    """Print a line for each draw, and the means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=4)
    parser.add_argument("--part", choices=("validation", "test"), default="test")
    options = parser.parse_args()
    rows = [_try(draw, options.part) for draw in range(options.draws)]
    print("mean    " + ", ".join(f"{name} {np.mean([row[name] for row in rows]):.2f}" for name in rows[0]))


def _try(draw: int, part: str) -> dict[str, float]:
    rng = np.random.default_rng(200 + draw)
    new = sorted(rng.permutation(WORDS)[:2].tolist())
    old = [word for word in WORDS if word not in new]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for word in new:
            _record(root / "clips" / word, word, rng)
        # As a bare folder of many recordings starts: the last output tells new words better from few.
        settings = [f"dataset.words={json.dumps(old)}", f"training.seed={draw}", "features.outputs=last"]
        settings += ["model.channels=0"]
        run = train(RECIPE, overrides=settings, out=root / "run")
        command = [
            sys.executable,
            "-m",
            "sayso",
            "adapt",
            str(run.path),
            str(root / "clips"),
            "--out",
            str(root / "more"),
        ]
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - began
        before, after = _scores(run, old, part), _scores(Run.open(root / "more"), list(WORDS), part)
        own = {word: after["per_class"][word] for word in WORDS}
        kept = sum(own[word]["recall"] * own[word]["n"] for word in old) / sum(own[word]["n"] for word in old)
        won = sum(own[word]["recall"] * own[word]["n"] for word in new) / sum(own[word]["n"] for word in new)
        row = {"old before": 100 * before["accuracy"], "old after": 100 * kept, "new": 100 * won, "seconds": seconds}
        print(f"{' '.join(new):<12}" + ", ".join(f"{name} {value:.2f}" for name, value in row.items()), flush=True)
        return row


def _record(folder: Path, word: str, rng: np.random.Generator) -> None:
    clips = find_dataset("speech_commands", [f"words={json.dumps(WORDS)}"]).listing(Progress()).clips
    own = [clip for clip in clips if clip.label == word and clip.part == "train"]
    folder.mkdir(parents=True)
    for place in rng.permutation(len(own))[:RECORDINGS]:
        shutil.copy(own[place].path, folder)


def _scores(run: Run, words: list[str], part: str) -> dict[str, object]:
    dataset = find_dataset("speech_commands", [f"words={json.dumps(words)}"])
    return run.evaluate_on(dataset, part=part).scores


if __name__ == "__main__":
    main()
