"""Words that a model, trained without the clip, is sure to be another one.

Every clip is scored by a model of a cross-validation that never heard it. Its label is doubted by the rule of confident
learning (Northcutt, Jiang & Chuang (2021), "Confident learning: estimating uncertainty in dataset labels"): another
word reaches the probability that this word's own clips have on average. To that comes a limit on the label's own.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from sayso.classifier.inference import predict_probabilities
from sayso.config.schema import dump
from sayso.data.clips import Clip
from sayso.data.corpus import Corpus, Rows
from sayso.data.faults.detector import Detector, Finding, Values
from sayso.data.splits.draw import Split
from sayso.recipe.prepared import Prepared
from sayso.recipe.recipe import Recipe, recipe_from_values
from sayso.runs.folder import RunFolder
from sayso.system.progress import Progress
from sayso.system.wording import counted, percent

__all__ = ["FOLDS", "Mislabels"]

FOLDS = 5
LEAST_EPOCHS, MOST_EPOCHS = 10, 150
MOST_OF_LABEL = 0.05
LEAST_SPEAKERS = 50
LEAST_OF_WORD = 20
_TIMED_CLIPS = 512
_CLIPS_TO_SEE = 30_000


class Mislabels(Detector):
    """Out-of-fold probabilities of a small TC-ResNet."""

    name: ClassVar[str] = "mislabels"
    place: ClassVar[int] = 50
    title: ClassVar[str] = "Likely mislabels"
    meaning: ClassVar[str] = (
        "A model that was trained without the clip, one of five of a cross-validation, is nearly sure of another word. "
        "Listen before you believe it: a word said unclearly looks the same."
    )
    threshold: ClassVar[str] = (
        f"probability of its own word below {MOST_OF_LABEL:g}, and of another at least what that word's clips have on "
        f"average; words with fewer than {LEAST_OF_WORD} clips are left out"
    )
    trains: ClassVar[bool] = True

    def why_not(self, clips: Sequence[Clip]) -> str | None:
        """With fewer than two words of some clips there is nothing to tell apart."""
        words = len(_words(clips))
        are = "is" if words == 1 else "are"
        short = f"needs at least 2 words of {LEAST_OF_WORD} clips or more to tell apart, here {are} {words}"
        return short if words < 2 else None

    def find(self, values: Values, corpus: Corpus, progress: Progress, *, threads: int) -> Iterator[Finding]:
        """Train the folds and name the clips that they doubt.

        Raises:
            InterruptedRunError: Ctrl-C.
        """
        del values
        rows = _learnable(corpus)
        # Fingerprints tell whether a training goes on with the clips it began with; these trainings never go on.
        corpus = replace(corpus, fingerprints=tuple(map(str, range(len(corpus)))))
        folds = _folds([corpus.clips[row] for row in rows], corpus.targets[rows])
        progress.note(_estimate(corpus, rows, threads))
        recipe = _recipe(corpus, _epochs(len(rows)), threads)
        shares = _out_of_fold(corpus, rows, folds, recipe, progress)
        for place, word in _doubted(corpus.targets[rows], shares):
            row, own = int(rows[place]), float(shares[place, corpus.targets[rows[place]]])
            detail = f"'{corpus.labels[word]}' {percent(shares[place, word], digits=0)}, its own word {percent(own)}"
            yield Finding(row, float(shares[place, word]) - own, detail)


def _words(clips: Sequence[Clip]) -> set[str]:
    counts = Counter(clip.label for clip in clips)
    return {word for word, count in counts.items() if count >= LEAST_OF_WORD}


def _learnable(corpus: Corpus) -> Rows:
    words = _words(corpus.clips)
    return np.array([row for row, clip in enumerate(corpus.clips) if clip.label in words], np.int64)


def _folds(clips: Sequence[Clip], targets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Fold of each clip: whole speakers where at least 50 are known, so that enough voices stay; else each word evenly.

    With few speakers a model that lacks one of them doubts much that is right.
    """
    rng = np.random.default_rng(0)
    speakers = [clip.speaker for clip in clips]
    if None not in speakers and len(set(speakers)) >= LEAST_SPEAKERS:
        names = rng.permutation(sorted({speaker for speaker in speakers if speaker}))
        fold_of = {str(name): place % FOLDS for place, name in enumerate(names)}
        return np.array([fold_of[str(speaker)] for speaker in speakers], np.int64)
    folds = np.empty(len(clips), np.int64)
    for word in np.unique(targets):
        own = rng.permutation(np.flatnonzero(targets == word))
        folds[own] = np.arange(len(own)) % FOLDS
    return folds


