"""Training BC-ResNet-1 by layers that normalise in one step beside its convolutions, on one thread and on two."""

import copy
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmarks.contest import Contest, Figure, Seconds
from sayso.dsp.normalised.compiled import is_compiled
from sayso.models.bc_resnet import BCResNet, BCResNetConfig
from sayso.system.malloc import keep_freed_memory

BATCH, SHAPE, WORDS = 64, (1, 40, 101), 12
STEPS, FULL_STEPS = 4, 16
PLAIN, IN_BFLOAT16, IN_ONE_STEP = "convolutions", "convolutions in bfloat16", "in one step"


def contest(*, full: bool) -> Contest:
    """Set the contest up: batches of 64, log-mel sized noise of one second, twelve words."""
    keep_freed_memory()
    torch.manual_seed(0)
    network = BCResNetConfig().build(SHAPE, WORDS)
    features, targets = torch.randn(BATCH, *SHAPE), torch.arange(BATCH) % WORDS
    apart = _apart(network, features, targets)
    if apart[0] > 1e-5 or apart[1] > 1e-9:
        raise RuntimeError(f"the two ways differ: logits by {apart[0]:.2g}, gradients in float64 by {apart[1]:.2g}")
    ways = {PLAIN: network.by_convolutions, IN_BFLOAT16: _in_bfloat16(network), IN_ONE_STEP: network.in_one_step}
    steps = FULL_STEPS if full else STEPS
    sides = {
        f"{name}, {_threads(threads)}": _side(way, features, targets, threads=threads, steps=steps)
        for threads in (1, 2)
        for name, way in ways.items()
    }
    threads_before = torch.get_num_threads()
    return Contest(
        title=f"training BC-ResNet-1: {steps} steps of {BATCH} clips, forward and backward",
        sides=sides,
        figures=(
            *(Figure(f"times as fast, {_threads(threads)}", _ratio(PLAIN, threads), least=4) for threads in (1, 2)),
            *(Figure(f"than in bfloat16, {_threads(threads)}", _ratio(IN_BFLOAT16, threads)) for threads in (1, 2)),
        ),
        notes=(
            f"logits differ by {apart[0]:.1e} in float32; gradients by {apart[1]:.1e} in float64",
            "compiled from C" if is_compiled() else "by matrix products, as there is no C compiler",
        ),
        close=(lambda: torch.set_num_threads(threads_before),),
    )


def _threads(count: int) -> str:
    return f"{count} thread{'s' if count > 1 else ''}"


def _ratio(beside: str, threads: int) -> Callable[[Seconds], float]:
    return lambda s: s[f"{beside}, {_threads(threads)}"] / s[f"{IN_ONE_STEP}, {_threads(threads)}"]


def _in_bfloat16(network: BCResNet) -> Callable[[Tensor], Tensor]:
    def way(features: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return network.by_convolutions(features).float()

    return way


def _side(
    way: Callable[[Tensor], Tensor], features: Tensor, targets: Tensor, *, threads: int, steps: int
) -> Callable[[], float]:
    def side() -> float:
        torch.set_num_threads(threads)
        _learn(way, features, targets)  # the first step after another side is slower
        start = time.perf_counter()
        for _ in range(steps):
            _learn(way, features, targets)
        return time.perf_counter() - start

    return side


def _learn(way: Callable[[Tensor], Tensor], features: Tensor, targets: Tensor) -> Tensor:
    logits = way(features)
    nn.functional.cross_entropy(logits, targets).backward()
    return logits


def _apart(network: BCResNet, features: Tensor, targets: Tensor) -> tuple[float, float]:
    """How far apart the two ways' logits are in float32, and their gradients in float64.

    In float32 gradients of any two forms differ where rounding takes a number to the other side of ReLU's zero.
    """
    logits, gradients = [], []
    for kind, kept in ((torch.float32, logits), (torch.float64, gradients)):
        for name in ("by_convolutions", "in_one_step"):
            own = copy.deepcopy(network).to(kind)
            torch.manual_seed(1)  # for dropout
            given = _learn(getattr(own, name), features.to(kind), targets)
            learned = [parameter.grad for parameter in own.parameters() if parameter.grad is not None]
            kept.append([given.detach()] if kind == torch.float32 else learned)
    return tuple(  # type: ignore[return-value]
        max(float((a - b).abs().max()) for a, b in zip(*pair, strict=True)) for pair in (logits, gradients)
    )
