"""What each recipe heard in each clip: where they agree that a label is wrong, somebody should listen."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.data.clips import Clip
from sayso.data.corpus import Corpus
from sayso.data.listed_clips import ListedClips
from sayso.runs.folder import RunFolder
from sayso.runs.predictions import read_predictions
from sayso.studies.comparison.plan import Plan
from sayso.system.wording import path_tail
from sayso.views.html.marks import PageClip, describe_clips
from sayso.views.html.media import small_sound_uri
from sayso.views.plots.confusion import draw_confusion_matrix
from sayso.views.plots.style import svg_text

__all__ = ["ComparedClips", "read_compared"]

MOST_MISSED = 200
"""Clips that are listed as most recipes missed them; each brings its sound."""
_MOST_LISTED = 3_000
_Key = tuple[str, str, str]


@dataclass(frozen=True, eq=False)
class ComparedClips:
    """The tested clips, and what each recipe heard in them."""

    corpus: Corpus
    labels: tuple[str, ...]
    """The words of all recipes."""
    rows: NDArray[np.int64]
    """(clips,), of the corpus."""
    shares: Mapping[str, NDArray[np.float64]]
    """By recipe, the best first: (clips, words), the mean over seeds."""
    licences: tuple[str, ...] = ()
    """Whose the clips are and under which licences, where that is known."""

    @property
    def listed(self) -> ListedClips:
        """What is kept beside the page, so that marks made there are told from others."""
        clips = [self.corpus.clips[row] for row in self.rows]
        parts = {(clip.path, clip.start_seconds): "test" for clip in clips}
        return ListedClips(parts, self.labels, total=len(clips))

    def describe(self) -> tuple[dict[str, Any], dict[str, str]]:
        """Give what a page's script is to know of them, as plain values, and a confusion matrix of each recipe, SVG."""
        labels = self.labels
        said = np.array([labels.index(self.corpus.clips[row].label) for row in self.rows], np.int64)
        heard = {recipe: shares.argmax(axis=1) for recipe, shares in self.shares.items()}
        missed = np.sum([words != said for words in heard.values()], axis=0)
        sure = np.mean([shares[np.arange(len(said)), said] for shares in self.shares.values()], axis=0)
        order = np.lexsort((sure, -missed))[: max(_MOST_LISTED, np.count_nonzero(missed))]
        listed = order[: min(MOST_MISSED, np.count_nonzero(missed))]
        facts, _ = describe_clips([self._clip(int(self.rows[place])) for place in order], labels)
        answers: list[dict[str, Any]] = []
        pictures: dict[str, str] = {}
        for number, (recipe, words) in enumerate(heard.items()):
            counts = np.zeros((len(labels), len(labels)), np.int64)
            np.add.at(counts, (said, words), 1)
            name = f"confusion{number}"
            pictures[name] = svg_text(draw_confusion_matrix(counts, labels))
            answers.append(
                {
                    "figure": name,
                    "by": recipe,
                    "counts": counts.tolist(),
                    "heard": words[order].tolist(),
                    "shares": self.shares[recipe][order, words[order]].round(3).tolist(),
                }
            )
        sounds = {place: self._sound(int(self.rows[clip])) for place, clip in enumerate(listed)}
        more = int(np.count_nonzero(missed)) - len(listed)
        return facts | {"answers": answers, "missed": len(listed), "missed_more": more, "sounds": sounds}, pictures

    def _clip(self, row: int) -> PageClip:
        clip = self.corpus.clips[row]
        return PageClip(self.corpus.names[row], clip.path, clip.label, clip.speaker, clip.start_seconds, "test")

    def _sound(self, row: int) -> str:
        return small_sound_uri(np.array(self.corpus.samples[row]), self.corpus.audio.sample_rate)


def read_compared(plan: Plan, trials: Path, recipes: Sequence[str]) -> ComparedClips | None:
    """Read what the recipes of a comparison answered on the clips of its folds; None where no clip can be told apart.

    Args:
        plan: its trials, all finished.
        trials: where their folders lie.
        recipes: their names, the best first.

    Raises:
        RunError: a trial is damaged.
    """
    corpus = plan.contestants[0].corpus
    labels = tuple(sorted({label for one in plan.contestants for label in one.corpus.labels}))
    # Clips that are told apart by more of their paths than every machine has in common are left out.
    often = Counter(map(_key, corpus.clips))
    row_of = {_key(clip): row for row, clip in enumerate(corpus.clips) if often[_key(clip)] == 1}
    sums = {recipe: _sum(plan, trials, recipe, labels) for recipe in recipes}
    keys = [key for key in next(iter(sums.values())) if key in row_of]
    if not keys:
        return None
    shares = {recipe: np.stack([known[key] for key in keys]) / len(plan.seeds) for recipe, known in sums.items()}
    rows = np.array([row_of[key] for key in keys], np.int64)
    return ComparedClips(corpus, labels, rows, shares, plan.contestants[0].recipe.dataset.licences())


def _sum(plan: Plan, trials: Path, recipe: str, labels: Sequence[str]) -> dict[_Key, NDArray[np.float64]]:
    """Of each clip the probabilities of all words, added over the seeds; of words that a recipe lacks none."""
    total: dict[_Key, NDArray[np.float64]] = {}
    for trial in plan.trials:
        if trial.recipe_name != recipe or trial.fold not in plan.folds:
            continue
        read = read_predictions(RunFolder(trials / trial.name).predictions_file)
        columns = [labels.index(label) for label in read.labels]
        for clip, shares in zip(read.clips, read.probabilities, strict=True):
            key = (path_tail(clip.clip), clip.start_seconds, clip.label)
            total.setdefault(key, np.zeros(len(labels)))[columns] += shares
    return total


def _key(clip: Clip) -> _Key:
    """As of an answer, the same on every machine."""
    return path_tail(clip.path), "" if clip.start_seconds is None else str(clip.start_seconds), clip.label
