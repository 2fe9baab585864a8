"""The works that contests compare, each by the name of who does it; every import is its own environment's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import torch

from benchmarks.peers.trainings import BATCH, On, as_int16, sayso_epoch, trainer

__all__ = ["WORKS", "Work"]

RATE, FRAME, WINDOW, HOP, MELS, LOWEST_HERTZ = 16_000, 512, 400, 160, 40, 20.0
LONG_WINDOW = 480
LOG_OFFSET = 1e-6


@dataclass(frozen=True)
class Work:
    """How one side does its work.

    Attributes:
        package: whose version is told.
        prepare: clips (n, samples), float32, to what the side is handed; outside the clock.
        build: makes what turns a batch of that into features.
        batches: how many clips at a time it may choose from.
        trains: whether it needs gradients, and has no features to show.
    """

    package: str
    prepare: Callable[[np.ndarray], Any]
    build: Callable[[], Callable[[Any], Any]]
    batches: Sequence[int]
    trains: bool = False


def _sayso_scattering() -> Callable[[Any], Any]:
    from sayso.audio import AudioFormat
    from sayso.features.scattering import ScatteringConfig

    audio = AudioFormat(sample_rate=8_000, clip_seconds=1.024)  # 8,192 samples
    scatter = ScatteringConfig(max_scale_log2=8, wavelets_per_octave=12, scale="linear").build(audio)
    return lambda clips: scatter(clips)[:, 0]


def _kymatio() -> Callable[[Any], Any]:
    from kymatio.torch import Scattering1D

    scatter = Scattering1D(J=8, shape=8_192, Q=12)
    return lambda clips: scatter(clips)[:, 1:]  # without the zeroth order


def _sayso_log_mel() -> Callable[[Any], Any]:
    from sayso.audio import AudioFormat
    from sayso.features.mel import MelConfig

    mel = MelConfig(n_mels=MELS, window_seconds=WINDOW / RATE, hop_seconds=HOP / RATE, lowest_hertz=LOWEST_HERTZ)
    log_mel = mel.build(AudioFormat(sample_rate=RATE))
    return lambda clips: log_mel(clips)[:, 0]


def _librosa() -> Callable[[Any], Any]:
    import librosa

    def log_mel(clips: np.ndarray) -> np.ndarray:
        energy = librosa.feature.melspectrogram(
            y=clips,
            sr=RATE,
            n_fft=FRAME,
            win_length=WINDOW,
            hop_length=HOP,
            pad_mode="reflect",
            n_mels=MELS,
            fmin=LOWEST_HERTZ,
            htk=True,
            norm=None,
        )
        return np.log(energy + np.float32(LOG_OFFSET))

    return log_mel


def _nn_audio() -> Callable[[Any], Any]:
    from nnAudio.features import MelSpectrogram

    mel = MelSpectrogram(
        sr=RATE,
        n_fft=FRAME,
        win_length=WINDOW,
        n_mels=MELS,
        hop_length=HOP,
        pad_mode="reflect",
        htk=True,
        fmin=LOWEST_HERTZ,
        fmax=RATE / 2,
        norm=None,
        verbose=False,
    )
    return lambda clips: (mel(clips) + LOG_OFFSET).log()


def _torchaudio() -> Callable[[Any], Any]:
    from torchaudio.transforms import MelSpectrogram

    mel = MelSpectrogram(RATE, n_fft=FRAME, win_length=WINDOW, hop_length=HOP, f_min=LOWEST_HERTZ, n_mels=MELS)
    return lambda clips: (mel(clips) + LOG_OFFSET).log()


def _framed(clips: np.ndarray) -> torch.Tensor:
    half = FRAME // 2
    padded = np.pad(clips, ((0, 0), (half, half)), mode="reflect")
    return torch.from_numpy(padded).unfold(-1, FRAME, HOP).contiguous()


def _bare_transform() -> Callable[[Any], Any]:
    return torch.fft.rfft


def _sayso_complex(normalized: Literal["none", "window"]) -> Callable[[Any], Any]:
    from sayso.audio import AudioFormat
    from sayso.features.spectrogram import SpectrogramConfig

    settings = SpectrogramConfig(
        power=None,
        scale="linear",
        window_seconds=LONG_WINDOW / RATE,
        hop_seconds=HOP / RATE,
        normalized=normalized,
    )
    return settings.build(AudioFormat(sample_rate=RATE))


def _stft_of_one(clips: torch.Tensor, window: torch.Tensor) -> torch.Tensor:
    bins = torch.stft(clips[0], FRAME, HOP, LONG_WINDOW, window, center=True, return_complex=True)
    return torch.view_as_real(bins).permute(2, 0, 1)[None]  # (1, 2, bins, frames)


def _stft_loop() -> Callable[[Any], Any]:
    window = torch.hann_window(LONG_WINDOW)
    return lambda clips: _stft_of_one(clips, window)


def _stft_normalised() -> Callable[[Any], Any]:
    window = torch.hann_window(LONG_WINDOW)
    return lambda clips: _stft_of_one(clips, window) / window.square().sum().sqrt()


def _stft_collated() -> Callable[[Any], Any]:
    one = _stft_normalised()
    return lambda clips: torch.cat([one(clip[None]) for clip in clips])


def _trainings(on: On) -> dict[str, Work]:
    """The tutorial's loop, with measure after measure of ours, and an epoch of Sayso's."""
    ladder: dict[str, dict[str, bool]] = {
        "loop": {},
        "batched": {"batched": True},
        "bf16": {"batched": True, "bf16": True},
        "channels_last": {"batched": True, "bf16": True, "channels_last": True},
        "own": {"batched": True, "bf16": True, "channels_last": True, "own": True},
    }
    steps = {
        f"convnet.{on}.{name}": Work("torch", torch.from_numpy, partial(trainer, on, **measures), (BATCH,), trains=True)
        for name, measures in ladder.items()
    }
    epoch = Work("sayso", as_int16, partial(sayso_epoch, on), (BATCH,), trains=True)
    return steps | {f"convnet.{on}.epoch": epoch}


_BATCHES = (1, 4, 8, 16, 32, 64, 256)
_FEW = (1, 2, 4, 8, 16, 32, 64)
WORKS = {
    "sayso.scattering": Work("sayso", torch.from_numpy, _sayso_scattering, _FEW),
    "kymatio": Work("kymatio", torch.from_numpy, _kymatio, _FEW),
    "sayso.log_mel": Work("sayso", torch.from_numpy, _sayso_log_mel, _BATCHES),
    "librosa": Work("librosa", lambda clips: clips, _librosa, _BATCHES),
    "nnAudio": Work("nnAudio", torch.from_numpy, _nn_audio, _BATCHES),
    "torchaudio": Work("torchaudio", torch.from_numpy, _torchaudio, _BATCHES),
    "bare_transform": Work("torch", _framed, _bare_transform, _BATCHES),
    "sayso.complex": Work("sayso", torch.from_numpy, partial(_sayso_complex, "none"), _BATCHES),
    "sayso.complex_normalised": Work("sayso", torch.from_numpy, partial(_sayso_complex, "window"), _BATCHES),
    "stft_loop": Work("torch", torch.from_numpy, _stft_loop, (1,)),
    "stft_normalised": Work("torch", torch.from_numpy, _stft_normalised, (1,)),
    "stft_collated": Work("torch", torch.from_numpy, _stft_collated, _BATCHES),
    **_trainings("cpu"),
    **_trainings("gpu"),
}
