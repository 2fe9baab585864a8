"""Representations of a stream, chunk by chunk: what every one of them is, and the one that frames have in common."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sayso.dsp.stft import Stft

__all__ = ["StreamingFeature", "stream_frames"]


class StreamingFeature(nn.Module):
    """A representation of a stream that comes in chunks of one hop; its state goes in and comes out.

    Attributes:
        frames: how many it gives for each chunk.
        lead: zeros to be put before the stream's first sample.
        before: frames it gives before those of the stream itself.
        state: shapes of its state; all zeros at first.
        networks: names of its modules that are networks of layers, as of the representation itself.
    """

    networks: tuple[str, ...] = ()
    frames: int
    lead: int
    before: int
    state: tuple[tuple[int, ...], ...]

    def forward(self, samples: Float[Tensor, "1 samples"], *state: Tensor) -> tuple[Tensor, ...]:
        """Represent whole chunks, float32 in [-1, 1): gives (1, channels, bins, new frames), then the new state."""
        raise NotImplementedError


def stream_frames(feature: nn.Module, stft: Stft, hop: int, *, frames: int) -> StreamingFeature | None:
    """Make the form for a stream in chunks of `hop` samples.

    Args:
        feature: gives each frame of `stft` from its own samples alone, for clips of any length.
        stft: the transform it begins with.
        hop: samples of a chunk.
        frames: of a whole clip.

    Returns:
        None where frames are centred, so that those at a clip's ends hear its reflection, or where a chunk holds no
        whole number of frames.
    """
    return None if stft.centred or hop % stft.hop else _StreamingFrames(feature, stft, hop, frames)


class _StreamingFrames(StreamingFeature):
    """Carries the samples that the next frames begin with."""

    def __init__(self, feature: nn.Module, stft: Stft, hop: int, frames: int) -> None:
        super().__init__()
        self.feature = feature
        self.networks = tuple(f"feature.{name}" for name in getattr(feature, "networks", ()))
        self.frames = hop // stft.hop
        self.carried = stft.n_fft - stft.hop
        self.state = ((1, self.carried),)
        # The first whole window's last frame is to be the last of a chunk.
        self.before = -(-self.carried // stft.hop)
        self.before += -(frames + self.before) % self.frames
        self.lead = self.before * stft.hop - self.carried

    def forward(self, samples: Float[Tensor, "1 samples"], *state: Tensor) -> tuple[Tensor, ...]:
        heard = torch.cat((state[0], samples), dim=1)
        return self.feature(heard), heard[:, heard.shape[1] - self.carried :]
