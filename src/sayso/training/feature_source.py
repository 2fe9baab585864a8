"""Features of clips, of their augmented copies or of their samples as they are; computed once where that can be.

Of features that learn, what they make of samples before the first weights that do is kept.
"""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from sayso.augment import Surroundings
from sayso.classifier.kept_features import FeatureTable, KeptFeatures
from sayso.classifier.module import samples_from_int16
from sayso.data.corpus import Rows
from sayso.data.packing import fingerprint
from sayso.features import Feature
from sayso.recipe.recipe import Recipe
from sayso.system.progress import Task
from sayso.training.feature_cache import FeatureCache, fits
from sayso.training.teacher import Teacher

__all__ = ["FeatureSource", "Heard"]

_BATCH = 256
# Apart from the epochs and steps that seed augmentation anew.
_COPIES_SEED = 2**32


@dataclass(frozen=True, eq=False)
class Heard:
    """What a step of training hears of some clips."""

    features: Float[Tensor, "batch channels bins frames"]
    """Not normalised."""
    taught: Float[Tensor, "batch classes"] | None = None
    """The teacher's logits of the very samples; None where there is no teacher."""


class FeatureSource:
    """Features of clips, for training and for scoring; not normalised.

    It owns no model: whose features they are is said at each call, so that what is kept of features that never change
    may serve several trainings on parts of the same clips.

    Args:
        recipe: its augmentations, and how many copies it wants.
        samples: of the clips, int16 (clips, samples).
        train: rows of them that train.
        scored: rows that are only ever scored, as they are.
        noise: recordings of background noise, for augmentation.
        speech: recordings of other speech, for augmentation.
        keeps: whether features that stay the same are worth keeping here.
        stream: apart from other sources of one training, which are augmented otherwise.
        most_copies: of augmented clips, whatever the recipe asks for; None: as many as that.
        marks: fingerprint of each clip, (clips,); empty: they are made of the samples where they are needed.
        known: features of some of the clips that need not be computed again.
        left_alone: rows that no augmentation of samples changes.
        teacher: answers to the samples that train, as they are changed; None: there is none.
    """

    def __init__(
        self,
        recipe: Recipe,
        samples: NDArray[np.int16],
        *,
        train: Rows,
        scored: Rows,
        noise: Sequence[Tensor] = (),
        speech: Sequence[Tensor] = (),
        keeps: bool = True,
        stream: int = 0,
        most_copies: int | None = None,
        marks: Sequence[str] = (),
        known: KeptFeatures | None = None,
        left_alone: Rows | None = None,
        teacher: Teacher | None = None,
    ) -> None:
        self.left_alone, self.teacher = left_alone, teacher
        self.asked = 0
        self.marks, self.known = marks, known
        self.samples, self.train, self.scored, self.stream = samples, train, scored, stream
        self.seed, self._learns = recipe.training.seed, recipe.features.learns
        wanted = recipe.training.copies
        self.copies = min(wanted, most_copies) if wanted and most_copies else wanted
        surroundings = Surroundings(recipe.audio.sample_rate, noise, speech)
        self.on_samples = [part.build(surroundings) for part in recipe.augment if part.works_on == "samples"]
        self.shape = shape = recipe.features.build(recipe.audio).steady_shape
        steady = np.concatenate((train, scored)) if not self.on_samples else scored if self.copies else scored[:0]
        keeps = keeps and (recipe.features.splits or not recipe.features.learns)
        self._steady = steady if keeps and fits(len(steady), shape) else steady[:0]
        self._kept: FeatureCache | None = None
        self._copies: list[FeatureCache] = []
        self._taught: list[FeatureCache] = []

    def taught_by(self, place: int) -> "FeatureSource":
        """The same with what the teacher at this place answered to the very samples, see `Teacher.answer_each`."""
        other = copy(self)
        other.asked = place
        return other

    def draw(self, rng: np.random.Generator) -> Rows:
        """Rows for an epoch, in a drawn order."""
        return rng.permutation(self.train)

    @property
    def clips_to_represent(self) -> int:
        """How many clips `prepare` advances by."""
        answered = len(self.train) if self.teacher and not self.copies and not self.on_samples else 0
        return len(self.train) * (self.copies or 0) + len(self._steady) + answered

    @property
    def kept(self) -> KeptFeatures:
        """All features that stay the same, once they are prepared."""
        none = FeatureCache(self.train[:0], self.shape)
        steady = self._table(self._steady, self._kept or none)
        return KeptFeatures(steady, tuple(self._table(self.train, each) for each in self._copies))

    def prepare(self, features: Feature, task: Task) -> None:
        """Keep the features that stay the same, and the teacher's answers that do.

        They are those of augmented copies, as many as the recipe asks for; and those of clips that no augmentation
        changes. They are computed in one order, whatever the epoch that a training goes on with.
        """
        with torch.no_grad():
            self._taught = []
            self._copies = [self._augmented(features, number, task) for number in range(self.copies or 0)]
            if len(self._steady):
                self._kept = FeatureCache(self._steady, features.steady_shape)
                known = self.known.as_they_are if self.known else None
                for batch in _in_batches(self._look_up(self._kept, self._steady, known, task)):
                    self._kept[batch] = features.steady(self._samples(batch, self._kept.values.device))
                    task.advance(len(batch))
            if self.teacher and not self.copies and not self.on_samples:
                self._taught = [FeatureCache(self.train, (self.teacher.count, self.teacher.classes))]
                for batch in _in_batches(self.train):
                    self._taught[0][batch] = self.teacher.answer_each(self._samples(batch, torch.device("cpu")))
                    task.advance(len(batch))

    def measured(self, features: Feature, rows: Rows) -> Iterator[Float[Tensor, "batch channels bins frames"]]:
        """Yield what a normaliser is measured on: the kept copies of these clips, else the clips as they are.

        Of features that learn, which are another thing soon, the first copies do.
        """
        if self._copies:
            copies = self._copies[:1] if self._learns else self._copies
            yield from (features.learned(each[batch]) for each in copies for batch in _in_batches(rows))
        else:
            yield from (self.as_they_are(features, batch, torch.device("cpu")) for batch in _in_batches(rows))

    def for_training(
        self, features: Feature, rows: Rows, *, epoch: int, generator: torch.Generator, device: torch.device
    ) -> Heard:
        """Give the features of these clips in an epoch of training, of augmented samples, and the teacher's answers."""
        if self.on_samples and not self._copies:
            samples = self._augment(rows, generator, device)
            return Heard(features(samples), self.teacher.answer_each(samples)[:, self.asked] if self.teacher else None)
        taught = self._taught[epoch % len(self._taught)][rows][:, self.asked].to(device) if self._taught else None
        if self._copies:
            return Heard(features.learned(self._copies[epoch % len(self._copies)][rows].to(device)), taught)
        return Heard(self.as_they_are(features, rows, device), taught)

    def as_they_are(
        self, features: Feature, rows: Rows, device: torch.device
    ) -> Float[Tensor, "batch channels bins frames"]:
        """Give the features of clips without augmentation."""
        if self._kept is None:
            return features(self._samples(rows, device))
        return features.learned(self._kept[rows].to(device))

    def augmented(self, samples: Float[Tensor, "batch samples"], generator: torch.Generator) -> Tensor:
        """Change samples as the recipe's augmentations of them do."""
        for change in self.on_samples:
            samples = change(samples, generator)
        return samples

    def _augmented(self, features: Feature, number: int, task: Task) -> FeatureCache:
        kept = FeatureCache(self.train, features.steady_shape)
        left = self._look_up(kept, self.train, self.known.copy(number) if self.known else None, task)
        taught = FeatureCache(self.train, (self.teacher.count, self.teacher.classes)) if self.teacher else None
        for place, batch in enumerate(_in_batches(left)):
            drawn_from = (self.seed, _COPIES_SEED, self.stream, number, place)
            seed = np.random.SeedSequence(drawn_from).generate_state(1)[0]
            generator = torch.Generator().manual_seed(int(seed))
            samples = self._augment(batch, generator, kept.values.device)
            kept[batch] = features.steady(samples)
            if self.teacher and taught is not None:
                taught[batch] = self.teacher.answer_each(samples)
            task.advance(len(batch))
        if taught is not None:
            self._taught.append(taught)
        return kept

    def _look_up(self, kept: FeatureCache, rows: Rows, known: FeatureTable | None, task: Task) -> Rows:
        """Fill in what is known of these rows; gives those of which nothing is."""
        if known is None:
            return rows
        places = known.find(self._marks(rows))
        kept[rows[places >= 0]] = known[places[places >= 0]]
        task.advance(int(np.count_nonzero(places >= 0)))
        return rows[places < 0]

    def _marks(self, rows: Rows) -> list[str]:
        own = self.marks
        return [own[int(row)] if own else fingerprint(self.samples[row]) for row in rows]

    def _table(self, rows: Rows, kept: FeatureCache) -> FeatureTable:
        return FeatureTable(tuple(self._marks(rows)), kept.values)

    def _augment(self, rows: Rows, generator: torch.Generator, device: torch.device) -> Float[Tensor, "batch samples"]:
        with torch.no_grad():
            samples = self._samples(rows, device)
            changed = self.augmented(samples, generator)
            if self.left_alone is None:
                return changed
            alone = torch.from_numpy(np.isin(rows, self.left_alone)).to(device)
            return torch.where(alone[:, None], samples, changed)

    def _samples(self, rows: Rows, device: torch.device) -> Float[Tensor, "batch samples"]:
        return samples_from_int16(torch.from_numpy(self.samples[rows]).to(device))


def _in_batches(rows: Rows) -> list[Rows]:
    return np.array_split(rows, -(-len(rows) // _BATCH)) if len(rows) else []
