"""The luz convnet on complex spectrograms, trained as the tutorial does, then with measure after measure of ours."""

import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["BATCH", "On", "as_int16", "differences", "find_device", "sayso_epoch", "trainer"]

BATCH = 128
CHANNELS = (2, 32, 64, 128, 256, 512)
Step = Callable[[Tensor], Tensor]
On = Literal["cpu", "gpu"]
"""Where a contest is held: on processors, or on a GPU, which has all 30 words of Speech Commands v0.01 to learn."""
WORDS = {"cpu": 11, "gpu": 30}


def find_device(on: On) -> torch.device:
    """Give what a contest is held on; one for a GPU is tried on processors where there is none."""
    return torch.device("cuda" if on == "gpu" and torch.cuda.is_available() else "cpu")


def trainer(
    on: On, *, batched: bool = False, bf16: bool = False, channels_last: bool = False, own: bool = False
) -> Step:
    """A step of training on a batch of clips, (clips, samples).

    Args:
        on: where the network computes.
        batched: one call makes the spectrograms of the batch, where the network is; else each clip has its own, as in
            `__getitem__`, which the processor makes.
        bf16: the network computes in bfloat16.
        channels_last: images and kernels lie with channels innermost.
        own: Sayso's network, which drops and clips the pooled values; else the tutorial's order.
    """
    from sayso.models.luz_convnet import LuzConvnet

    torch.manual_seed(0)
    device, words = find_device(on), WORDS[on]
    network = LuzConvnet(list(CHANNELS), words, dropout=0.2, head_dropout=0.5) if own else _tutorial_network(words)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    network.to(device, memory_format=layout)  # type: ignore[call-overload]
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    targets = torch.randint(0, words, (BATCH,)).to(device)
    spectrograms = _spectrograms(device) if batched else _clip_by_clip

    def step(clips: Tensor) -> Tensor:
        features = spectrograms(clips).to(device).contiguous(memory_format=layout)
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            logits = network(features)
        loss = nn.functional.cross_entropy(logits.float(), targets[: len(clips)])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss.detach()

    return step


def differences(clips: Tensor, *, on: On) -> tuple[float, float]:
    """How far apart the two ways are, as shares of a norm: their spectrograms, and their logits in float64.

    Args:
        clips: a few, (clips, samples).
        on: where to see it.
    """
    from sayso.models.luz_convnet import LuzConvnet

    device = find_device(on)
    torch.manual_seed(0)
    theirs = _tutorial_network(WORDS[on])
    own = LuzConvnet(list(CHANNELS), WORDS[on], dropout=0.2, head_dropout=0.5)
    # The same layers in the same order, by other names.
    own.load_state_dict(dict(zip(own.state_dict(), theirs.state_dict().values(), strict=True)))
    expected, found = _clip_by_clip(clips).to(device), _spectrograms(device)(clips)
    with torch.no_grad():
        logits = [each.to(device).double().eval()(expected.double()) for each in (theirs, own)]
    return _apart(expected, found), _apart(*logits)


def sayso_epoch(on: On) -> Callable[[np.ndarray], float]:
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
        training=Training(batch_size=BATCH, epochs=1, device="auto" if on == "gpu" else "cpu"),
    )
    nobody = np.zeros(0, np.int64)

    def epoch(clips: np.ndarray) -> float:
        labelled = tuple(Clip(f"{index}.wav", f"word{index % WORDS[on]}", None) for index in range(len(clips)))
        corpus = Corpus(labelled, clips, recipe.audio, fingerprints=tuple(clip.path for clip in labelled))
        split = Split(np.arange(len(clips)), nobody, nobody, "random")
        with tempfile.TemporaryDirectory(prefix="sayso-bench-") as folder:
            return fit(Prepared(recipe, corpus, split), RunFolder(Path(folder))).seconds

    return epoch


def as_int16(clips: np.ndarray) -> np.ndarray:
    """Clips as Sayso packs them."""
    return (clips * 32_768).astype(np.int16)


def _spectrograms(device: torch.device) -> Callable[[Tensor], Tensor]:
    from sayso.audio import AudioFormat
    from sayso.features.spectrogram import SpectrogramConfig

    settings = SpectrogramConfig(power=None, scale="linear", normalized="window")
    spectrograms = settings.build(AudioFormat()).to(device)
    return lambda clips: spectrograms(clips.to(device))


def _clip_by_clip(clips: Tensor) -> Tensor:
    return torch.stack([_spectrogram(clip) for clip in clips])


def _spectrogram(clip: Tensor) -> Tensor:
    window = torch.hann_window(480)
    bins = torch.stft(clip, 512, 160, 480, window, center=True, return_complex=True)
    return torch.view_as_real(bins).permute(2, 0, 1) / window.square().sum().sqrt()  # (2, 257, 101)


def _apart(expected: Tensor, found: Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


def _tutorial_network(words: int) -> nn.Sequential:
    *halving, last = itertools.pairwise(CHANNELS)
    layers: list[nn.Module] = []
    for before, after in halving:
        layers += [nn.Conv2d(before, after, 3), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout2d(0.2)]
    layers += [nn.Conv2d(*last, 3), nn.BatchNorm2d(last[1]), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Dropout2d(0.2)]
    head = [nn.Linear(last[1], last[1]), nn.BatchNorm1d(last[1]), nn.ReLU(), nn.Dropout(0.5), nn.Linear(last[1], words)]
    return nn.Sequential(*layers, nn.Flatten(), *head)
