"""What learns: from rows of the corpus to a loss, and the scores of an epoch. What drives it stands elsewhere."""

from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from sayso.augment import Surroundings
from sayso.classifier.kept_features import KeptFeatures
from sayso.classifier.module import Classifier
from sayso.classifier.warm_start import begin_from
from sayso.data.corpus import Corpus, Rows
from sayso.recipe.prepared import Prepared
from sayso.system.distributed import sum_over_processes
from sayso.system.malloc import keep_freed_memory
from sayso.training.average import average_step, begin_average
from sayso.training.batches import balance_rows, count_batches, draw_batches, take_share
from sayso.training.epoch_scores import EpochScores
from sayso.training.hardware import Hardware
from sayso.training.mixup import Mixture
from sayso.training.optimisers import make_optimiser
from sayso.training.schedules import make_schedule
from sayso.training.sources import Sources
from sayso.training.teacher import Teacher, divergences, weigh_mean

__all__ = ["Learner", "compute_features", "new_learner", "weigh_classes"]

_MEASURE_BATCH = 256


class Learner(nn.Module):
    """Draws its own batches from the packed clips; the loader only counts steps.

    Of several processes each takes its share of every batch, so that together they see every clip once an epoch.

    Attributes:
        classifier: what learns.
        averaged: the average of its weights; None: the recipe asks for none, or it is not begun.
    """

    def __init__(self, classifier: Classifier, prepared: Prepared, hardware: Hardware, sources: Sources) -> None:
        super().__init__()
        self.classifier = classifier
        self.averaged: Classifier | None = None
        self.settings = classifier.recipe.training
        corpus, split = prepared.corpus, prepared.split
        self.corpus, self.split, self.hardware = corpus, split, hardware
        self.processes = hardware.processes
        self.convolves_images = any(isinstance(module, nn.Conv2d) for module in classifier.network.modules())
        if self.convolves_images:
            # Processors and GPUs convolve images faster with channels innermost.
            classifier.network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.sources = sources.beside(split.train)
        self.unheard = prepared.unheard_negatives
        surroundings = Surroundings(classifier.audio.sample_rate)
        parts = [part for part in classifier.recipe.augment if part.works_on == "features"]
        self.on_features = [part.build(surroundings) for part in parts]
        others = max(1, len(self._draw_negatives(epoch=0)))
        self.negative_weight = classifier.recipe.rejection.negatives_weight * len(split.train) / others
        self.steps_per_epoch = count_batches(len(split.train), self.settings.batch_size)
        self.validation_steps = -(-len(split.validation) // _MEASURE_BATCH)
        self.weights = self._weights() if self.settings.class_weights == "balanced" else None
        self.train_scores, self.validation_scores = EpochScores(), EpochScores()
        self._drawn: tuple[int, list[Rows]] = (-1, [])
        self._drawn_negatives: tuple[int, list[Rows]] = (-1, [])

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.classifier.normaliser.mean.device

    @property
    def result(self) -> Classifier:
        """What has been learned so far, to be scored and kept."""
        return self.classifier if self.averaged is None else self.averaged

    def begin_average(self) -> None:
        """Have the average begin with the weights as they are, where the recipe asks for one."""
        if self.settings.average:
            self.averaged = begin_average(self.classifier)

    def learn(self, epoch: int, step: int) -> Float[Tensor, ""]:
        """Give the loss of a step, as `batch_loss` does, and count it among the epoch's scores."""
        loss, logits, targets = self.batch_loss(epoch, step)
        self.train_scores.add(loss.detach().double() * len(self._batches(epoch)[step]), logits, targets)
        return loss

    def end_step(self, epoch: int, step: int) -> None:
        """Draw the average towards the weights that the optimiser has just changed."""
        if self.averaged is not None:
            done = epoch * self.steps_per_epoch + step
            average_step(self.averaged, self.classifier, decay=self.settings.average, step=done)

    def batch_loss(
        self, epoch: int, step: int
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "batch classes"], Int64[Tensor, "batch"]]:
        """Augment, represent and score this process's share of a step's batch.

        Returns:
            Its part of the mean loss of the whole batch (the parts of all processes add up to that), and the share's
            logits and targets.
        """
        own_seed = (self.processes.rank,) if self.processes.rank else ()
        seeds = np.random.SeedSequence((self.settings.seed, epoch, step, *own_seed)).generate_state(2)
        generator = torch.Generator().manual_seed(int(seeds[0]))
        _seed(int(seeds[1]), self.device)  # for dropout
        batch = self._batches(epoch)[step]
        rows = take_share(batch, self.processes)
        others = take_share(self._negatives(epoch, step), self.processes)
        targets = torch.from_numpy(self.corpus.targets[rows]).to(self.device)
        with torch.set_grad_enabled(self.classifier.recipe.features.learns):
            mixture = self._draw_mixture(len(rows), epoch, step)
            features, taught = self._hear(rows, others, mixture, epoch=epoch, generator=generator)
        with torch.autocast(self.hardware.device.type, torch.bfloat16, enabled=self.hardware.bf16):
            scores: Tensor = self.classifier.network(features)
        logits, none = scores.float().split((len(rows), len(others)))
        weights = None if self.weights is None else self.weights.to(self.device)
        smoothing = self.settings.label_smoothing
        if mixture is None:
            loss = nn.functional.cross_entropy(logits, targets, weight=weights, label_smoothing=smoothing)
        else:
            loss = mixture.loss(logits, targets, weights=weights, smoothing=smoothing)
        if taught is not None:
            loss = self._teach(loss, weigh_mean(self._diverge(logits, taught[: len(rows)]), targets, weights))
        if self.processes.count > 1:
            loss = loss * (self._weight(rows) / self._weight(batch))
        if len(others):
            is_none = torch.full((len(others),), len(self.classifier.labels), device=self.device)
            missed = nn.functional.cross_entropy(none, is_none, label_smoothing=smoothing, reduction="sum")
            if taught is not None:
                missed = self._teach(missed, self._diverge(none, taught[len(rows) :]).sum())
            loss = loss + self.negative_weight * missed / len(batch)
        return loss, logits[:, : len(self.classifier.labels)].detach(), targets

    def validate(self, step: int) -> None:
        """Score one batch of validation clips, in float32 and without augmentation."""
        batch = self.split.validation[step * _MEASURE_BATCH : (step + 1) * _MEASURE_BATCH]
        rows = take_share(batch, self.processes)
        if len(rows) == 0:
            return
        targets = torch.from_numpy(self.corpus.targets[rows]).to(self.device)
        scored = self.result
        features = self.sources.words.as_they_are(scored.features, rows, self.device)
        logits = scored.network(scored.normaliser(features))
        loss = nn.functional.cross_entropy(logits, targets).double() * len(rows)
        self.validation_scores.add(loss, logits[:, : len(self.classifier.labels)], targets)

    def begin_validation(self) -> None:
        """Have every process score with the same network."""
        self._average_statistics()

    def end_validation(self) -> None:
        """Add up the processes' scores of the validation clips."""
        self.validation_scores.gather(self.device)

    def end_epoch(self) -> None:
        """Add up the processes' scores of the training clips."""
        self.train_scores.gather(self.device)
        if not self.validation_steps:
            self._average_statistics()

    def optimisation(self) -> tuple[Optimizer, LRScheduler | None]:
        """Make the recipe's optimiser, and its schedule, which is stepped after every batch."""
        optimiser = make_optimiser(
            self.settings,
            self.classifier.network.parameters(),
            of_features=self.classifier.features.parameters(),
        )
        return optimiser, make_schedule(self.settings, optimiser, steps_per_epoch=self.steps_per_epoch)

    def training_features(
        self, rows: Rows, others: Rows | None = None, *, epoch: int, generator: torch.Generator
    ) -> Float[Tensor, "batch channels bins frames"]:
        """What the network gets in an epoch of training: these clips of words, and behind them these negatives."""
        return self._hear(rows, others, epoch=epoch, generator=generator)[0]

    def _draw_mixture(self, clips: int, epoch: int, step: int) -> Mixture | None:
        """What of a step's words is mixed into which; None: nothing."""
        if not self.settings.mixup:
            return None
        rng = np.random.default_rng((self.settings.seed, epoch, step, self.processes.rank, 4))
        return Mixture.draw(clips, self.settings.mixup, rng, self.device)

    def _hear(
        self,
        rows: Rows,
        others: Rows | None,
        mixture: Mixture | None = None,
        *,
        epoch: int,
        generator: torch.Generator,
    ) -> tuple[Float[Tensor, "batch channels bins frames"], Float[Tensor, "batch classes"] | None]:
        """What the network gets, and beside it the teacher's logits of the same samples."""
        own, device = self.classifier.features, self.device
        heard = [self.sources.words.for_training(own, rows, epoch=epoch, generator=generator, device=device)]
        if self.sources.negatives is not None and others is not None and len(others):
            negatives = self.sources.negatives
            heard.append(negatives.for_training(own, others, epoch=epoch, generator=generator, device=device))
        answers = [part.taught for part in heard if part.taught is not None]
        given = torch.cat([part.features for part in heard]) if len(heard) > 1 else heard[0].features
        features = self.classifier.normaliser(given)
        for change in self.on_features:
            features = change(features, generator)
        if mixture is not None:
            features = torch.cat((mixture.mix(features[: len(rows)]), features[len(rows) :]))
        if self.convolves_images:
            features = features.contiguous(memory_format=torch.channels_last)
        return features, torch.cat(answers) if answers else None

    def _diverge(
        self, logits: Float[Tensor, "batch classes"], taught: Float[Tensor, "batch classes"]
    ) -> Float[Tensor, "batch"]:
        return divergences(logits, taught, temperature=self.settings.teacher_temperature)

    def _teach(self, usual: Float[Tensor, ""], diverging: Float[Tensor, ""]) -> Float[Tensor, ""]:
        return torch.lerp(usual, diverging, self.settings.teacher_weight)

    def _average_statistics(self) -> None:
        """Give every process the mean of their batch-norm statistics, each having seen its own shares alone."""
        if self.processes.count > 1:
            averaged = () if self.averaged is None else self.averaged.network.buffers()
            for buffer in (*self.classifier.network.buffers(), *averaged):
                if buffer.is_floating_point():
                    buffer.copy_(sum_over_processes(buffer) / self.processes.count)

    def _weights(self) -> Float[Tensor, "classes"]:
        weights = weigh_classes(self.corpus, self.split.train)
        return torch.cat((weights, torch.ones(1))) if self.sources.negatives is not None else weights

    def _weight(self, rows: Rows) -> float:
        """What these clips weigh in the mean loss."""
        if self.weights is None:
            return float(len(rows))
        return float(self.weights[torch.from_numpy(self.corpus.targets[rows])].double().sum())

    def _batches(self, epoch: int) -> list[Rows]:
        if self._drawn[0] != epoch:
            settings = self.settings
            rows = self._balanced(epoch) if settings.balance != "none" else self.split.train
            drawn = draw_batches(rows, batch_size=settings.batch_size, seed=settings.seed, epoch=epoch)
            self._drawn = (epoch, drawn)
        return self._drawn[1]

    def _balanced(self, epoch: int) -> Rows:
        """The rows of an epoch in which words, or words and sources, have their even share."""
        by_source = self.settings.balance == "sources"
        clips = [self.corpus.clips[row] for row in self.split.train]
        groups = [(clip.label, clip.source) if by_source else (clip.label,) for clip in clips]
        return balance_rows(self.split.train, groups, seed=self.settings.seed, epoch=epoch)

    def _negatives(self, epoch: int, step: int) -> Rows:
        """The negatives of a step: all of them once an epoch, shared out over its steps."""
        if self._drawn_negatives[0] != epoch:
            self._drawn_negatives = (epoch, np.array_split(self._draw_negatives(epoch), self.steps_per_epoch))
        return self._drawn_negatives[1][step]

    def _draw_negatives(self, epoch: int) -> Rows:
        if self.sources.negatives is None:
            return np.zeros(0, np.int64)
        shuffled = self.sources.negatives.draw(np.random.default_rng((self.settings.seed, epoch, 2)))
        return shuffled[~np.isin(shuffled, self.unheard)]


