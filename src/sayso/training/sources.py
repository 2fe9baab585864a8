"""What a training draws its features from: the clips of the words, what is none of them, and streams of both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sayso.classifier.kept_features import FeatureTable, KeptFeatures
from sayso.data.corpus import Corpus, Rows
from sayso.errors import Fault, SettingsError
from sayso.features import Feature
from sayso.recipe.prepared import Prepared
from sayso.recipe.training_streams import count_streams
from sayso.training.feature_source import FeatureSource
from sayso.training.hardware import Hardware
from sayso.training.streamed_source import StreamedOthers, StreamedWords, StreamFeatures
from sayso.training.teacher import Teacher

__all__ = ["Sources"]

# Of negatives there are many: more clips taught nothing, so more copies of them are not computed either.
_MOST_NEGATIVE_COPIES = 1


@dataclass(frozen=True, eq=False)
class Sources:
    """What a training draws its features from."""

    words: FeatureSource | StreamedWords
    negatives: FeatureSource | StreamedOthers | None
    """None where the recipe names none."""
    known: KeptFeatures | None = None
    """Features that were known before."""

    @property
    def kept(self) -> KeptFeatures:
        """All features that stay the same, those among them that were known before."""
        own = [source.kept for source in (self.words, self.negatives) if source is not None]
        copies = [
            _joined([each.copies[number] for each in own if number < len(each.copies)])
            for number in range(max(len(each.copies) for each in own))
        ]
        before = (self.known.as_they_are,) if self.known else ()
        return KeptFeatures(_joined([*before, *(each.as_they_are for each in own)]), tuple(copies))

    def beside(self, rows: Rows) -> "Sources":
        """The same for a training on these rows of the corpus; of others it hears what `StreamedOthers.beside` says."""
        others = self.negatives
        return Sources(self.words, others.beside(rows), self.known) if isinstance(others, StreamedOthers) else self

    def taught_by(self, place: int) -> "Sources":
        """The same with what the teacher at this place answered to the very samples, see `Teacher.answer_each`."""
        words, others = (
            each.taught_by(place) if isinstance(each, FeatureSource) else each for each in (self.words, self.negatives)
        )
        assert words is not None
        return replace(self, words=words, negatives=others)

    @classmethod
    def of(
        cls,
        features: Feature,
        prepared: Prepared,
        hardware: Hardware,
        known: KeptFeatures | None = None,
        teacher: Teacher | None = None,
    ) -> "Sources":
        """Make the sources of a recipe's clips, and compute the features that stay the same and are not known yet.

        With a teacher they are all computed, as it must hear the very samples.

        Raises:
            SettingsError: the recipe names a teacher, and none is given.
        """
        if prepared.recipe.training.teacher and teacher is None:
            raise SettingsError([Fault("training.teacher", "is given, but is not at hand here; leave it out")])
        known = None if teacher else known
        recipe, corpus, split, negatives = prepared.recipe, prepared.corpus, prepared.split, prepared.negatives
        noise = tuple(_floats((*corpus.noise, *_background(prepared))))
        speech = tuple(_floats(prepared.recordings.sounds)) if prepared.recordings else ()
        on_streams = recipe.training.on == "streams"
        # A GPU computes them faster than it fetches them.
        keeps = hardware.device.type == "cpu"
        words = FeatureSource(
            recipe,
            corpus.samples,
            train=split.train[:0] if on_streams else split.train,
            scored=split.validation,
            noise=noise,
            speech=speech,
            keeps=keeps,
            marks=corpus.fingerprints,
            known=known,
            left_alone=_recorded(corpus) if recipe.training.augmented == "beside" else None,
            teacher=teacher,
        )
        others = None
        if negatives is not None:
            rows = np.arange(len(negatives))
            others = FeatureSource(
                recipe,
                negatives.samples,
                # Clips of other words stand in the streams.
                train=rows[negatives.spoken :] if on_streams else rows,
                scored=rows[:0],
                noise=noise,
                speech=speech,
                keeps=keeps,
                stream=1,
                most_copies=_MOST_NEGATIVE_COPIES,
                known=known,
                left_alone=negatives.windows,
                teacher=teacher,
            )
        made = [source for source in (words, others) if source is not None]
        if total := sum(source.clips_to_represent for source in made):
            with prepared.progress.task("representing clips", total=total, unit="clips") as task:
                for source in made:
                    source.prepare(features, task)
        if not on_streams or others is None:
            return cls(words, others, known)
        with prepared.progress.task("representing streams", total=count_streams(prepared), unit="streams") as task:
            streams = StreamFeatures.of(features, prepared, words.augmented, task)
        drawn = StreamedOthers(others, streams, recipe.rejection.windows)
        return cls(StreamedWords(words, streams), drawn, known)


def _recorded(corpus: Corpus) -> Rows:
    """Rows of the first data set of those that are mixed."""
    return np.array([row for row, clip in enumerate(corpus.clips) if clip.source == 0], dtype=np.int64)


def _background(prepared: Prepared) -> Iterator[NDArray[np.int16]]:
    """More recordings of noise, none of them shorter than a clip."""
    for sound in prepared.background.sounds if prepared.background else ():
        yield np.resize(sound, max(len(sound), prepared.corpus.audio.clip_samples))


def _joined(tables: Sequence[FeatureTable]) -> FeatureTable:
    """All of them as one, of equal clips the first."""
    marks = [mark for table in tables for mark in table.marks]
    places = sorted({mark: place for place, mark in reversed(list(enumerate(marks)))}.values())
    values = torch.cat([table.values.float() for table in tables])
    return FeatureTable(tuple(marks[place] for place in places), values[torch.tensor(places, dtype=torch.long)])


def _floats(recordings: Sequence[NDArray[np.int16]]) -> Iterator[Tensor]:
    for recording in recordings:
        yield torch.from_numpy(np.array(recording)).float() / 32768
