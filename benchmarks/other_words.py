"""Eight words of Speech Commands trained, the other 22 heard: how many of those are taken for one of the eight.

`python -m benchmarks.other_words` trains `recipes/speech-commands/pretrained.yaml` by the official lists, once a seed,
with common words in synthetic voices as negatives: none of the 22 is among them, real or synthetic. The threshold,
which travels in the model, turns away 5 % of the right answers to validation clips. Rates are of the official testing
clips, over all clips, as means over words, and by word. Runs that are named are scored instead of new ones.
"""

import argparse
import json
import tempfile
from collections.abc import Collection
from pathlib import Path

import numpy as np

from sayso.classifier.inference import predict_probabilities
from sayso.experiment.run import Run
from sayso.experiment.train import train
from sayso.recipe.prepared import Prepared, prepare
from sayso.system.progress import Progress

WANTED = ("yes", "no", "up", "down", "left", "right", "stop", "go")
MANY = ("bed", "cat", "happy")
"""Of these the partial copy has 522 clips, of all others 33."""
FEW = (
    *("bird", "dog", "eight", "five", "four", "house", "marvin", "nine", "off", "on"),
    *("one", "seven", "sheila", "six", "three", "tree", "two", "wow", "zero"),
)
RECIPE = "recipes/speech-commands/pretrained.yaml"
NEGATIVES = 2_000

Rates = dict[str, float]


def main() -> None:
    """Print the rates of each run, and their means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="*", type=Path, help="runs that were trained so; without: new ones are trained")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    if options.runs:
        found = [_rates(Run.open(path)) for path in options.runs]
    else:
        found = [_train(seed) for seed in range(options.seeds)]
    print(f"\nmean of {len(found)}")
    for name in dict.fromkeys(name for rates in found for name in rates):
        values = [100 * rates[name] for rates in found]
        print(f"  {name:<24} {np.mean(values):6.2f} %   {' '.join(f'{value:.1f}' for value in values)}")


def _train(seed: int) -> Rates:
    others = [*MANY, *FEW]
    negatives = {"kind": "other_words", "clips": NEGATIVES, "wanted": WANTED, "without": others}
    settings = [
        f"training.seed={seed}",
        f"dataset.reject_words={json.dumps(others)}",
        f"rejection.negatives={json.dumps([negatives])}",
        "rejection.lost_share=0.05",
    ]
    with tempfile.TemporaryDirectory() as folder:
        return _rates(train(RECIPE, overrides=settings, out=Path(folder) / "run", extras=False))


def _rates(run: Run) -> Rates:
    prepared = prepare(run.settings, Progress())
    lost, named = _of_wanted(run, prepared)
    taken = _of_others(run, prepared)
    rates = {
        "accuracy, forced choice": run.metrics()["test"]["accuracy"],
        "others taken": _pool(taken, taken),
        "others taken, macro": float(np.mean([own.mean() for own in taken.values()])),
        **{f"others taken, {word}": float(taken[word].mean()) for word in MANY},
        "others taken, the rest": _pool(taken, FEW),
        "wanted lost": _pool(lost, WANTED),
        "wanted lost, macro": float(np.mean([own.mean() for own in lost.values()])),
        **{f"wanted lost, {word}": float(lost[word].mean()) for word in WANTED},
        "wanted named rightly": _pool(named, WANTED),
    }
    print(f"{run.path.name}: " + ", ".join(f"{name} {100 * rate:.1f}" for name, rate in rates.items()), flush=True)
    return rates


def _of_wanted(run: Run, prepared: Prepared) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Of each wanted word's testing clips, which are turned away, and which accepted and named rightly."""
    classifier, corpus, test = run.classifier(), prepared.corpus, prepared.split.test
    probabilities = predict_probabilities(classifier, corpus, test)
    accepted = probabilities.max(axis=1) >= classifier.threshold
    right = probabilities.argmax(axis=1) == corpus.targets[test]
    own = {word: corpus.targets[test] == corpus.labels.index(word) for word in WANTED}
    return {word: ~accepted[rows] for word, rows in own.items()}, {
        word: (accepted & right)[rows] for word, rows in own.items()
    }


def _of_others(run: Run, prepared: Prepared) -> dict[str, np.ndarray]:
    """Of each other word's testing clips, which are taken for a wanted word."""
    classifier, others = run.classifier(), prepared.unknown_words
    assert others is not None
    probabilities = predict_probabilities(classifier, others, np.arange(len(others)))
    taken = probabilities.max(axis=1) >= classifier.threshold
    labels = np.array([clip.label for clip in others.clips])
    return {word: taken[labels == word] for word in others.labels}


def _pool(values: dict[str, np.ndarray], words: Collection[str]) -> float:
    return float(np.concatenate([own for word, own in values.items() if word in words]).mean())


if __name__ == "__main__":
    main()
