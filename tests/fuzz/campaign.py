"""Many mutated files of one kind, read in processes of their own; what comes out is counted."""

import os
import selectors
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Campaign", "run_campaign"]

_TESTS = Path(__file__).parents[1]
# A file that takes longer than this hangs, even on a machine that does other work.
_LONGEST_SECONDS = 60.0
_CASES_A_PROCESS = 2_500


@dataclass
class Campaign:
    """What became of the files."""

    target: str
    seed: int
    tried: int = 0
    outcomes: Counter[str] = field(default_factory=Counter[str])
    """How many were `read`, and how many `refused`."""
    faults: dict[int, str] = field(default_factory=dict[int, str])
    """By the number of the case."""
    seconds: float = 0.0

    def __str__(self) -> str:
        counts = f"{self.outcomes['refused']} refused, {self.outcomes['read']} read, {len(self.faults)} faults"
        lines = [f"{self.target}, seed {self.seed}: {self.tried} tried, {counts}, {self.seconds:.0f} s"]
        for number, fault in list(self.faults.items())[:20]:
            again = f"PYTHONPATH=tests python -m fuzz.fuzz_worker {self.target} {self.seed} {number} 1 FOLDER"
            lines.append(f"  {number}: {fault}; once more: {again}")
        return "\n".join(lines)


def run_campaign(target: str, *, seed: int, count: int, folder: Path) -> Campaign:
    """Read `count` mutated files of a kind; one that ends or hangs its process is a fault, and the next go on."""
    campaign = Campaign(target, seed)
    start = time.perf_counter()
    while campaign.tried < count:
        _run_worker(campaign, min(_CASES_A_PROCESS, count - campaign.tried), folder)
    campaign.seconds = time.perf_counter() - start
    return campaign


def _run_worker(campaign: Campaign, count: int, folder: Path) -> None:
    first = campaign.tried
    arguments = [campaign.target, campaign.seed, first, count, folder]
    python_path = os.pathsep.join((str(_TESTS), os.environ.get("PYTHONPATH", "")))
    errors = folder / "stderr.txt"
    folder.mkdir(parents=True, exist_ok=True)
    with (
        errors.open("wb") as stderr,
        subprocess.Popen(
            [sys.executable, "-m", "fuzz.fuzz_worker", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=os.environ | {"PYTHONPATH": python_path, "OMP_NUM_THREADS": "1"},
        ) as worker,
    ):
        ended = _follow(worker, campaign)
        worker.kill()
        code = worker.wait()
    if campaign.tried < first + count:
        if campaign.tried == first and ended != "case":
            raise RuntimeError(f"the worker did not start: {errors.read_text(errors='replace')[-2000:]}")
        why = f"took longer than {_LONGEST_SECONDS:.0f} s" if ended == "hung" else f"ended the process ({code})"
        campaign.faults[campaign.tried] = f"fault {why}"
        campaign.tried += 1


def _follow(worker: "subprocess.Popen[bytes]", campaign: Campaign) -> str:
    """Count outcomes until a worker ends or hangs; gives `hung`, `case` where it ended within one, or `end`."""
    assert worker.stdout is not None
    os.set_blocking(worker.stdout.fileno(), False)
    waiting, inside = b"", False
    with selectors.DefaultSelector() as selector:
        selector.register(worker.stdout, selectors.EVENT_READ)
        while True:
            # Starting one imports torch, and may export a model.
            if not selector.select(_LONGEST_SECONDS if inside else 4 * _LONGEST_SECONDS):
                return "hung"
            new = os.read(worker.stdout.fileno(), 1 << 16)
            if not new:
                return "case" if inside else "end"
            *lines, waiting = (waiting + new).split(b"\n")
            for line in map(bytes.decode, lines):
                inside = line.startswith("case ")
                if not inside:
                    _count(campaign, line)


def _count(campaign: Campaign, outcome: str) -> None:
    if outcome.startswith("fault"):
        campaign.faults[campaign.tried] = outcome
    else:
        campaign.outcomes[outcome] += 1
    campaign.tried += 1
