"""How the threads of a computation wait for one another, chosen before torch is loaded.

OpenMP's threads spin for milliseconds before they sleep. On an idle machine that is the fastest way; beside other work
they keep the core from the very thread that they wait for, and training crawls. How they wait changes no number.
GNU's OpenMP, which torch brings on Linux, reads its settings when it is loaded, and never again:
https://gcc.gnu.org/onlinedocs/libgomp/OMP_005fWAIT_005fPOLICY.html
"""

import os
import time
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from sayso.system.distributed import this_process

__all__ = ["Moment", "choose_waiting", "waiting"]

_STAT = Path("/proc/stat")
_POLICY, _SPIN_COUNT = "OMP_WAIT_POLICY", "GOMP_SPINCOUNT"
_BUSY = 0.5
"""Cores that others keep busy, from which on threads give theirs away: a program at work takes one, rest hardly any."""
_SHORTEST_LOOK = 0.05
"""Seconds; the system counts hundredths."""


@dataclass(frozen=True)
class Moment:
    """A moment in the life of the machine: two of them say how much others were computing between them."""

    seconds: float
    """On a clock of its own."""
    idle: float
    """Seconds for which the cores that this process may use have had nothing to do, added up; since the start."""
    own: float
    """Seconds that this process has computed."""

    @classmethod
    def now(cls) -> "Moment | None":
        """This moment; None where the system does not tell (it is not Linux)."""
        try:
            idle = _idle_seconds(_STAT.read_text(encoding="ascii"), os.sched_getaffinity(0))
        except (OSError, ValueError, AttributeError):
            return None
        return cls(time.monotonic(), idle, time.process_time())

    def others_since(self, before: "Moment") -> float:
        """How many of these cores others kept busy since a moment before, on average; at least 0."""
        passed = self.seconds - before.seconds
        cores = len(os.sched_getaffinity(0))
        return max(0.0, cores - (self.idle - before.idle + self.own - before.own) / passed) if passed else 0.0


def choose_waiting(before: Moment | None, environment: MutableMapping[str, str] = os.environ) -> None:
    """Have threads sleep rather than spin where others compute on this machine, unless a person has chosen.

    Of several processes of one training the others count as no other work: each has cores of its own.

    Args:
        before: when looking began; what was done since then has cost nothing.
        environment: where OpenMP's settings are, and are put.
    """
    if before is None or _POLICY in environment or _SPIN_COUNT in environment:
        return
    time.sleep(max(0.0, before.seconds + _SHORTEST_LOOK - time.monotonic()))
    after = Moment.now()
    if after is None:
        return
    if after.others_since(before) - (this_process().local_count - 1) >= _BUSY:
        environment[_POLICY] = "PASSIVE"


def waiting(environment: MutableMapping[str, str] = os.environ) -> str:
    """How threads wait, in OpenMP's words.

    >>> waiting({"OMP_WAIT_POLICY": "PASSIVE"}), waiting({})
    ('OMP_WAIT_POLICY=PASSIVE', 'OMP_WAIT_POLICY not set')
    """
    known = [f"{name}={environment[name]}" for name in (_POLICY, _SPIN_COUNT) if name in environment]
    return ", ".join(known) or f"{_POLICY} not set"


def _idle_seconds(stat: str, cores: Iterable[int]) -> float:
    r"""Idle time of these cores in a text of the kind of `/proc/stat`, waiting for discs included.

    >>> _idle_seconds("cpu 9 9 9 9 9\ncpu0 1 0 2 300 40 0\ncpu1 1 0 2 700 5 0\n", [0]) * os.sysconf("SC_CLK_TCK")
    340.0
    """
    fields = {line.split()[0]: line.split() for line in stat.splitlines() if line.startswith("cpu")}
    ticks = sum(int(fields[f"cpu{core}"][4]) + int(fields[f"cpu{core}"][5]) for core in cores)
    return ticks / os.sysconf("SC_CLK_TCK")
