"""What a training runs on."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import torch

from sayso.errors import Fault, SettingsError
from sayso.models import NetworkConfig
from sayso.recipe.recipe import Training
from sayso.system.distributed import Processes, this_process

__all__ = ["Hardware", "choose_hardware", "memory_bytes"]

# Where Linux says what a container may take, as cgroups of the second version or of the first.
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


@dataclass(frozen=True)
class Hardware:
    """What a training runs on, decided from the recipe and the machine alone, so that the same again is the same."""

    device: torch.device
    bf16: bool
    threads: int
    processes: Processes = field(default_factory=Processes)
    """Which of several processes this is, where torchrun has started them."""


def choose_hardware(training: Training, model: NetworkConfig | None = None) -> Hardware:
    """Pick device, precision and thread count; several processes on one machine share its cores and its GPUs.

    bfloat16 is taken where matrix units speed it up: any GPU of the last years, and processors with AMX, unless the
    network gains nothing by it there.

    Args:
        training: what is asked for.
        model: the network; one that gains where none is named.

    Raises:
        SettingsError: the recipe wants a GPU, and none is here; or there are more processes than GPUs.
    """
    if training.device == "gpu" and not torch.cuda.is_available():
        raise SettingsError([Fault("training.device", "is gpu, but none is here; use auto or cpu")])
    use_gpu = training.device == "gpu" or (training.device == "auto" and torch.cuda.is_available())
    processes = this_process()
    if use_gpu and processes.local_count > torch.cuda.device_count():
        here = f"{processes.local_count} processes on this machine, but {torch.cuda.device_count()} GPUs"
        raise SettingsError([Fault("training.device", f"{here}; start one for each GPU, or use cpu")])
    device = torch.device("cuda" if use_gpu else "cpu")
    has_amx = torch.cpu._is_amx_tile_supported()  # pyright: ignore[reportPrivateUsage]
    gains = torch.cuda.is_bf16_supported() if use_gpu else has_amx and (model is None or model.gains_by_bfloat16)
    bf16 = training.precision == "bf16" or (training.precision == "auto" and gains)
    # Only Linux tells which cores this process may use.
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    cores = max(1, usable // processes.local_count)
    return Hardware(device, bf16, training.threads or cores, processes)


def memory_bytes() -> int | None:
    """Bytes of memory that this machine has, or its container may take; None where its system does not tell."""
    try:
        own = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    return min((own, *_read_limits()))


def _read_limits() -> Iterator[int]:
    for path in _LIMITS:
        with suppress(OSError, ValueError):  # not there, or `max`
            yield int(path.read_text(encoding="ascii"))
