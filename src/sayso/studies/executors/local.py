"""Jobs done on this machine, by processes that live as long as there are any: what one has imported stays imported."""

import json
import os
import subprocess
import sys
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue
from threading import Lock

from sayso.studies.executors.job import THREAD_COUNTS, Job, Outcome
from sayso.system.files import output_errors

__all__ = ["LocalProcesses"]


class LocalProcesses:
    """Does jobs in processes of this machine.

    Args:
        processes: how many, at least 1.
        lock: number of an open file that they keep open, so that its lock holds until the last of them is gone.
        log: where what they print goes.
    """

    def __init__(self, processes: int, *, lock: int, log: Path) -> None:
        self._processes, self._lock, self._log = processes, lock, log

    def run(self, jobs: Iterable[Job], folder: Path) -> Generator[Outcome]:
        """Do jobs, each in its folder below `folder`, and give each as it ends; closed, it ends them at once."""
        every = list(jobs)
        workers = [_Worker(self._lock, self._log) for _ in range(max(1, min(self._processes, len(every))))]
        idle = SimpleQueue[_Worker]()
        for worker in workers:
            idle.put(worker)

        def do(job: Job) -> str:
            worker = idle.get()
            try:
                return worker.do(job, folder / job.name)
            finally:
                idle.put(worker)

        with ThreadPoolExecutor(len(workers)) as pool:
            try:
                asked = {pool.submit(do, job): job for job in every}
                for future in as_completed(asked):
                    yield Outcome(asked[future], future.result())
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
                for worker in workers:
                    worker.end()


class _Worker:
    """One process, started when there is something to do, and anew when it died of that or has other threads."""

    def __init__(self, lock: int, log: Path) -> None:
        self._lock, self._log = lock, log
        self._process: subprocess.Popen[str] | None = None
        self._threads = 0
        self._ended = False
        self._starting = Lock()

    def do(self, job: Job, folder: Path) -> str:
        """Have it do a job; gives why it could not, or nothing."""
        with self._starting:
            if self._ended:
                return "stopped before it was begun"
            if self._process is None or self._process.poll() is not None or self._threads != job.threads:
                self._kill()
                self._process, self._threads = self._start(job.threads), job.threads
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        line = ""
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps({"job": asdict(job), "folder": str(folder)}) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        if line:
            answer = json.loads(line)
            return answer["error"] + (f" (the whole story is in {self._log.name})" if answer["in_log"] else "")
        code = process.wait()
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        self._close()
        return f"its process {how}; what it printed is in {self._log.name}"

    def end(self) -> None:
        """End it, in the middle of a job if need be."""
        with self._starting:
            self._ended = True
            self._kill()

    def _kill(self) -> None:
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
                [sys.executable, "-P", "-m", "sayso.studies.executors.worker"],
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
