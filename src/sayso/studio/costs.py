"""What the thresholds of a run's model cost, measured where the page asks for it: `sayso tune`, which leaves them."""

from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sayso.studio.jobs import Job
from sayso.studio.runs import find_run

__all__ = ["Costs"]

# No threshold is chosen, so a rate is asked for that half of the usual hours are enough for.
_ASKED = ("--write", "--keep-thresholds", "--false-alarms-per-hour", "1")


class Costs:
    """Measures one run at a time.

    Args:
        runs: folder of runs.
    """

    def __init__(self, runs: Path) -> None:
        self._runs, self._job = runs, Job("a measurement")

    def close(self) -> None:
        """Stop, and wait until it has ended."""
        self._job.close()

    async def state(self, request: Request) -> Response:
        """Tell how the measurement of a run goes, as `Job.state`."""
        run = await run_in_threadpool(find_run, self._runs, request.path_params["name"])
        return JSONResponse(await run_in_threadpool(self._state, run.path))

    async def start(self, request: Request) -> Response:
        """Begin, and tell how it goes."""
        run = await run_in_threadpool(find_run, self._runs, request.path_params["name"])
        command = ["tune", str(run.path), *_ASKED]
        await run_in_threadpool(self._job.start, lambda: run.path, lambda _: command)
        return await self.state(request)

    async def cancel(self, request: Request) -> Response:
        """Stop, as Ctrl-C does, what is measured of a run."""
        run = await run_in_threadpool(find_run, self._runs, request.path_params["name"])
        if self._job.out == run.path:
            self._job.cancel()
        return await self.state(request)

    def _state(self, run: Path) -> dict[str, Any]:
        return self._job.state() if self._job.out == run else {"state": "none"}
