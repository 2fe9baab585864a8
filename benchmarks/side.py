"""A side of a contest as a process of its own, so that each has its environment and one works at a time."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.contest import NotHereError

__all__ = ["PEERS", "Side", "agree", "clip_file"]

ROOT = Path(__file__).parents[1]
PEERS = ROOT / ".venv-peers" / "bin" / "python"
# What `sayso.system.malloc.keep_freed_memory` asks of glibc.
_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**31 - 1)}
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


class Side:
    """Does one of `benchmarks.peers.works` each time it is called, on as many threads as every other side.

    Args:
        work: its name.
        clips: an .npy file from `clip_file`.
        peer: in the peers' environment, not Sayso's.
        batch: clips at a time; None: the fastest of a few sizes.
        keeps_memory: freed memory is kept for the next array, as `sayso.system.malloc` has it in Sayso's own trainings;
            peers gain by it too.

    Raises:
        NotHereError: the environment or the package is not there.
    """

    def __init__(
        self, work: str, clips: Path, *, peer: bool = False, batch: int | None = None, keeps_memory: bool = True
    ) -> None:
        self.work = work
        if peer and not PEERS.exists():
            raise NotHereError("needs the peers' environment; `make bench` makes it")
        self._sample = clips.with_name(f"{work}.sample.npy")
        python = str(PEERS) if peer else sys.executable
        command = [python, "-W", "ignore", "-m", "benchmarks.peers.worker", work, str(clips), str(self._sample)]
        self._process = subprocess.Popen(
            command + ([] if batch is None else ["--batch", str(batch)]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ
            | (_MEMORY if keeps_memory else {})
            | dict.fromkeys(_THREAD_VARIABLES, str(torch.get_num_threads())),
        )
        ready = self._answer()
        if why := ready.get("missing"):
            self.close()
            raise NotHereError(f"{work} does not import here: {why}")
        self.batch: int = ready["batch"]
        self.note = f"{work}: {ready['package']} {ready['version']}, {self.batch} clips at a time"

    def __call__(self) -> float:
        """Work once; the seconds that took."""
        return self._once()["seconds"]

    def mebibytes(self) -> float:
        """Work once; by how much the process has grown at its highest since before the work was set up."""
        return self._once()["mebibytes"]

    def sample(self) -> np.ndarray:
        """Features of the first few clips."""
        return np.load(self._sample)

    def close(self) -> None:
        """End the process."""
        with suppress(BrokenPipeError):
            self._process.communicate()

    def _once(self) -> dict[str, float]:
        assert self._process.stdin is not None
        self._process.stdin.write("again\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.work} ended with code {self._process.wait()}; it said why above")
        return json.loads(line)


def agree(sides: Iterable[Side], *, within: float) -> None:
    """Make sure that all sides do the same work: features apart by no more than a share of them, both as L2 norms.

    Raises:
        RuntimeError: they do not.
    """
    first, *others = sides
    expected = first.sample()
    for other in others:
        found = other.sample()
        if found.shape != expected.shape:
            raise RuntimeError(f"{first.work} gives shape {expected.shape}, {other.work} {found.shape}")
        apart = float(np.linalg.norm(found - expected) / np.linalg.norm(expected))
        if apart > within:
            raise RuntimeError(f"{first.work} and {other.work} differ by {apart:.2g} of their norm")


def clip_file(clips: np.ndarray) -> tuple[Path, tempfile.TemporaryDirectory[str]]:
    """Write clips where all sides find them; the folder goes when it is let go of."""
    folder = tempfile.TemporaryDirectory(prefix="sayso-bench-")
    path = Path(folder.name) / "clips.npy"
    np.save(path, clips)
    return path, folder
