"""Training: one Lightning module, and `fit`, which runs it so that it can stop anywhere and go on bit for bit.

Everything random is drawn from (seed, epoch, step): the order of clips, augmentation, dropout. Resuming at an epoch's
end therefore needs no memory of what was drawn before.
"""

import logging
import math
import os
import signal
import threading
import time
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

with warnings.catch_warnings():
    # Lightning 2.6 uses names that torch 2.13 has marked as moving: nothing a reader of a run can act on.
    warnings.simplefilter("ignore")
    import lightning.pytorch as lightning
    from lightning.pytorch.callbacks import Checkpoint, EarlyStopping
    from lightning.pytorch.plugins.io import CheckpointIO

from sayso.augment import Surroundings
from sayso.checkpoint import load_model, load_state, save_model, save_state
from sayso.classifier import Classifier, samples_from_int16
from sayso.corpus import Corpus
from sayso.errors import Fault, InterruptedRunError, ModelError, RunError, SettingsError
from sayso.progress import Progress, Task
from sayso.recipe import Recipe, Training
from sayso.runs import LogRow, RunFolder, read_log, write_log
from sayso.splits import Rows, Split

__all__ = ["Fitted", "Hardware", "choose_hardware", "fit"]

_MEASURE_BATCH = 256


@dataclass(frozen=True)
class Hardware:
    """What a training runs on, decided from the recipe and the machine alone, so that the same again is the same."""

    device: torch.device
    bf16: bool
    threads: int


@dataclass(frozen=True)
class Fitted:
    """What a training ended with: the classifier with its best weights, and how it got there."""

    classifier: Classifier
    best_epoch: int
    """The epoch whose weights count, from 1."""
    epochs: int
    """How many were run."""
    seconds: float
    """Time spent in them, over all sessions of the run."""
    log: tuple[LogRow, ...]


def choose_hardware(training: Training) -> Hardware:
    """Pick device, precision and thread count.

    bfloat16 is taken where matrix units speed it up: any GPU of the last years, and processors with AMX.
    """
    if training.device == "gpu" and not torch.cuda.is_available():
        raise SettingsError([Fault("training.device", "is gpu, but none is here; use auto or cpu")])
    use_gpu = training.device == "gpu" or (training.device == "auto" and torch.cuda.is_available())
    device = torch.device("cuda" if use_gpu else "cpu")
    gains = torch.cuda.is_bf16_supported() if use_gpu else torch.cpu._is_amx_tile_supported()  # pyright: ignore
    bf16 = training.precision == "bf16" or (training.precision == "auto" and gains)
    return Hardware(device, bf16, training.threads or len(os.sched_getaffinity(0)))


def fit(recipe: Recipe, corpus: Corpus, split: Split, run: RunFolder, *, progress: Progress) -> Fitted:
    """Train a recipe on a split and leave weights and log in the run's folder; goes on where the folder stopped.

    The test part is not looked at. After every epoch `log.csv`, the best `model.safetensors` and `resume.ckpt` are
    whole on disk.

    Raises:
        InterruptedRunError: Ctrl-C; what was done up to the last whole epoch is kept.
        OutputError: the folder cannot be written.
    """
    hardware = choose_hardware(recipe.training)
    if run.resume.exists() and not {"callbacks", "epoch", "state_dict"} <= load_state(run.resume).keys():
        raise ModelError(f"{run.resume}: is no state of a training; remove it and train again")
    torch.set_num_threads(hardware.threads)
    torch.manual_seed(recipe.training.seed)
    classifier = Classifier(recipe, corpus.labels)
    learner = _Learner(classifier, corpus, split, hardware)
    learner.measure_normaliser()
    steps = learner.steps_per_epoch
    with progress.task("training", total=recipe.training.epochs * steps, unit="steps") as task:
        bookkeeper = _Bookkeeper(run, task)
        resuming = run.resume.exists()
        if resuming:
            task.advance(min(len({row.epoch for row in read_log(run.log)}), recipe.training.epochs) * steps)
        trainer = _trainer(recipe.training, hardware, bookkeeper, validates=len(split.validation) > 0)
        if resuming and bookkeeper.was_stopped_early(load_state(run.resume)):
            return _fitted(run, bookkeeper)
        with _interruptible(run), warnings.catch_warnings():
            # As above: Lightning's use of torch's moving names.
            warnings.filterwarnings("ignore", message=".*LeafSpec.*")
            loaders = (range(steps), range(max(1, learner.validation_steps)))
            trainer.fit(learner, *loaders, ckpt_path=str(run.resume) if resuming else None, weights_only=True)
    return _fitted(run, bookkeeper)


