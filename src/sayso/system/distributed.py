"""Several processes at one training, as torchrun starts them: which one this is, and agreeing with the others.

Without torchrun there is one process, and everything here does nothing. The first of all leads: it alone writes and
prints. Of errors, the process that meets one first prints it, and the others end without a word.
"""

import os
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from sayso.errors import LostProcessError, SaysoError

__all__ = [
    "Processes",
    "TerminatedError",
    "agree_everywhere",
    "end_on_request",
    "join_processes",
    "let_one_per_machine_go_first",
    "make_once",
    "sum_over_processes",
    "tell_lost_processes",
    "this_process",
    "wait",
]

T = TypeVar("T")

_KEYS = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
# Packing a large data set takes its time, and of a process that died torchrun tells at once.
_PATIENCE = timedelta(days=2)
_SIGNS_OF_LOSS = ("closed by peer", "reset by peer", "gloo", "nccl", "socket", "broken pipe", "connection refused")


@dataclass(frozen=True)
class Processes:
    """Which process this is, and of how many."""

    rank: int = 0
    """From 0, over all machines."""
    count: int = 1
    local_rank: int = 0
    """From 0, on this machine."""
    local_count: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the one that writes and prints."""
        return self.rank == 0

    @property
    def machines(self) -> int:
        """How many machines, each with as many processes."""
        return self.count // self.local_count


class TerminatedError(SystemExit):
    """Torchrun, or a person, wants this process to end."""


def this_process() -> Processes:
    """Read torchrun's environment.

    >>> this_process()
    Processes(rank=0, count=1, local_rank=0, local_count=1)
    """
    if any(key not in os.environ for key in _KEYS):
        return Processes()
    return Processes(*(int(os.environ[key]) for key in _KEYS[:4]))


@contextmanager
def join_processes() -> Generator[Processes]:
    """Join the other processes for as long as the block runs.

    Raises:
        LostProcessError: another process died.
    """
    processes = this_process()
    if processes.count == 1:
        yield processes
        return
    import torch
    from torch import distributed

    if torch.cuda.is_available():
        torch.cuda.set_device(processes.local_rank % torch.cuda.device_count())
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    distributed.init_process_group(backend, timeout=_PATIENCE)
    before = signal.getsignal(signal.SIGTERM)
    end_on_request()
    try:
        with tell_lost_processes("start the same command again"):
            yield processes
    except SaysoError as error:
        _handle_request(signal.SIG_IGN)
        if not _is_first_to_tell():
            raise SystemExit(error.exit_code) from error
        raise
    else:
        _handle_request(before)
    finally:
        distributed.destroy_process_group()


def end_on_request() -> None:
    """Have a request to end (SIGTERM) raise in the main thread, so that what is open is closed."""

    def end(number: int, frame: object) -> None:
        del number, frame
        raise TerminatedError(2)

    _handle_request(end)


@contextmanager
def tell_lost_processes(advice: str) -> Generator[None]:
    """Turn the loss of another process, met in the block, into one line.

    Raises:
        LostProcessError: another process died, or this one was told to end.
    """
    try:
        yield
    except TerminatedError as error:
        _handle_request(signal.SIG_IGN)
        raise LostProcessError(f"another process of this training ended, or this one was told to; {advice}") from error
    except RuntimeError as error:
        if this_process().count == 1 or not any(sign in str(error).lower() for sign in _SIGNS_OF_LOSS):
            raise
        # Torchrun is about to ask for the end that is under way, and would cut it short of its one line.
        _handle_request(signal.SIG_IGN)
        raise LostProcessError(f"another process of this training died; {advice}") from error


def make_once(make: Callable[[], T]) -> T:
    """Make something in the leading process alone, and give it to all."""
    processes = this_process()
    if processes.count == 1:
        return make()
    from torch import distributed

    made: list[Any] = [make() if processes.leads else None]
    distributed.broadcast_object_list(made, src=0)
    return made[0]


def agree_everywhere(value: object) -> bool:
    """Tell whether every process came with the same value."""
    return all(other == value for other in _gather(value))


def wait() -> None:
    """Wait until every process has come here."""
    _gather(None)


@contextmanager
def let_one_per_machine_go_first() -> Generator[None]:
    """Run the block in one process of each machine, and then in the others, which find what it left in the cache."""
    processes = this_process()
    if processes.local_rank:
        wait()
    yield
    if not processes.local_rank:
        wait()


def sum_over_processes(values: Any) -> Any:
    """Sum a tensor over all processes."""
    if this_process().count == 1:
        return values
    from torch import distributed

    total = values.clone()
    distributed.all_reduce(total)
    return total


def _gather(value: object) -> list[Any]:
    processes = this_process()
    if processes.count == 1:
        return [value]
    from torch import distributed

    values: list[Any] = [None] * processes.count
    distributed.all_gather_object(values, value)
    return values


def _handle_request(handler: Any) -> None:
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)


def _is_first_to_tell() -> bool:
    """Ask the store that torchrun keeps; where that is gone too, nobody else can tell."""
    from torch.distributed import distributed_c10d

    try:
        return distributed_c10d._get_default_store().add("sayso/told", 1) == 1  # pyright: ignore[reportPrivateUsage]
    except RuntimeError:
        return True
