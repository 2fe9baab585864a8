"""How a network is trained: the section `training` of a recipe."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from sayso.config.schema import NonNegative, Positive, PositiveInt, Range, Settings
from sayso.errors import Fault

__all__ = ["Training", "is_recipe_file"]


@dataclass(frozen=True, kw_only=True)
class Training(Settings):
    """How the network is trained."""

    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    """adamw (Loshchilov & Hutter 2019): weight decay apart from the gradient. adam (Kingma & Ba 2015) and sgd: weight
    decay as an L2 term in the gradient."""
    momentum: Annotated[float, Range(least=0, below=1)] = 0.9
    """Of sgd: share of the last step kept in the next, the classical kind, not Nesterov's."""
    learning_rate: Positive = 5e-3
    """Highest learning rate of the schedule; `sayso find-lr` suggests one."""
    features_rate: Positive = 0.1
    """Learning rate of features that learn, as a share of the network's."""
    weight_decay: NonNegative = 0.01
    """Decay of weights; biases and normalisation have none."""
    schedule: Literal["one_cycle", "constant", "cosine"] = "one_cycle"
    """one_cycle (Smith & Topin 2018): up in the first 30 % of all steps, then down to nothing by a cosine; adam's first
    moment goes the other way, sgd's momentum stays. cosine (Loshchilov & Hutter 2017, without restarts): down to
    nothing from the start, or after warmup_epochs. constant: the same all along."""
    warmup_epochs: Annotated[int, Range(least=0)] = 0
    """Of schedule cosine: epochs in which the rate first climbs from nothing in a straight line."""
    batch_size: PositiveInt = 64
    """Clips a step."""
    epochs: Annotated[int, Range(least=1, most=100_000)] = 30
    """Times through the training clips."""
    on: Literal["clips", "streams"] = "clips"
    """What the network hears. clips: each clip alone. streams, for models that listen to streams: clips are placed in
    longer sound, `rejection.recordings` or background noise, each copies times (once where that is null); an epoch
    takes every clip once, from a window that ends up to 0.4 s after the word does, and rejection.windows of all those
    windows in which no word has just ended."""
    copies: PositiveInt | None = None
    """Augmented copies of each training clip whose features are computed once, an epoch taking one of them in turn: for
    features that take long. Of features that learn, what comes before their first weights that do is computed once.
    null: augmented and represented anew every epoch."""
    keep: Literal["best", "last"] = "best"
    """Which weights count in the end: best, of the epoch with the best validation score, or last; with fewer than 20
    validation clips, the last ones."""
    monitor: Literal["accuracy", "loss"] = "accuracy"
    """The validation score that tells the best epoch, and that patience waits for."""
    patience: PositiveInt | None = None
    """Stop after so many epochs without a better validation score; empty: go to the end."""
    label_smoothing: Annotated[float, Range(least=0, below=1)] = 0.1
    """Share of the target spread over all words."""
    mixup: Annotated[float, Range(least=0, most=100)] = 0.0
    """Mix the features of each clip with those of another one of its batch, and learn both words by as much as is heard
    of each (Zhang et al. 2018). The share is drawn from Beta(mixup, mixup), 0.1 to 0.4 in that source; the larger one
    is the clip's own, whose word alone counts in an epoch's accuracy. What is none of the words is not mixed. 0:
    nothing is."""
    average: Annotated[float, Range(least=0, below=1)] = 0.0
    """Decay of an exponential average of the weights, step by step; such as 0.999. It is the average that is validated,
    kept and exported. In the first steps the decay is lower, (1 + step) / (10 + step). 0: the weights themselves."""
    teacher: str = ""
    """Folder of a finished run whose model teaches this one (distillation, Hinton et al. 2015): its answers to the very
    clips that are trained on are learned beside their words. It must know the same words, hear clips of the same
    `audio`, and have heard none of the clips, and of the people left out, that test or validate here. Or a recipe
    (.yaml, seen from the recipe that names it): the teacher is trained first by what it says of features, network and
    training, on the clips that train here, and kept in the run's folder. Empty: none."""
    teacher_weight: Annotated[float, Range(above=0, most=1)] = 0.5
    """Share of the loss that is the divergence from the teacher's probabilities; the rest is the usual loss."""
    teacher_temperature: Positive = 2.0
    """What the logits of both are divided by for that: above 1 it tells more of the words that it is not."""
    augmented: Literal["all", "beside"] = "all"
    """Which training clips are augmented: all, or of a mixed data set those alone that stand beside the recordings,
    such as synthetic voices. Changes to features are made to all."""
    balance: Literal["none", "words", "sources"] = "none"
    """none: every training clip once an epoch. words: as many clips of every word, those of a word with few several
    times. sources: of each word as many clips of every data set that is mixed, too, so that a few recordings teach as
    much as many synthetic voices."""
    class_weights: Literal["none", "balanced"] = "none"
    """balanced: a word with few clips weighs as much as one with many."""
    precision: Literal["auto", "float32", "bf16"] = "auto"
    """auto: bfloat16 where the processor has matrix units for it and the network gains by them, else float32. Scores
    and exports are float32 always."""
    threads: Annotated[int, Range(least=1, most=256)] | None = None
    """Threads of the processor used; empty: all cores. The number changes the last bits of a result."""
    device: Literal["auto", "cpu", "gpu"] = "auto"
    """Where to train; auto takes a GPU that is there."""
    seed: Annotated[int, Range(least=0, most=2**31 - 1)] = 0
    """Seed of weights, order, augmentation and the choice of validation clips."""
    track: Literal["none", "tensorboard", "mlflow"] = "none"
    """Show every epoch in TensorBoard or MLflow too, beside log.csv; needs the extra `track`."""
    track_to: str | None = None
    """Folder for that, or with mlflow the URI of a server; empty: a folder tensorboard or mlflow inside the run's."""

    @property
    def teacher_file(self) -> Path | None:
        """The recipe by which the teacher is trained first; None: there is no teacher, or it is a run."""
        return Path(self.teacher) if is_recipe_file(self.teacher) else None

    def faults(self) -> Iterator[Fault]:
        """Yield a fault where warm-up takes all epochs, words are balanced twice, or clips are mixed and taught."""
        if self.schedule == "cosine" and self.warmup_epochs >= self.epochs:
            yield Fault("warmup_epochs", f"is {self.warmup_epochs}, must be below epochs ({self.epochs})")
        if self.balance != "none" and self.class_weights != "none":
            yield Fault("class_weights", f"is {self.class_weights}, but balance, {self.balance}, does that already")
        if self.mixup and self.teacher:
            problem = f"is {self.mixup:g}, but training.teacher answers clips as they are, not mixed"
            yield Fault("mixup", f"{problem}; use 0, or no teacher")


def is_recipe_file(source: str | Path) -> bool:
    """Whether a person who gives this means a recipe's file, by its ending; other sources are clips, or runs."""
    return Path(source).suffix.lower() in (".yaml", ".yml")
