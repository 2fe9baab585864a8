"""A classifier for streams: each chunk computes what is new, and the answer is that of the whole-clip classifier."""

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sayso.classifier.module import Classifier
from sayso.dsp.carried import Carried
from sayso.dsp.streaming import StreamingFeature
from sayso.models import TimeNetwork

__all__ = ["StreamingClassifier", "make_streaming"]


class StreamingClassifier(nn.Module):
    """Base of what answers on a stream that comes in chunks of one hop; its state goes in and comes out.

    Attributes:
        form: how, in words.
        classifier: the whole-clip form, whose layers serve.
        hop: samples of a chunk.
        lead: zeros to be put before the stream's first sample.
        first: chunks before the one that ends the first whole window.
        state: shapes of its state, all zeros at first.
        features: its features' form for streams.
    """

    form: ClassVar[str]
    classifier: Classifier
    hop: int
    lead: int
    first: int
    state: tuple[tuple[int, ...], ...]
    features: StreamingFeature

    @property
    def networks(self) -> tuple[str, ...]:
        """Names of its modules that are networks of layers, under each name that a graph may take for them."""
        own = (f"classifier.{name}" for name in self.classifier.networks)
        return (*own, "network", "layers", *(f"features.{name}" for name in self.features.networks))

    def forward(self, samples: Float[Tensor, "chunks hop"], *state: Tensor) -> tuple[Tensor, ...]:
        """Score the window that ends with each chunk: (chunks, classes), then the new state."""
        raise NotImplementedError


class _RingOfFeatures(StreamingClassifier):
    """Features of what is new, a ring of those of one window, and the network on the ring.

    Args:
        classifier: the whole-clip form.
        features: its features' form for streams.
        hop: samples of a chunk.
    """

    form = "features carried, the network on a ring of them"

    def __init__(self, classifier: Classifier, features: StreamingFeature, hop: int) -> None:
        super().__init__()
        self.classifier, self.features, self.hop = classifier, features, hop
        channels, bins, self.frames = classifier.features.shape
        self.kept = self.frames - features.frames
        self.lead = features.lead
        self.first = (self.frames + features.before) // features.frames - 1
        self.state = ((1, channels, bins, self.kept), *features.state)

    def forward(self, samples: Float[Tensor, "chunks hop"], *state: Tensor) -> tuple[Tensor, ...]:
        """As the base."""
        new, *after = self.features(samples.reshape(1, -1), *state[1:])
        heard = torch.cat((state[0], new), dim=3)  # (1, channels, bins, kept + new frames)
        windows = heard.unfold(3, self.frames, self.features.frames)[0]  # (channels, bins, chunks, frames)
        logits = self.classifier.answer(windows.permute(2, 0, 1, 3))
        return logits, heard[..., heard.shape[3] - self.kept :], *after


class _CarriedLayers(StreamingClassifier):
    """Features and layers over time of what is new, a ring of what these give of one window, and the head on the ring.

    Args:
        classifier: the whole-clip form.
        features: its features' form for streams.
        layers: its network's layers over time, in their form for streams.
        hop: samples of a chunk.
    """

    form = "features and layers over time carried, the head on a ring of what they give"

    def __init__(self, classifier: Classifier, features: StreamingFeature, layers: Carried, hop: int) -> None:
        super().__init__()
        self.classifier, self.features, self.layers, self.hop = classifier, features, layers, hop
        self.outputs, self.new = _count_outputs(classifier, features, layers)
        # A window's first output is to be the first of some stride, and its last one the last of a chunk.
        before = -(-(features.before + layers.behind) // layers.stride)
        before += -(before + self.outputs) % self.new
        extra = before * layers.stride - layers.behind - features.before
        self.lead = features.lead + extra * (hop // features.frames)
        self.first = (before + self.outputs) // self.new - 1
        network = classifier.network
        assert isinstance(network, TimeNetwork)
        self.network = network
        self.kept = self.outputs - self.new
        self.state = ((1, network.width, self.kept), *layers.state, *features.state)

    def forward(self, samples: Float[Tensor, "chunks hop"], *state: Tensor) -> tuple[Tensor, ...]:
        """As the base."""
        own = len(self.layers.state) + 1
        frames, *after = self.features(samples.reshape(1, -1), *state[own:])
        normal = self.classifier.normaliser(frames).flatten(1, 2)  # (1, channels * bins, new frames)
        new, *carried = self.layers(normal, *state[1:own])
        heard = torch.cat((state[0], new), dim=2)  # (1, width, kept + new outputs)
        windows = heard[0].transpose(0, 1).unfold(0, self.outputs, self.new)  # (chunks, width, outputs)
        logits = self.network.head(windows) / self.classifier.divisor
        return logits, heard[..., heard.shape[2] - self.kept :], *carried, *after


def _count_outputs(classifier: Classifier, features: StreamingFeature, layers: Carried) -> tuple[int, int]:
    """How many outputs of the layers over time a window has, and how many a chunk."""
    return (classifier.features.shape[2] - layers.behind) // layers.stride, features.frames // layers.stride


def make_streaming(classifier: Classifier, hop: int) -> StreamingClassifier | None:
    """Make the form for a stream in chunks of `hop` samples.

    None where the features look at the whole clip at once, or clips are heard at several speeds.
    """
    features = None if classifier.speeds else classifier.features.streaming(hop)
    if features is None or features.frames >= classifier.features.shape[2]:
        return None
    layers = classifier.network.carried() if isinstance(classifier.network, TimeNetwork) else None
    if layers is not None and features.frames % layers.stride == 0:
        outputs, new = _count_outputs(classifier, features, layers)
        if outputs > new:
            return _CarriedLayers(classifier, features, layers, hop)
    return _RingOfFeatures(classifier, features, hop)
