"""Trials of a comparison trained one at a time, two at a time, and on a Ray cluster with room for two."""

import os
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from benchmarks.contest import Contest, Figure, NotHereError
from sayso.data.datasets.fsdd import FsddConfig
from sayso.errors import install_command
from sayso.studies.comparison.plan import Plan, make_plan
from sayso.studies.executors.job import Executor
from sayso.studies.executors.local import LocalProcesses
from sayso.studies.executors.ray_cluster import RayCluster
from sayso.system.progress import Progress

ONE, TWO, RAY = "sayso: one job", "sayso: two jobs", "sayso: Ray, two CPUs"
TRIALS, EPOCHS = 4, 18


def contest(*, full: bool) -> Contest:
    """Set the contest up: the quick recipe on the digits, four folds of one seed, a thread each; `full`: two seeds.

    Raises:
        NotHereError: the digits or Ray are not on this machine, or it has one core.
    """
    if FsddConfig().location() is None:
        raise NotHereError("needs fsdd; set SAYSO_DATA to the folder that holds it")
    if (os.cpu_count() or 1) < 2:
        raise NotHereError("needs two cores")
    try:
        from ray.cluster_utils import Cluster
    except ImportError as error:
        raise NotHereError(f"needs Ray: {install_command('ray')}") from error
    plan = make_plan(
        [Path(__file__).parents[1] / "recipes/fsdd/quick.yaml"],
        overrides=[f"training.epochs={EPOCHS}"],
        folds=TRIALS,
        seeds=2 if full else 1,
        threads=1,
        gap=False,
        progress=Progress(),
    )
    cluster = cache(lambda: Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False}))

    def on_ray() -> Executor:
        os.environ["RAY_ADDRESS"] = cluster().address
        return RayCluster("ray", processes=2)

    sides: dict[str, Callable[[], Executor]] = {ONE: lambda: _local(1), TWO: lambda: _local(2), RAY: on_ray}
    each = len(plan.trials)
    return Contest(
        title=f"{each} trials of {EPOCHS} epochs on four fifths of the digits, one thread each",
        sides={name: lambda make=make: _seconds(make(), plan) for name, make in sides.items()},
        figures=(
            Figure("seconds of a trial", lambda s: s[ONE] / each, least=20),
            Figure("two jobs: times as fast as one", lambda s: s[ONE] / s[TWO], least=1.8),
            Figure("Ray: of the time of two jobs", lambda s: s[RAY] / s[TWO], most=1.1),
        ),
        notes=(
            "loading torch in each process and connecting to the cluster count; starting the cluster does not",
            "every round trains every trial anew",
        ),
        close=(lambda: cluster().shutdown() if cluster.cache_info().currsize else None,),
    )


def _local(jobs: int) -> LocalProcesses:
    log = Path(tempfile.gettempdir()) / "sayso-trials.log"
    return LocalProcesses(jobs, lock=os.open(log, os.O_RDWR | os.O_CREAT), log=log)


def _seconds(executor: Executor, plan: Plan) -> float:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        jobs = [trial.job for trial in plan.trials]
        failed = [outcome.error for outcome in executor.run(jobs, Path(folder)) if outcome.error]
        assert not failed, failed[0]
        return time.perf_counter() - start
