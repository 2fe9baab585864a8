"""What the network gets of clips: augmented, represented and normalised; computed once where that can be."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from sayso.augment import Surroundings
from sayso.classifier.module import Classifier, samples_from_int16
from sayso.data.corpus import Corpus, Rows
from sayso.recipe.prepared import Prepared
from sayso.system.progress import Task
from sayso.training.feature_cache import FeatureCache, fits

__all__ = ["FeatureSource"]

_BATCH = 256
# Apart from the epochs and steps that seed augmentation anew.
_COPIES_SEED = 2**32


class FeatureSource:
    """Features of clips, for training and for scoring.

    Args:
        classifier: what represents and normalises them.
        samples: of the clips, int16 (clips, samples).
        train: rows of them that train.
        scored: rows that are only ever scored, as they are.
        noise: recordings of background noise, for augmentation.
        stream: apart from other sources of one training, which are augmented otherwise.
    """

    def __init__(
        self,
        classifier: Classifier,
        samples: NDArray[np.int16],
        *,
        train: Rows,
        scored: Rows,
        noise: Sequence[Tensor] = (),
        stream: int = 0,
    ) -> None:
        self.classifier, self.samples, self.train, self.scored, self.stream = classifier, samples, train, scored, stream
        self.settings = classifier.recipe.training
        surroundings = Surroundings(classifier.audio.sample_rate, noise)
        parts = [(part.works_on, part.build(surroundings)) for part in classifier.recipe.augment]
        self.on_samples = [change for works_on, change in parts if works_on == "samples"]
        self.on_features = [change for works_on, change in parts if works_on == "features"]
        self._kept: FeatureCache | None = None
        self._copies: list[FeatureCache] = []

    @classmethod
    def of_words(cls, classifier: Classifier, prepared: Prepared) -> "FeatureSource":
        """Make the source of the clips of the words."""
        corpus, split = prepared.corpus, prepared.split
        noise = tuple(_float_noise(corpus))
        return cls(classifier, corpus.samples, train=split.train, scored=split.validation, noise=noise)

    @classmethod
    def of_negatives(cls, classifier: Classifier, prepared: Prepared) -> "FeatureSource | None":
        """Make the source of sounds that are none of the words; None where there are none."""
        negatives = prepared.negatives
        if negatives is None:
            return None
        noise, rows = tuple(_float_noise(prepared.corpus)), np.arange(len(negatives))
        return cls(classifier, negatives.samples, train=rows, scored=rows[:0], noise=noise, stream=1)

    @property
    def clips_to_represent(self) -> int:
        """How many clips `prepare` advances by."""
        return len(self.train) * (self.settings.copies or 1) + len(self.scored)

    def prepare(self, task: Task) -> None:
        """Keep the features that stay the same.

        They are those of augmented copies, as many as the recipe asks for; else those of all clips where no
        augmentation changes samples. They are computed in one order, whatever the epoch that a training goes on with.
        """
        copies = self.settings.copies
        with torch.no_grad():
            if copies:
                self._copies = [self._augmented(copy, task) for copy in range(copies)]
                self._kept = self._as_they_are(self.scored, task)
            elif not self.on_samples:
                self._kept = self._as_they_are(np.concatenate((self.train, self.scored)), task)

    def measured(self) -> Iterator[Float[Tensor, "batch channels bins frames"]]:
        """Yield what a normaliser is measured on: the kept copies, else the training clips as they are."""
        if self._copies:
            yield from (batch for copy in self._copies for batch in copy.values.split(_BATCH))
        else:
            yield from (self.as_they_are(batch) for batch in _in_batches(self.train))

    def for_training(
        self, rows: Rows, *, epoch: int, generator: torch.Generator
    ) -> Float[Tensor, "batch channels bins frames"]:
        """Give what the network gets of these clips in an epoch of training: augmented, represented, normalised."""
        if self._copies:
            features = self._copies[epoch % len(self._copies)][rows].to(self._device)
        elif self.on_samples:
            features = self.classifier.features(self._augment(rows, generator))
        else:
            features = self.as_they_are(rows)
        features = self.classifier.normaliser(features)
        for change in self.on_features:
            features = change(features, generator)
        return features

    def as_they_are(self, rows: Rows) -> Float[Tensor, "batch channels bins frames"]:
        """Give the features of clips without augmentation, not normalised."""
        if self._kept is not None and rows in self._kept:
            return self._kept[rows].to(self._device)
        return self.classifier.features(self._samples(rows))

    def _augmented(self, copy: int, task: Task) -> FeatureCache:
        rows = self.train
        kept = FeatureCache(rows, self.classifier.features.shape)
        for place, batch in enumerate(_in_batches(rows)):
            seed = np.random.SeedSequence((self.settings.seed, _COPIES_SEED, self.stream, copy, place)).generate_state(
                1
            )[0]
            kept[batch] = self.classifier.features(self._augment(batch, torch.Generator().manual_seed(int(seed))))
            task.advance(len(batch))
        return kept

    def _as_they_are(self, rows: Rows, task: Task) -> FeatureCache | None:
        shape = self.classifier.features.shape
        # A GPU computes them faster than it fetches them.
        if len(rows) == 0 or self._device.type != "cpu" or not fits(len(rows), shape):
            return None
        kept = FeatureCache(rows, shape)
        for batch in _in_batches(rows):
            kept[batch] = self.classifier.features(self._samples(batch))
            task.advance(len(batch))
        return kept

    def _augment(self, rows: Rows, generator: torch.Generator) -> Float[Tensor, "batch samples"]:
        samples = self._samples(rows)
        for change in self.on_samples:
            samples = change(samples, generator)
        return samples

    def _samples(self, rows: Rows) -> Float[Tensor, "batch samples"]:
        return samples_from_int16(torch.from_numpy(self.samples[rows]).to(self._device))

    @property
    def _device(self) -> torch.device:
        return next(self.classifier.network.parameters()).device


def _in_batches(rows: Rows) -> list[Rows]:
    return np.array_split(rows, -(-len(rows) // _BATCH))


def _float_noise(corpus: Corpus) -> Iterator[Tensor]:
    for recording in corpus.noise:
        yield torch.from_numpy(np.array(recording)).float() / 32768