L = TypeVar("L", bound=Learner)


def new_learner(
    kind: type[L],
    prepared: Prepared,
    hardware: Hardware,
    sources: Sources | None = None,
    start: Classifier | None = None,
    teacher: Teacher | None = None,
) -> L:
    """Make a learner with the recipe's first weights and a measured normaliser; sets torch's threads.

    Args:
        kind: `Learner`, or what a training loop has made of it.
        prepared: the recipe and its clips.
        hardware: what it runs on.
        sources: features that another training on the same clips has computed; None: computed here.
        start: what a training before has learned, which this one begins with; None: nothing.
        teacher: of the recipe, where the sources are computed here; None: it has none.
    """
    classifier = _new_classifier(prepared, hardware)
    sources = sources or Sources.of(classifier.features, prepared, hardware, teacher=teacher)
    learner = kind(classifier, prepared, hardware, sources)
    if start is not None:
        begin_from(classifier, start)
    else:
        with torch.no_grad():
            classifier.normaliser.measure(learner.sources.words.measured(classifier.features, prepared.split.train))
    learner.begin_average()
    return learner


def compute_features(
    prepared: Prepared, hardware: Hardware, known: KeptFeatures | None = None, teacher: Teacher | None = None
) -> Sources:
    """Compute the features of a recipe's clips that stay the same, for several trainings on parts of them.

    Args:
        prepared: the recipe and its clips.
        hardware: what it runs on.
        known: features that an earlier run has kept; None: all are computed.
        teacher: of the recipe, whose answers are computed with them; None: it has none.
    """
    return Sources.of(_new_classifier(prepared, hardware).features, prepared, hardware, known, teacher)


def _new_classifier(prepared: Prepared, hardware: Hardware) -> Classifier:
    keep_freed_memory()
    torch.set_num_threads(hardware.threads)
    torch.manual_seed(prepared.recipe.training.seed)
    classifier = Classifier(prepared.recipe, prepared.corpus.labels)
    classifier.features.fill()
    return classifier


def _seed(seed: int, device: torch.device) -> None:
    """Seed what a network on a device draws from; torch.manual_seed would ask all other kinds too, a third of a ms."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)


def weigh_classes(corpus: Corpus, rows: Rows) -> Float[Tensor, "classes"]:
    """Weights by which every word counts the same in the loss over `rows`."""
    counts = np.bincount(corpus.targets[rows], minlength=len(corpus.labels))
    return torch.from_numpy(len(rows) / (len(counts) * counts)).float()
