"""What the network gets of clips: augmented, represented and normalised; computed once where that can be."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float
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
    """Features of a corpus's clips, for training and for scoring.

    Args:
        classifier: what represents and normalises them; its normaliser is set by `prepare`.
        prepared: the clips, and the augmentations of their recipe.
    """

    def __init__(self, classifier: Classifier, prepared: Prepared) -> None:
        self.classifier, self.corpus, self.split = classifier, prepared.corpus, prepared.split
        self.settings = classifier.recipe.training
        surroundings = Surroundings(self.corpus.audio.sample_rate, tuple(_float_noise(self.corpus)))
        parts = [(part.works_on, part.build(surroundings)) for part in classifier.recipe.augment]
        self.on_samples = [change for works_on, change in parts if works_on == "samples"]
        self.on_features = [change for works_on, change in parts if works_on == "features"]
        self._kept: FeatureCache | None = None
        self._copies: list[FeatureCache] = []

    @property
    def clips_to_represent(self) -> int:
        """How many clips `prepare` advances by."""
        train = len(self.split.train)
        return train * (self.settings.copies or 1) + len(self.split.validation)

    def prepare(self, task: Task) -> None:
        """Keep the features that stay the same, and set the normaliser from those of the training clips.

        Kept are those of augmented copies, as many as the recipe asks for; else those of all clips where no
        augmentation changes samples. They are computed in one order, whatever the epoch that a training goes on with.
        """
        copies = self.settings.copies
        with torch.no_grad():
            if copies:
                self._copies = [self._augmented(copy, task) for copy in range(copies)]
                self._kept = self._as_they_are(self.split.validation, task)
                self.classifier.normaliser.measure(
                    batch for copy in self._copies for batch in copy.values.split(_BATCH)
                )
                return
            if not self.on_samples:
                self._kept = self._as_they_are(np.concatenate((self.split.train, self.split.validation)), task)
            self.classifier.normaliser.measure(self.as_they_are(batch) for batch in _in_batches(self.split.train))

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
        rows = self.split.train
        kept = FeatureCache(rows, self.classifier.features.shape)
        for place, batch in enumerate(_in_batches(rows)):
            seed = np.random.SeedSequence((self.settings.seed, _COPIES_SEED, copy, place)).generate_state(1)[0]
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
        return samples_from_int16(torch.from_numpy(self.corpus.samples[rows]).to(self._device))

    @property
    def _device(self) -> torch.device:
        return next(self.classifier.network.parameters()).device


def _in_batches(rows: Rows) -> list[Rows]:
    return np.array_split(rows, -(-len(rows) // _BATCH))


def _float_noise(corpus: Corpus) -> Iterator[Tensor]:
    for recording in corpus.noise:
        yield torch.from_numpy(np.array(recording)).float() / 32768
