"""Trials trained together: on this machine or on a Ray cluster, those that are finished never again."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from time import perf_counter

from sayso.errors import Fault, InterruptedRunError, RunError, SettingsError
from sayso.runs.folder import RunFolder
from sayso.studies.executors.job import Executor, Outcome
from sayso.studies.executors.local import LocalProcesses
from sayso.studies.executors.ray_cluster import RayCluster, check_address
from sayso.studies.trials.folder import StudyFolder
from sayso.studies.trials.trial import Trial, is_finished
from sayso.system.files import check_writable
from sayso.system.progress import Progress, Task
from sayso.system.wording import counted

__all__ = ["check_asked", "run_trials"]


def check_asked(*, seeds: int, jobs: int, threads: int, on: str, out: Path) -> None:
    """Refuse before any work what could not be done in the end: none of something, nowhere to train or to write.

    Raises:
        SettingsError: counts below 1, all at once, or an `on` that names no cluster.
        MissingExtraError: a cluster, but Ray is not installed.
        OutputError: `out` cannot be written to, or made.
    """
    limits = {"--seeds": seeds, "--jobs": jobs, "--threads": threads}
    if faults := [Fault(name, f"is {value}, must be 1 or more") for name, value in limits.items() if value < 1]:
        raise SettingsError(faults)
    if on:
        check_address(on)
    check_writable(out)


def run_trials(trials: Sequence[Trial], folder: StudyFolder, *, jobs: int, on: str, progress: Progress) -> None:
    """Train what is not finished; complain when all else is done.

    Args:
        trials: all of them.
        folder: of the whole.
        jobs: how many trials at a time on this machine.
        on: empty for this machine, or `ray` or `ray://ADDRESS`.
        progress: where to report.

    Raises:
        RunError: trials failed; all others are done.
        InterruptedRunError: Ctrl-C; the finished ones are kept.
    """
    missing = [trial for trial in trials if not is_finished(trial, folder.trials / trial.name)]
    if replaced := sum(_was_finished(folder.trials / trial.name) for trial in missing):
        progress.note(
            f"{folder.trials}: {counted(replaced, 'finished trial is', 'finished trials are')} of another recipe, of "
            "other sound or of another Sayso, or damaged; trained anew in their places"
        )
    executor = _executor(on, jobs, folder, threads=max((trial.threads for trial in missing), default=1))
    failed: list[Outcome] = []
    with progress.task("trials", total=len(trials), unit="trials") as task:
        task.advance(len(trials) - len(missing))
        tell = _clock(task, len(missing))
        try:
            with closing(executor.run([trial.job for trial in missing], folder.trials)) as outcomes:
                for outcome in outcomes:
                    if outcome.error:
                        failed.append(outcome)
                        progress.note(f"{outcome.job.name}: {outcome.error}")
                    tell()
        except KeyboardInterrupt as error:
            kept = sum(is_finished(trial, folder.trials / trial.name) for trial in trials)
            others = "begin anew" if on else "go on from their last epoch"  # a node sends whole trials only
            raise InterruptedRunError(
                f"stopped; {kept} of {counted(len(trials), 'trial')} are finished and kept"
                f"{f', {len(failed)} failed' if failed else ''}, the others {others}. Start the same command again"
            ) from error
    if failed:
        raise RunError(
            f"{len(failed)} of {counted(len(trials), 'trial')} failed, {failed[0].job.name} first; the others are "
            "finished and kept. Mend it, and start the same command again"
        )


def _was_finished(trial: Path) -> bool:
    try:
        return RunFolder(trial).finished
    except RunError:
        return False


def _executor(on: str, jobs: int, folder: StudyFolder, *, threads: int) -> Executor:
    if not on:
        return LocalProcesses(jobs, lock=folder.lock, log=folder.path / "workers.log")
    return RayCluster(on, processes=jobs, threads=threads, noun="trial")


def _clock(task: Task, trials: int) -> Callable[[], None]:
    """Tell after every trial but the first, before which processes start, how long the others take at that rate."""
    first, done = 0.0, 0

    def tell() -> None:
        nonlocal first, done
        done += 1
        first = first or perf_counter()
        if done > 1:
            left = (perf_counter() - first) / (done - 1) * (trials - done)
            task.tell(f"about {left / 60:.0f} min left" if left > 90 else f"about {left:.0f} s left")
        task.advance()

    return tell
