"""What the finished trials of a recipe answered: which test clips it got right, seed by seed."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sayso.errors import RunError
from sayso.runs.folder import RunFolder
from sayso.runs.predictions import read_predictions
from sayso.studies.trials.trial import Trial
from sayso.system.wording import path_tail

__all__ = ["Answers", "read_answers"]


@dataclass(frozen=True, eq=False)
class Answers:
    """Right and wrong answers of one recipe on the clips of all folds, one fold behind the other."""

    right: NDArray[np.float64]
    """(seeds, clips), 1 where it was right."""
    speakers: tuple[str | None, ...]
    """(clips,)"""
    clips: tuple[tuple[str, ...], ...]
    """(clips,): the last two parts of its path, where it starts, its word. The same on every machine."""

    @cached_property
    def mean(self) -> NDArray[np.float64]:
        """Share of seeds with which each clip was recognised, (clips,)."""
        return self.right.mean(axis=0)

    @property
    def by_seed(self) -> list[float]:
        """Accuracy with each seed."""
        return self.right.mean(axis=1).tolist()

    @cached_property
    def by_speaker(self) -> dict[str, tuple[float, int]]:
        """Right answers, as their mean over seeds, and clips of each known speaker."""
        clips: dict[str, list[int]] = defaultdict(list)
        for place, speaker in enumerate(self.speakers):
            if speaker is not None:
                clips[speaker].append(place)
        return {name: (float(self.mean[places].sum()), len(places)) for name, places in sorted(clips.items())}


def read_answers(trials: Sequence[Trial], folder: Path) -> Answers:
    """Read the predictions of a recipe's trials.

    Args:
        trials: of one recipe, the same folds for every seed.
        folder: where the folders of the trials lie.

    Raises:
        RunError: they are damaged, or were not tested on the same clips with every seed.
    """
    by_seed: dict[int, list[Trial]] = defaultdict(list)
    for trial in trials:
        by_seed[trial.seed].append(trial)
    read = [[row for trial in seeded for row in _rows(folder / trial.name)] for seeded in by_seed.values()]
    clips = [tuple((*key, speaker or "") for key, speaker, _ in rows) for rows in read]
    if any(other != clips[0] for other in clips):
        raise RunError(
            f"{folder}: {trials[0].recipe_name} was not tested on the same clips with every seed; remove them"
        )
    right = np.array([[hit for _, _, hit in rows] for rows in read], dtype=np.float64)
    return Answers(right, tuple(speaker for _, speaker, _ in read[0]), tuple(key for key, _, _ in read[0]))


def _rows(folder: Path) -> list[tuple[tuple[str, ...], str | None, bool]]:
    """What identifies each clip, who speaks it, whether it was recognised."""
    try:
        read = read_predictions(RunFolder(folder).predictions_file)
    except RunError as error:
        raise RunError(f"{error}; remove {folder}, and start the comparison again") from error
    return [
        ((path_tail(clip.clip), clip.start_seconds, clip.label), clip.speaker or None, bool(hit))
        for clip, hit in zip(read.clips, read.right, strict=True)
    ]
