"""What an answer costs: multiply-adds, counted in the running model, the same on every machine."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch._ops import HigherOrderOperator
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from sayso.audio import AudioFormat
from sayso.classifier.module import Classifier
from sayso.config.schema import read
from sayso.errors import SettingsError
from sayso.features import FeatureConfig
from sayso.models.mlp import MlpConfig
from sayso.models.pooled_mlp import PooledMlpConfig
from sayso.models.tc_resnet import TCResNetConfig

__all__ = ["FeatureCost", "count_multiply_adds", "measure_features"]

_NETWORKS = (TCResNetConfig, PooledMlpConfig, MlpConfig)
_WORDS = 10


@dataclass(frozen=True)
class FeatureCost:
    """What a network has to do with one second of sound at 16 kHz."""

    shape: tuple[int, int, int]
    """(channels, bins, frames) of the features."""
    network: str
    """The first of tc_resnet, pooled_mlp and mlp that takes them, as it is by default, for ten words."""
    multiply_adds: int
    """Of one answer, features included."""


def count_multiply_adds(classifier: Classifier, *, features: bool = True) -> int:
    """Multiply-adds of one answer: products and convolutions as torch counts them.

    A Fourier transform of n numbers counts as 2.5 n log2 n, half of that when it gives or takes real numbers only: the
    usual 5 n log2 n operations (Cooley & Tukey 1965), two to a multiply-add. Sums, activations and their like do
    not count.

    Args:
        classifier: whose answer; it is left as for answering.
        features: count all that they take; False: the network and those of their layers that learn, and those behind
            these, alone.
    """
    classifier.eval()
    if features:
        return _count(classifier, torch.zeros(1, classifier.audio.clip_samples))
    steady = torch.zeros(1, *classifier.features.steady_shape)
    return _count(lambda kept: classifier.network(classifier.features.learned(kept)), steady)


def measure_features(part: type[FeatureConfig]) -> FeatureCost | None:
    """Count what a representation costs, as it is by default; None: it has no default, or is not for such sound."""
    audio = AudioFormat(sample_rate=16_000, clip_seconds=1.0)
    try:
        settings = read(part, {})
    except SettingsError:  # of another package, with a key that has no default
        return None
    if list(settings.misfits(audio)):
        return None
    features = settings.build(audio)
    shape = features.shape
    model = next((model for make in _NETWORKS if not list((model := make()).misfits(shape))), None)
    if model is None:
        return None
    answers = nn.Sequential(features, model.build(shape, _WORDS)).eval()
    return FeatureCost(shape, model.kind, _count(answers, torch.zeros(1, audio.clip_samples)))


def _count(work: Callable[[Tensor], Tensor], given: Tensor) -> int:
    with _Counting() as counting, torch.no_grad():
        work(given)
    return counting.operations // 2


class _Counting(TorchDispatchMode):
    """Counts the operations of what torch does meanwhile, by its own formulas and those of Fourier transforms.

    torch's own counter loads torch's compiler, only so that the compiler leaves it alone; that takes a second.
    """

    supports_higher_order_operators = True

    def __init__(self) -> None:
        super().__init__()
        self.operations = 0
        transforms = torch.ops.aten
        self._formulas: dict[Any, Callable[..., int]] = {
            **flop_registry,
            transforms._fft_r2c: _real_to_complex,
            transforms._fft_c2r: _complex_to_real,
            transforms._fft_c2c: _complex_to_complex,
        }

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        del types
        named = kwargs or {}
        if isinstance(func, HigherOrderOperator):  # what it is made of does not count
            return func(*args, **named)
        with self:
            made = func.decompose(*args, **named)
        if made is not NotImplemented:
            return made
        made = func(*args, **named)
        if (formula := self._formulas.get(func.overloadpacket)) is not None:
            self.operations += formula(*args, **named, out_val=made)
        return made


def _real_to_complex(given: Tensor, dimensions: Sequence[int], *_: Any, **__: Any) -> int:
    return _operations(given, dimensions) // 2


def _complex_to_real(given: Tensor, dimensions: Sequence[int], *_: Any, out_val: Tensor, **__: Any) -> int:
    del given
    return _operations(out_val, dimensions) // 2


def _complex_to_complex(given: Tensor, dimensions: Sequence[int], *_: Any, **__: Any) -> int:
    return _operations(given, dimensions)


def _operations(values: Tensor, dimensions: Sequence[int]) -> int:
    length = math.prod(values.shape[dimension] for dimension in dimensions)
    return round(5 * values.numel() * math.log2(max(2, length)))
