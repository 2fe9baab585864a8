"""Trials trained on this machine, by processes that live as long as there are any: torch is imported once in each."""

import json
import os
import subprocess
import sys
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Lock

from sayso.studies.trials.trial import THREAD_COUNTS, Outcome, Trial
from sayso.system.files import output_errors

__all__ = ["LocalProcesses"]


class LocalProcesses:
    """Trains trials in processes of this machine.

    Args:
        jobs: how many processes, at least 1.
        lock: number of an open file that they keep open, so that its lock holds until the last of them is gone.
        log: where what they print goes.
    """

    def __init__(self, jobs: int, *, lock: int, log: Path) -> None:
        self._jobs, self._lock, self._log = jobs, lock, log

    def train(self, trials: Sequence[Trial], folder: Path) -> Generator[Outcome]:
        """Train trials, each in its folder below `folder`, and give each as it ends; closed, it ends them at once."""
        workers = [_Worker(self._lock, self._log) for _ in range(max(1, min(self._jobs, len(trials))))]
        idle = SimpleQueue[_Worker]()
        for worker in workers:
            idle.put(worker)

        def train(trial: Trial) -> str:
            worker = idle.get()
            try:
                return worker.train(trial, folder / trial.name)
            finally:
                idle.put(worker)

        with ThreadPoolExecutor(len(workers)) as pool:
            try:
                asked = {pool.submit(train, trial): trial for trial in trials}
                for future in as_completed(asked):
                    yield Outcome(asked[future], future.result())
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
                for worker in workers:
                    worker.end()


class _Worker:
    """One process, started when there is something to train, and anew when it died of that."""

    def __init__(self, lock: int, log: Path) -> None:
        self._lock, self._log = lock, log
        self._process: subprocess.Popen[str] | None = None
        self._ended = False
        self._starting = Lock()

    def train(self, trial: Trial, folder: Path) -> str:
        """Have it train a trial; gives why it could not, or nothing."""
        with self._starting:
            if self._ended:
                return "stopped before it was trained"
            if self._process is None or self._process.poll() is not None:
                self._process = self._start(trial.threads)
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        answer = ""
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps({"trial": trial.values(), "folder": str(folder)}) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        if answer:
            return json.loads(answer)["error"]
        code = process.wait()
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        self._close()
        return f"its process {how}; what it printed is in workers.log"

    def end(self) -> None:
        """End it, in the middle of a trial if need be."""
        with self._starting:
            self._ended = True
            if self._process is not None:
                self._process.kill()
                self._process.wait()
                self._close()

    def _start(self, threads: int) -> "subprocess.Popen[str]":
        paths = os.pathsep.join(path for path in sys.path if path)
        with output_errors(self._log):
            log = self._log.open("a", encoding="utf-8")
        with log:
            return subprocess.Popen(
                # -P: a file in the working folder must not stand in for a package's.
                [sys.executable, "-P", "-m", "sayso.studies.trials.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
                env={**os.environ, **dict.fromkeys(THREAD_COUNTS, str(threads)), "PYTHONPATH": paths},
                pass_fds=(self._lock,),
                start_new_session=True,  # Ctrl-C is for the one who started it, who then ends it
            )

    def _close(self) -> None:
        assert self._process is not None
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
