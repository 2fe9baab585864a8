"""How a recipe wants its clips divided: which test, which validate, and how many of the others train."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from sayso.config.schema import PositiveInt, Range, Settings, Share
from sayso.errors import Fault

__all__ = ["EACH_SPEAKER", "LEAVE_ONE_OUT", "Folds", "SplitBy", "SplitSettings", "ValidationBy"]

Folds = int | Literal["leave-one-speaker-out"]
LEAVE_ONE_OUT: Literal["leave-one-speaker-out"] = "leave-one-speaker-out"
SplitBy = Literal["auto", "official", "random", "speakers", "each_speaker"]
EACH_SPEAKER = "each speaker"
"""What the split by each_speaker is called where it stands beside a score."""
ValidationBy = Literal["auto", "official", "share", "speakers", "none"]


@dataclass(frozen=True, kw_only=True)
class SplitSettings(Settings):
    """Which clips test, which validate, and how many of the others train."""

    by: SplitBy = "auto"
    """How the test part is chosen: the source's own (official), at random, or by speaker; auto takes speakers
    where folds or test_speakers are given, else the source's own, else speakers where 3 are known, else random.
    each_speaker: every clip is tested, by a model that never heard its speaker, and the model that is kept trains on
    all of them; for few speakers, as there is a training for each."""
    test_share: Share = 0.2
    """Share of the clips (random) or of the speakers (speakers) held out for testing, above 0 and below 1."""
    test_speakers: tuple[str, ...] = ()
    """By speakers: exactly these are held out."""
    folds: Annotated[int, Range(least=2)] | Literal["leave-one-speaker-out"] | None = None
    """By speakers: into how many folds the speakers are divided, each word in proportion, or leave-one-speaker-out, a
    fold a speaker, by name. One fold, `fold`, is held out."""
    fold: Annotated[int, Range(least=0)] = 0
    """Of several folds: the one whose speakers are held out, from 0."""
    seed: Annotated[int, Range(least=0)] = 0
    """Seed of a random split, of the choice of speakers or of folds; apart from the training's own seed."""
    validation: ValidationBy = "auto"
    """Where validation clips come from, always out of the training part: official | share | speakers | none. none: the
    last epoch counts. auto: the official ones, else held-out speakers where the test has them too, else a share."""
    validation_share: Annotated[float, Range(above=0, most=0.9)] = 0.1
    """Share of the training clips, or of their speakers, kept for validation; training.seed draws them."""
    train_speakers: PositiveInt | None = None
    """Train on this many of the training part's speakers; null: all. Test and validation stay as they are. A larger
    number keeps the speakers of a smaller one."""
    train_clips_per_speaker: PositiveInt | None = None
    """Train on this many clips of each training speaker, words in turn; null: all. Where no speaker is known all clips
    count as one speaker's."""
    subset_seed: Annotated[int, Range(least=0)] = 0
    """Seed of the order in which train_speakers and train_clips_per_speaker draw."""

    def faults(self) -> Iterator[Fault]:
        """Yield a fault for each setting that contradicts another, such as two ways to choose the test part."""
        if self.folds is not None and self.by not in ("auto", "speakers"):
            yield Fault("folds", f"divides speakers, but by is {self.by}; use by: speakers, or leave folds out")
        if self.test_speakers and self.by not in ("auto", "speakers"):
            yield Fault("test_speakers", f"holds speakers out, but by is {self.by}; use by: speakers, or leave it out")
        if self.by == "each_speaker":
            yield from self._faults_with_all()
        if self.folds is not None and self.test_speakers:
            yield Fault("test_speakers", "is given, but folds choose the test speakers; leave one of the two out")
        draws = self.by in ("auto", "random", "speakers") and self.folds is None and not self.test_speakers
        if draws and self.test_share in (0, 1):
            lacking = "tested, and there is no score" if self.test_share == 0 else "trained on"
            yield Fault(
                "test_share",
                f"is {self.test_share:g}, so that nothing is {lacking}; choose a share between 0 and 1, or "
                "by: each_speaker, which trains on all clips and tests each by a model that never heard its speaker",
            )
        if self.folds is None and self.fold:
            yield Fault("fold", f"is {self.fold}, but folds is empty; say how many there are, or {LEAVE_ONE_OUT}")
        if isinstance(self.folds, int) and self.fold >= self.folds:
            yield Fault("fold", f"is {self.fold}, must be 0 to {self.folds - 1}: there are {self.folds} folds")

    def _faults_with_all(self) -> Iterator[Fault]:
        """Yield a fault for each setting that keeps clips from training, where all are to train."""
        if self.validation not in ("auto", "none"):
            problem = f"is {self.validation}, but by each_speaker calibrates on the speakers left out"
            yield Fault("validation", f"{problem}; use auto")
        for key in ("train_speakers", "train_clips_per_speaker"):
            if getattr(self, key) is not None:
                yield Fault(key, "leaves clips out, but by each_speaker trains on all; use another by, or null")
