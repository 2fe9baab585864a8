"""A classifier for streams: each chunk computes what is new, and the answer is that of the whole-clip classifier."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sayso.classifier.module import Classifier
from sayso.dsp.streaming import StreamingFeature

__all__ = ["StreamingClassifier", "make_streaming"]


class StreamingClassifier(nn.Module):
    """Features of what is new, a ring of those of one window, and the network on the ring.

    Args:
        classifier: the whole-clip form, whose layers serve.
        features: its features' form for streams.
        hop: samples of a chunk.

    Attributes:
        hop: samples of a chunk.
        lead: zeros to be put before the stream's first sample.
        first: chunks before the one that ends the first whole window.
        state: shapes of its state, all zeros at first.
    """

    def __init__(self, classifier: Classifier, features: StreamingFeature, hop: int) -> None:
        super().__init__()
        self.classifier, self.features, self.hop = classifier, features, hop
        channels, bins, self.frames = classifier.features.shape
        self.kept = self.frames - features.frames
        self.lead = features.lead
        self.first = (self.frames + features.before) // features.frames - 1
        self.state = ((1, channels, bins, self.kept), *features.state)

    def forward(self, samples: Float[Tensor, "chunks hop"], *state: Tensor) -> tuple[Tensor, ...]:
        """Score the window that ends with each chunk: (chunks, classes), then the new state."""
        new, *after = self.features(samples.reshape(1, -1), *state[1:])
        heard = torch.cat((state[0], new), dim=3)  # (1, channels, bins, kept + new frames)
        windows = heard.unfold(3, self.frames, self.features.frames)[0]  # (channels, bins, chunks, frames)
        logits = self.classifier.answer(windows.permute(2, 0, 1, 3))
        return logits, heard[..., heard.shape[3] - self.kept :], *after


def make_streaming(classifier: Classifier, hop: int) -> StreamingClassifier | None:
    """Make the form for a stream in chunks of `hop` samples; None where the features look at the whole clip at once."""
    features = classifier.features.streaming(hop)
    if features is None or features.frames >= classifier.features.shape[2]:
        return None
    return StreamingClassifier(classifier, features, hop)