def _fitted(run: RunFolder, bookkeeper: "_Bookkeeper") -> Fitted:
    rows = bookkeeper.rows
    epochs = max((row.epoch for row in rows), default=0)
    seconds = sum(row.seconds for row in rows)
    return Fitted(load_model(run.weights), bookkeeper.best_epoch, epochs, seconds, tuple(rows))


class _Learner(lightning.LightningModule):
    """Draws its own batches from the packed clips; the loader only counts steps."""

    def __init__(self, classifier: Classifier, corpus: Corpus, split: Split, hardware: Hardware) -> None:
        super().__init__()
        self.classifier = classifier
        self.settings = classifier.recipe.training
        self.corpus, self.split, self.hardware = corpus, split, hardware
        self.convolves_images = any(isinstance(module, nn.Conv2d) for module in classifier.network.modules())
        if self.convolves_images:
            # Processors and GPUs convolve images faster with channels innermost.
            classifier.network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        surroundings = Surroundings(corpus.audio.sample_rate, tuple(_float_noise(corpus)))
        parts = [(part.works_on, part.build(surroundings)) for part in classifier.recipe.augment]
        self.on_samples = [change for works_on, change in parts if works_on == "samples"]
        self.on_features = [change for works_on, change in parts if works_on == "features"]
        self.steps_per_epoch = -(-len(split.train) // self.settings.batch_size)
        self.validation_steps = -(-len(split.validation) // _MEASURE_BATCH)
        self.weights = _class_weights(corpus, split.train) if self.settings.class_weights == "balanced" else None
        self.train_tally, self.validation_tally = _Tally(), _Tally()
        self._order: tuple[int, list[Rows]] = (-1, [])

    def measure_normaliser(self) -> None:
        """Set the normaliser from the training clips as they are."""
        batches = np.array_split(self.split.train, -(-len(self.split.train) // _MEASURE_BATCH))
        with torch.no_grad():
            self.classifier.normaliser.measure(map(lambda rows: self.classifier.features(self._samples(rows)), batches))

    def training_step(self, step: int, batch_index: int) -> Tensor:
        """One batch: augment, represent, score."""
        del batch_index
        seeds = np.random.SeedSequence((self.settings.seed, self.current_epoch, step)).generate_state(2)
        generator = torch.Generator().manual_seed(int(seeds[0]))
        torch.manual_seed(int(seeds[1]))  # for dropout
        rows = self._epoch_order()[step]
        targets = torch.from_numpy(self.corpus.targets[rows]).to(self.device)
        with torch.no_grad():
            features = self._training_features(rows, generator)
        with torch.autocast(self.hardware.device.type, torch.bfloat16, enabled=self.hardware.bf16):
            logits: Tensor = self.classifier.network(features)
        weights = None if self.weights is None else self.weights.to(self.device)
        loss = nn.functional.cross_entropy(
            logits.float(), targets, weight=weights, label_smoothing=self.settings.label_smoothing
        )
        self.train_tally.add(loss.detach(), logits.detach(), targets)
        return loss

    def validation_step(self, step: int, batch_index: int) -> None:
        """Score one batch of validation clips, in float32 and without augmentation."""
        del batch_index
        rows = self.split.validation[step * _MEASURE_BATCH : (step + 1) * _MEASURE_BATCH]
        targets = torch.from_numpy(self.corpus.targets[rows]).to(self.device)
        logits = self.classifier(self._samples(rows))
        self.validation_tally.add(nn.functional.cross_entropy(logits, targets), logits, targets)

    def on_validation_epoch_end(self) -> None:
        """Tell early stopping how it went."""
        self.log("validation_accuracy", self.validation_tally.accuracy)

    def configure_optimizers(self) -> Any:
        """AdamW, weight decay on matrices and kernels alone, and one cycle of learning rates over all steps."""
        parameters = list(self.classifier.parameters())
        groups = [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": self.settings.weight_decay},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW([group for group in groups if group["params"]], lr=self.settings.learning_rate)
        total = self.steps_per_epoch * self.settings.epochs
        # One step more than is taken: a cycle over a single step would divide by zero.
        cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, self.settings.learning_rate, total_steps=total + 1)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": cycle, "interval": "step"}}

    def _training_features(self, rows: Rows, generator: torch.Generator) -> Float[Tensor, "batch channels bins frames"]:
        samples = self._samples(rows)
        for change in self.on_samples:
            samples = change(samples, generator)
        features = self.classifier.normaliser(self.classifier.features(samples))
        for change in self.on_features:
            features = change(features, generator)
        return features.contiguous(memory_format=torch.channels_last) if self.convolves_images else features

    def _samples(self, rows: Rows) -> Float[Tensor, "batch samples"]:
        return samples_from_int16(torch.from_numpy(self.corpus.samples[rows]).to(self.device))

    def _epoch_order(self) -> list[Rows]:
        """The rows of each step of this epoch, in batches of nearly one size so that none is of a single clip."""
        if self._order[0] != self.current_epoch:
            rng = np.random.default_rng((self.settings.seed, self.current_epoch, 0))
            shuffled = rng.permutation(self.split.train)
            self._order = (self.current_epoch, np.array_split(shuffled, self.steps_per_epoch))
        return self._order[1]


class _Tally:
    """Loss and accuracy summed over the clips of an epoch; read once at its end, so no step waits for a number."""

    def __init__(self) -> None:
        self._sums: Tensor | None = None

    def add(self, loss: Tensor, logits: Float[Tensor, "batch classes"], targets: Int64[Tensor, "batch"]) -> None:
        hits = (logits.argmax(dim=1) == targets).sum()
        batch = torch.stack((loss.double() * len(targets), hits.double(), torch.full_like(hits, len(targets)).double()))
        self._sums = batch if self._sums is None else self._sums + batch

    @property
    def loss(self) -> float:
        return self._share(0)

    @property
    def accuracy(self) -> float:
        return self._share(1)

    def reset(self) -> None:
        self._sums = None

    def _share(self, index: int) -> float:
        return float(self._sums[index] / self._sums[2]) if self._sums is not None else 0.0


class _Bookkeeper(Checkpoint):
    """Keeps log, best weights and the state to go on from, whole on disk after every epoch."""

    def __init__(self, run: RunFolder, task: Task) -> None:
        self.run, self.task = run, task
        self.rows: list[LogRow] = []
        self.best_epoch = 0
        self.best_accuracy = -1.0
        self.stopped_early = False
        self._train_started = self._validation_started = self._validation_seconds = 0.0

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run must know of the epochs before."""
        rows = [asdict(row) for row in self.rows]
        best = {"best_epoch": self.best_epoch, "best_accuracy": self.best_accuracy}
        return {"rows": rows, "stopped_early": self.stopped_early, **best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up where `state_dict` left."""
        self.rows = [LogRow(**row) for row in state_dict["rows"]]
        self.best_epoch, self.best_accuracy = state_dict["best_epoch"], state_dict["best_accuracy"]
        self.stopped_early = state_dict["stopped_early"]

    def was_stopped_early(self, state: dict[str, Any]) -> bool:
        """Whether a saved training had ended by losing patience; its books are taken up then."""
        books = state["callbacks"].get(self.state_key, {})
        if books.get("stopped_early"):
            self.load_state_dict(books)
        return self.stopped_early

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Start the clock."""
        del trainer, pl_module
        self._train_started = time.perf_counter()
        self._validation_seconds = 0.0

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Move the bar."""
        del trainer, pl_module, outputs, batch, batch_idx
        self.task.advance()

    def on_validation_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Start the validation clock."""
        del trainer, pl_module
        self._validation_started = time.perf_counter()

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Stop the validation clock."""
        del trainer, pl_module
        self._validation_seconds = time.perf_counter() - self._validation_started

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Write the log, the weights if they are the best, and the state."""
        assert isinstance(pl_module, _Learner)
        train, validation = pl_module.train_tally, pl_module.validation_tally
        epoch = trainer.current_epoch + 1
        if not math.isfinite(train.loss):
            raise RunError(
                f"{self.run.path}: training diverged in epoch {epoch}, its loss is no number; train anew with a lower "
                "training.learning_rate"
            )
        rate = float(trainer.optimizers[0].param_groups[0]["lr"])
        seconds = time.perf_counter() - self._train_started - self._validation_seconds
        self.rows.append(LogRow(epoch, "train", train.loss, train.accuracy, rate, seconds))
        validates = pl_module.validation_steps > 0
        if validates:
            row = LogRow(epoch, "validation", validation.loss, validation.accuracy, rate, self._validation_seconds)
            self.rows.append(row)
        # Of equal scores the later one: late in the cycle the learning rate is lower.
        if not validates or validation.accuracy >= self.best_accuracy:
            self.best_accuracy, self.best_epoch = validation.accuracy, epoch
            save_model(self.run.weights, pl_module.classifier)
        write_log(self.run.log, self.rows)
        self.stopped_early = trainer.should_stop
        shown = f"loss {train.loss:.3f}"
        self.task.tell(shown + (f", validation accuracy {validation.accuracy:.1%}" if validates else ""))
        trainer.save_checkpoint(self.run.resume)
        train.reset()
        validation.reset()


class _PlainCheckpoints(CheckpointIO):
    """Lightning's checkpoints by way of `sayso.checkpoint`: atomic, and plain data only."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        del storage_options
        save_state(Path(path), checkpoint)

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        del map_location, weights_only
        return load_state(Path(path))

    def remove_checkpoint(self, path: Any) -> None:
        Path(path).unlink(missing_ok=True)


def _trainer(training: Training, hardware: Hardware, bookkeeper: _Bookkeeper, *, validates: bool) -> lightning.Trainer:
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    callbacks: list[lightning.Callback] = [bookkeeper]
    if training.patience and validates:
        callbacks.insert(0, EarlyStopping("validation_accuracy", mode="max", patience=training.patience))
    return lightning.Trainer(
        accelerator="gpu" if hardware.device.type == "cuda" else "cpu",
        devices=1,
        max_epochs=training.epochs,
        callbacks=callbacks,
        plugins=[_PlainCheckpoints()],
        logger=False,
        enable_checkpointing=True,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=1.0 if validates else 0,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )


@contextmanager
def _interruptible(run: RunFolder) -> Generator[None]:
    """Turn Ctrl-C, and the SystemExit that Lightning makes of it, into one line that says how to go on."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as error:
        epochs = len({row.epoch for row in read_log(run.log)})
        kept = f"{epochs} epochs and the best weights so far are kept" if epochs else "no epoch was finished"
        raise InterruptedRunError(f"stopped; {kept}. Go on with: sayso train --resume {run.path}") from error
    finally:
        if in_main_thread:
            # Lightning leaves Ctrl-C switched off.
            signal.signal(signal.SIGINT, handler)


def _class_weights(corpus: Corpus, rows: Rows) -> Float[Tensor, "classes"]:
    counts = np.bincount(corpus.targets[rows], minlength=len(corpus.labels))
    return torch.from_numpy(len(rows) / (len(counts) * counts)).float()


def _float_noise(corpus: Corpus) -> Generator[Tensor]:
    for recording in corpus.noise:
        yield torch.from_numpy(np.array(recording)).float() / 32768
