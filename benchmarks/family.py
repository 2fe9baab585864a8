"""A family of three and five words: what `sayso train my-clips/` promises, and what 150 strangers get.

`python -m benchmarks.family` makes families of Speech Commands' training speakers, each of some 45 clips and one noise
recording, trains on the bare folder, and scores the clips of 150 other training speakers: of the five words, and of all
others that the copy holds in full. It takes a few minutes; `--draws` says how many families.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sayso.data.clips import Clip
from sayso.data.datasets import find_dataset
from sayso.experiment.train import train
from sayso.system.progress import Progress

WANTED = ("yes", "no", "up", "down", "left", "right", "stop", "go")
OTHERS = ("bed", "cat", "happy")
FAMILY, STRANGERS, MOST_CLIPS, FEWEST_OF_ONE = 3, 150, 60, 14
NOISE = "exercise_bike"


def main() -> None:
    """Print a line for each family, and the means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=6)
    parser.add_argument(
        "--first", type=int, default=6, help="the first draw; 0 to 5 are those that settings were chosen on"
    )
    options = parser.parse_args()
    clips = find_dataset("speech_commands", [f"words={json.dumps([*WANTED, *OTHERS])}"]).listing(Progress())
    noise = next(path for path in clips.noise if NOISE in path)
    rows = [_try(draw, clips.clips, noise) for draw in range(options.first, options.first + options.draws)]
    print("mean      " + ", ".join(f"{name} {np.mean([row[name] for row in rows]):.1f}" for name in rows[0]))


def _try(draw: int, clips: Sequence[Clip], noise: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _make_family(root, draw, clips, noise)
        began = time.perf_counter()
        run = train(root / "my-clips", out=root / "run")
        seconds = time.perf_counter() - began
        found = run.evaluate_on(find_dataset(str(root / "strangers"))).scores
        test, rejection = run.metrics()["test"], found["rejection"]
        shares = {
            "promised": test["accuracy"],
            "strangers": found["accuracy"],
            "accepted and right": rejection["accepted_right"]["rate"],
            "lost": rejection["false_reject"]["rate"],
            "other words accepted": rejection["false_accept"]["rate"],
        }
        row = {name: 100 * share for name, share in shares.items()} | {"seconds": seconds}
        interval = "-".join(f"{100 * limit:.0f}" for limit in test["speaker_accuracy_ci95"] or (0, 1))
        print(f"family {draw}: " + ", ".join(f"{name} {value:.1f}" for name, value in row.items()), f"({interval})")
        return row


def _make_family(root: Path, draw: int, clips: Sequence[Clip], noise: str) -> None:
    rng = np.random.default_rng(100 + draw)
    words = sorted(rng.permutation(WANTED)[:5].tolist())
    said: dict[str, dict[str, list[Clip]]] = defaultdict(lambda: defaultdict(list))
    for clip in clips:
        if clip.part == "train" and clip.label in words and clip.speaker:
            said[clip.speaker][clip.label].append(clip)
    much = [name for name, own in said.items() if len(own) == 5 and sum(map(len, own.values())) >= FEWEST_OF_ONE]
    family = rng.permutation(sorted(much))[:FAMILY].tolist()
    own = [clip for name in family for word in words for clip in said[name][word]][:MOST_CLIPS]
    for clip in own:
        _copy(clip.path, root / "my-clips" / clip.label / str(clip.speaker))
    _copy(noise, root / "my-clips" / "_background_noise_")
    rest = sorted({str(clip.speaker) for clip in clips if clip.part == "train"} - {*family})
    strangers = {*rng.permutation(rest)[:STRANGERS].tolist()}
    for clip in clips:
        if clip.part == "train" and clip.speaker in strangers:
            _copy(clip.path, root / "strangers" / clip.label)


def _copy(path: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, folder)


if __name__ == "__main__":
    main()
