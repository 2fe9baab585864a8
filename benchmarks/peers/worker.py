"""One side in a process of its own: does its work once for each line it is sent, and answers what that took.

`python -m benchmarks.peers.worker WORK CLIPS SAMPLE [--batch N]`, with float32 clips in CLIPS (.npy). It writes the
features of the first clips to SAMPLE, so that sides can be held against one another, and one line of JSON when ready.
"""

import argparse
import importlib.metadata
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.peers.works import WORKS, Work

SAMPLE_CLIPS = 4
# What a side may spend on one turn with one batch size, in clips and about in seconds.
TRIAL_CLIPS, TRIAL_SECONDS = 256, 2.0
STATUS = Path("/proc/self/status")


def main() -> None:
    """Build the work, choose a batch size, answer lines until there are no more."""
    parser = argparse.ArgumentParser()
    parser.add_argument("work", choices=WORKS)
    parser.add_argument("clips", type=Path)
    parser.add_argument("sample", type=Path)
    parser.add_argument("--batch", type=int)
    options = parser.parse_args()
    # Libraries that talk on standard output would be taken for answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    work = WORKS[options.work]
    with torch.inference_mode(not work.trains):
        for answer in _answers(work, np.load(options.clips), options.sample, options.batch):
            print(json.dumps(answer), file=answers, flush=True)


def _answers(work: Work, clips: np.ndarray, sample: Path, batch: int | None) -> Any:
    prepared = work.prepare(clips)
    before = _memory("VmRSS", afresh=True)
    try:
        do = work.build()
    except ImportError as why:
        yield {"missing": str(why)}
        return
    if batch is None:
        np.save(sample, np.asarray(do(prepared[:1])))
        batch = _best_batch(do, prepared, work.batches)
    if work.trains:
        _seconds(do, prepared, batch)  # the first steps are slower
    else:
        np.save(sample, np.concatenate([np.asarray(do(prepared[i : i + 1])) for i in range(SAMPLE_CLIPS)]))
    yield {"package": work.package, "version": importlib.metadata.version(work.package), "batch": batch}
    for _ in sys.stdin:
        seconds = _seconds(do, prepared, batch)
        yield {"seconds": seconds, "mebibytes": _memory("VmHWM") - before}


def _seconds(do: Callable[[Any], Any], clips: Any, batch: int) -> float:
    start = time.perf_counter()
    for first in range(0, len(clips), batch):
        do(clips[first : first + batch])
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()  # what was asked of a GPU is not done yet
    return time.perf_counter() - start


def _best_batch(do: Callable[[Any], Any], clips: Any, batches: Any) -> int:
    """The fastest size on some of the clips, each size in its best of four turns."""
    if len(batches) == 1:
        return batches[0]
    one = max(_seconds(do, clips[:4], 1) / 4, 1e-6)
    enough = min(TRIAL_CLIPS, int(TRIAL_SECONDS / one))
    some = clips[: max(enough, max(batches))]
    taken = {batch: min(_seconds(do, some, batch) for _ in range(4)) for batch in batches}
    return min(taken, key=taken.__getitem__)


def _memory(field: str, *, afresh: bool = False) -> float:
    """A figure of this process from Linux's own books, in MiB: VmRSS now, VmHWM at its highest; nan elsewhere."""
    if not STATUS.exists():
        return float("nan")
    if afresh:
        STATUS.with_name("clear_refs").write_text("5")  # the highest mark is set back to now
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
