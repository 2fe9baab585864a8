"""Features of clips, of their augmented copies or of their samples as they are; computed once where that can be."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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

__all__ = ["FeatureSource", "Sources"]

_BATCH = 256
# Of negatives there are many: more clips taught nothing, so more copies of them are not computed either.
_MOST_NEGATIVE_COPIES = 1
# Apart from the epochs and steps that seed augmentation anew.
_COPIES_SEED = 2**32


class FeatureSource:
    """Features of clips, for training and for scoring; not normalised.

    What it keeps may serve several trainings on parts of the same clips.

    Args:
        classifier: whose features they are.
        samples: of the clips, int16 (clips, samples).
        train: rows of them that train.
        scored: rows that are only ever scored, as they are.
        noise: recordings of background noise, for augmentation.
        stream: apart from other sources of one training, which are augmented otherwise.
        most_copies: of augmented clips, whatever the recipe asks for; None: as many as that.
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
        most_copies: int | None = None,
    ) -> None:
        self.classifier, self.samples, self.train, self.scored, self.stream = classifier, samples, train, scored, stream
        self.seed = classifier.recipe.training.seed
        self.learns = classifier.recipe.features.learns
        wanted = classifier.recipe.training.copies
        self.copies = min(wanted, most_copies) if wanted and most_copies else wanted
        surroundings = Surroundings(classifier.audio.sample_rate, noise)
        parts = [part for part in classifier.recipe.augment if part.works_on == "samples"]
        self.on_samples = [part.build(surroundings) for part in parts]
        self._kept: FeatureCache | None = None
        self._copies: list[FeatureCache] = []

    @property
    def clips_to_represent(self) -> int:
        """How many clips `prepare` advances by."""
        return len(self.train) * (self.copies or 1) + len(self.scored)

    def prepare(self, task: Task) -> None:
        """Keep the features that stay the same.

        They are those of augmented copies, as many as the recipe asks for; else those of all clips where no
        augmentation changes samples. They are computed in one order, whatever the epoch that a training goes on with.
        """
        with torch.no_grad():
            if self.copies:
                self._copies = [self._augmented(copy, task) for copy in range(self.copies)]
                self._kept = self._as_they_are(self.scored, task)
            elif not self.on_samples and not self.learns:
                self._kept = self._as_they_are(np.concatenate((self.train, self.scored)), task)

    def measured(self, rows: Rows) -> Iterator[Float[Tensor, "batch channels bins frames"]]:
        """Yield what a normaliser is measured on: the kept copies of these clips, else the clips as they are."""
        if self._copies:
            yield from (copy[batch] for copy in self._copies for batch in _in_batches(rows))
        else:
            yield from (self.as_they_are(batch) for batch in _in_batches(rows))

    def for_training(
        self, rows: Rows, *, epoch: int, generator: torch.Generator
    ) -> Float[Tensor, "batch channels bins frames"]:
        """Give the features of these clips in an epoch of training, of augmented samples."""
        if self._copies:
            return self._copies[epoch % len(self._copies)][rows].to(self._device)
        if self.on_samples:
            return self.classifier.features(self._augment(rows, generator))
        return self.as_they_are(rows)

    def as_they_are(self, rows: Rows) -> Float[Tensor, "batch channels bins frames"]:
        """Give the features of clips without augmentation, not normalised."""
        if self._kept is not None and rows in self._kept:
            return self._kept[rows].to(self._device)
        return self.classifier.features(self._samples(rows))

    def _augmented(self, copy: int, task: Task) -> FeatureCache:
        rows = self.train
        kept = FeatureCache(rows, self.classifier.features.shape)
        for place, batch in enumerate(_in_batches(rows)):
            drawn_from = (self.seed, _COPIES_SEED, self.stream, copy, place)
            seed = np.random.SeedSequence(drawn_from).generate_state(1)[0]
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
        with torch.no_grad():
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


@dataclass(frozen=True, eq=False)
class Sources:
    """What a training draws its features from."""

    words: FeatureSource
    negatives: FeatureSource | None
    """None where the recipe names none."""

    @classmethod
    def of(cls, classifier: Classifier, prepared: Prepared) -> "Sources":
        """Compute the features of a recipe's clips that stay the same."""
        corpus, split, negatives = prepared.corpus, prepared.split, prepared.negatives
        noise = tuple(_float_noise(corpus))
        words = FeatureSource(classifier, corpus.samples, train=split.train, scored=split.validation, noise=noise)
        sources = cls(words, None)
        if negatives is not None:
            rows = np.arange(len(negatives))
            others = FeatureSource(
                classifier,
                negatives.samples,
                train=rows,
                scored=rows[:0],
                noise=noise,
                stream=1,
                most_copies=_MOST_NEGATIVE_COPIES,
            )
            sources = cls(words, others)
        total = sum(source.clips_to_represent for source in (sources.words, sources.negatives) if source)
        with prepared.progress.task("representing clips", total=total, unit="clips") as task:
            for source in (sources.words, sources.negatives):
                if source is not None:
                    source.prepare(task)
        return sources
