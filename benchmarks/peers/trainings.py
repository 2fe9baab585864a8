"""The luz convnet on complex spectrograms, trained as the tutorial does, then with measure after measure of ours."""

import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["BATCH", "as_int16", "sayso_epoch", "trainer"]

BATCH, WORDS = 128, 11
CHANNELS = (2, 32, 64, 128, 256, 512)
Step = Callable[[Tensor], Tensor]


def trainer(*, batched: bool = False, bf16: bool = False, channels_last: bool = False, own: bool = False) -> Step:
    """A step of training on a batch of clips, (clips, samples).

    Args:
        batched: one call makes the spectrograms of the batch; else each clip has its own, as in `__getitem__`.
        bf16: the network computes in bfloat16.
        channels_last: images and kernels lie with channels innermost.
        own: Sayso's network, which drops and clips the pooled values; else the tutorial's order.
    """
    from sayso.models.luz_convnet import LuzConvnet

    torch.manual_seed(0)
    network = LuzConvnet(list(CHANNELS), WORDS, dropout=0.2, head_dropout=0.5) if own else _tutorial_network()
    layout = torch.channels_last if channels_last else torch.contiguous_format
    network.to(memory_format=layout)  # type: ignore[call-overload]
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    targets = torch.randint(0, WORDS, (BATCH,))
    spectrograms = _spectrograms if batched else _clip_by_clip

    def step(clips: Tensor) -> Tensor:
        features = spectrograms(clips).contiguous(memory_format=layout)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits = network(features)
        loss = nn.functional.cross_entropy(logits.float(), targets[: len(clips)])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss.detach()

    return step


def sayso_epoch() -> Callable[[np.ndarray], float]:
    """An epoch of `sayso train` on all clips, as the program runs it: augmentation off, weights and log written."""
    from sayso.data.clips import Clip
    from sayso.data.corpus import Corpus
    from sayso.data.datasets.speech_commands import SpeechCommandsConfig
    from sayso.data.splits import Split, SplitSettings
    from sayso.features.spectrogram import SpectrogramConfig
    from sayso.models.luz_convnet import LuzConvnetConfig
    from sayso.recipe.prepared import Prepared
    from sayso.recipe.recipe import Recipe, Training
    from sayso.runs.folder import RunFolder
    from sayso.training import fit

    recipe = Recipe(
        dataset=SpeechCommandsConfig(),
        features=SpectrogramConfig(power=None, scale="linear", normalized="window"),
        normalise="none",
        model=LuzConvnetConfig(),
        augment=(),
        split=SplitSettings(validation="none"),
        training=Training(batch_size=BATCH, epochs=1),
    )
    nobody = np.zeros(0, np.int64)

    def epoch(clips: np.ndarray) -> float:
        labelled = tuple(Clip(f"{index}.wav", f"word{index % WORDS}", None) for index in range(len(clips)))
        corpus = Corpus(labelled, clips, recipe.audio, fingerprints=tuple(clip.path for clip in labelled))
        split = Split(np.arange(len(clips)), nobody, nobody, "random")
        with tempfile.TemporaryDirectory(prefix="sayso-bench-") as folder:
            return fit(Prepared(recipe, corpus, split), RunFolder(Path(folder))).seconds

    return epoch


def as_int16(clips: np.ndarray) -> np.ndarray:
    """Clips as Sayso packs them."""
    return (clips * 32_768).astype(np.int16)


def _spectrograms(clips: Tensor) -> Tensor:
    from sayso.audio import AudioFormat
    from sayso.features.spectrogram import SpectrogramConfig

    settings = SpectrogramConfig(power=None, scale="linear", normalized="window")
    return settings.build(AudioFormat())(clips)


def _clip_by_clip(clips: Tensor) -> Tensor:
    return torch.stack([_spectrogram(clip) for clip in clips])


def _spectrogram(clip: Tensor) -> Tensor:
    window = torch.hann_window(480)
    bins = torch.stft(clip, 512, 160, 480, window, center=True, return_complex=True)
    return torch.view_as_real(bins).permute(2, 0, 1) / window.square().sum().sqrt()  # (2, 257, 101)


def _tutorial_network() -> nn.Sequential:
    *halving, last = itertools.pairwise(CHANNELS)
    layers: list[nn.Module] = []
    for before, after in halving:
        layers += [nn.Conv2d(before, after, 3), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout2d(0.2)]
    layers += [nn.Conv2d(*last, 3), nn.BatchNorm2d(last[1]), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Dropout2d(0.2)]
    head = [nn.Linear(last[1], last[1]), nn.BatchNorm1d(last[1]), nn.ReLU(), nn.Dropout(0.5), nn.Linear(last[1], WORDS)]
    return nn.Sequential(*layers, nn.Flatten(), *head)
