"""Few recordings: a run from text alone, given 1, 5 and 10 recordings of each word, and what strangers get of it.

`python -m benchmarks.few_recordings` learns eight words of Speech Commands from synthetic voices, adds recordings of
training speakers by `adapt`, and scores the official testing clips; `--part validation` scores validation clips, by
which settings are chosen.
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np

from sayso.data.clips import Clip
from sayso.data.datasets import find_dataset
from sayso.experiment.adapt import adapt
from sayso.experiment.run import Run
from sayso.experiment.train import train
from sayso.recipe.words import parse_words
from sayso.system.progress import Progress

WORDS = ("yes", "no", "up", "down", "left", "right", "stop", "go")
RECORDINGS = (1, 5, 10)
DATASET = f"words={json.dumps(WORDS)}"


def main() -> None:
    """Print the run from text alone, a line for each draw, and means with the deviation over the draws."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--part", choices=("validation", "test"), default="test")
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="a key of the recipe")
    options = parser.parse_args()
    clips = find_dataset("speech_commands", [DATASET]).listing(Progress()).clips
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        run = train(parse_words(",".join(WORDS)), overrides=options.overrides, out=root / "run")
        print(f"from text alone {_accuracy(run, options.part):.2f}", flush=True)
        found = np.array([_try(run, root, clips, draw, options.part) for draw in range(options.draws)])
    for count, own in zip(RECORDINGS, found.T, strict=True):
        print(f"{count:>2} recordings a word: {own.mean():.2f}, deviation over draws {own.std(ddof=1):.2f}")


def _try(run: Run, root: Path, clips: tuple[Clip, ...], draw: int, part: str) -> list[float]:
    rng = np.random.default_rng(300 + draw)
    rows: list[float] = []
    for count in RECORDINGS:
        given, out = root / "given", root / "more"
        for word in WORDS:
            own = [clip.path for clip in clips if clip.label == word and clip.part == "train"]
            (given / word).mkdir(parents=True)
            for place in rng.permutation(len(own))[:count]:
                shutil.copy(own[place], given / word)
        rows.append(_accuracy(adapt(run.path, given, out=out).run, part))
        shutil.rmtree(given)
        shutil.rmtree(out)
    print(f"draw {draw}: " + ", ".join(f"{accuracy:.2f}" for accuracy in rows), flush=True)
    return rows


def _accuracy(run: Run, part: str) -> float:
    return 100 * run.evaluate_on(find_dataset("speech_commands", [DATASET]), part=part).scores["accuracy"]


if __name__ == "__main__":
    main()
