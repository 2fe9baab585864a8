"""What is none of the words: the section `rejection` of a recipe."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from sayso.config.schema import Positive, PositiveInt, Range, Settings
from sayso.data.datasets import DatasetConfig
from sayso.errors import Fault
from sayso.metrics.rejection import FALSE_REJECT_RATE

__all__ = ["Rejection"]


@dataclass(frozen=True, kw_only=True)
class Rejection(Settings):
    """What is none of the words, and when the answer is "none of these"."""

    negatives: tuple[DatasetConfig, ...] = ()
    """Data sets of sounds that are none of the words, whatever their labels say. Every clip of them trains one more
    class, as do stretches of the background noise that comes with the data set, and noise and silence that are made.
    The model then answers "none of these" where no word is probable enough. Empty: it always names a word."""
    recordings: tuple[str, ...] = ()
    """Files and folders of long recordings, such as other speech or radio, in which none of the words is spoken:
    windows of them are negatives too, and words that train for streams (training.on: streams, or augment: surround)
    stand in them."""
    minutes: Positive | None = None
    """So many minutes of the recordings are used, in an order that `training.seed` draws; null: all of them."""
    windows: PositiveInt = 5000
    """So many windows of the recordings train at most, evenly over all of them; of a training on streams, so many of
    theirs are drawn in an epoch."""
    cut_words: Annotated[int, Range(least=0)] = 0
    """So many negatives are training clips of the words of which only the beginning, or only the end, is heard."""
    rounds: Annotated[int, Range(least=0)] = 0
    """Trainings before the last one, each of which listens to the recordings then: the windows that it takes for a word
    most surely train from there on."""
    negatives_weight: Positive = 0.5
    """What all negatives together weigh in the loss against all clips of the words, however many there are of each."""
    lost_share: Annotated[float, Range(least=0, below=1)] = FALSE_REJECT_RATE
    """Share of the validation clips that are named rightly which the threshold may turn away; few clips may lose more,
    or less, where there is a usual threshold."""
    usual_threshold: Annotated[float, Range(least=0, most=1)] | None = None
    """A threshold that suits other models of this kind. The lowest of few answers say little, so it counts as much as
    the threshold that a hundred right answers ask for. null: the validation clips alone say it. Without negatives there
    is no threshold, and this says nothing."""

    @property
    def has_negatives(self) -> bool:
        """Whether anything trains as none of the words."""
        return bool(self.negatives or self.recordings or self.cut_words)

    def faults(self) -> Iterator[Fault]:
        """Yield a fault where there are rounds, and nothing to listen to, or minutes of nothing."""
        if self.rounds and not self.recordings:
            yield Fault("rounds", f"is {self.rounds}, but there are no recordings to listen to; name some, or use 0")
        if self.minutes is not None and not self.recordings:
            yield Fault("minutes", f"is {self.minutes:g}, but there are no recordings; name some, or use null")