def _epochs(clips: int) -> int:
    """So many that few clips are seen often enough too."""
    return int(np.clip(_CLIPS_TO_SEE // clips, LEAST_EPOCHS, MOST_EPOCHS))


def _recipe(corpus: Corpus, epochs: int, threads: int) -> Recipe:
    values = {
        "dataset": {"kind": "folder", "path": "audited"},
        "audio": dump(corpus.audio),
        "level": "peak",
        "split": {"validation": "none"},
        "model": {"kind": "tc_resnet", "width": 1.0},
        "augment": [{"kind": "spec_augment"}],
        "training": {
            "epochs": epochs,
            "keep": "last",
            "label_smoothing": 0.0,
            "threads": threads,
        },
    }
    return recipe_from_values(values, source="audit")


def _train(corpus: Corpus, train: Rows, test: Rows, recipe: Recipe, progress: Progress) -> NDArray[np.float64]:
    # Imported here: Lightning takes seconds to load, and only detectors that train need it.
    from sayso.training import fit

    split = Split(train=train, validation=train[:0], test=test, kind="folds")
    with tempfile.TemporaryDirectory(prefix="sayso-audit-") as folder:
        fitted = fit(Prepared(recipe, corpus, split, progress=progress), RunFolder(Path(folder)))
    return predict_probabilities(fitted.classifier, corpus, test)


def _estimate(corpus: Corpus, rows: Rows, threads: int) -> str:
    """Time three epochs of some clips, after one in which everything is loaded."""
    some = np.random.default_rng(0).permutation(rows)[:_TIMED_CLIPS]
    start = time.perf_counter()
    _train(corpus, some, some[:1], _recipe(corpus, 1, threads), Progress())
    middle = time.perf_counter()
    _train(corpus, some, some[:1], _recipe(corpus, 3, threads), Progress())
    end = time.perf_counter()
    each = (end - middle) / 3 / len(some)
    passes = _epochs(len(rows)) * len(rows) * (FOLDS - 1)
    minutes = (passes * each + FOLDS * (middle - start)) / 60
    return (
        f"mislabels: trains {FOLDS} folds of {counted(len(rows), 'clip')} for {_epochs(len(rows))} epochs, about "
        f"{max(minutes, 0.1):.1f} minutes on this machine; Ctrl-C keeps all other findings"
    )


def _out_of_fold(
    corpus: Corpus, rows: Rows, folds: NDArray[np.int64], recipe: Recipe, progress: Progress
) -> NDArray[np.float64]:
    """Probability of every word for each of the rows, (rows, words), by models that never heard the row."""
    shares = np.zeros((len(rows), len(corpus.labels)))
    for fold in range(FOLDS):
        held_out = folds == fold
        if held_out.any():
            shares[held_out] = _train(corpus, rows[~held_out], rows[held_out], recipe, progress)
    return shares


def _doubted(targets: NDArray[np.int64], shares: NDArray[np.float64]) -> Iterator[tuple[int, int]]:
    """Give the place of each doubted label, and the word that the clip is taken for."""
    words = shares.shape[1]
    average = np.array(
        [shares[targets == word, word].mean() if (targets == word).any() else 2 for word in range(words)]
    )
    own = shares[np.arange(len(targets)), targets]
    heard = np.where(shares >= average, shares, 0.0)
    best = heard.argmax(axis=1)
    doubted = (best != targets) & (heard.max(axis=1) > 0) & (own < MOST_OF_LABEL)
    for place in np.flatnonzero(doubted):
        yield int(place), int(best[place])
