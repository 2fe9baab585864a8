"""Jobs that are no trainings, done by processes of this machine."""

import os
import time

import pytest

import jobs_made
from sayso.studies.executors.job import Job, name_of
from sayso.studies.executors.local import LocalProcesses


@pytest.fixture
def lock(tmp_path):
    with (tmp_path / ".lock").open("w") as file:
        yield file.fileno()


@pytest.fixture
def processes(tmp_path, lock):
    return lambda count: LocalProcesses(count, lock=lock, log=tmp_path / "workers.log")


def job(function, name="", *, threads=1, **values):
    return Job(name or function.__name__, name_of(function), values, ["text.txt"], threads)


def text_of(folder):
    return (folder / "text.txt").read_text()


def test_what_jobs_write_is_there_and_one_process_does_many(processes, tmp_path):
    jobs = [job(jobs_made.write, str(number)) for number in range(6)]
    done = list(processes(2).run(jobs, tmp_path))
    assert sorted(outcome.job.name for outcome in done) == [str(number) for number in range(6)]
    assert not any(outcome.error for outcome in done)
    assert 1 <= len({text_of(tmp_path / str(number)) for number in range(6)} - {str(os.getpid())}) <= 2


def test_an_error_of_a_job_is_told_and_the_others_go_on(processes, tmp_path):
    jobs = [job(getattr(jobs_made, name)) for name in ("refuse", "stumble", "leave_nothing", "write")]
    told = {outcome.job.name: outcome.error for outcome in processes(1).run(jobs, tmp_path)}
    assert told == {
        "refuse": "not today",
        "stumble": "ValueError: two lines (the whole story is in workers.log)",
        "leave_nothing": "leave_nothing ended and left no text.txt",
        "write": "",
    }
    assert 'raise ValueError("two' in (tmp_path / "workers.log").read_text()


def test_a_killed_process_is_told_and_the_next_job_gets_another(processes, tmp_path):
    jobs = [job(jobs_made.write, "before"), job(jobs_made.die), job(jobs_made.write, "after")]
    told = {outcome.job.name: outcome.error for outcome in processes(1).run(jobs, tmp_path)}
    assert told == {
        "before": "",
        "die": "its process was killed by signal 9; what it printed is in workers.log",
        "after": "",
    }
    assert text_of(tmp_path / "before") != text_of(tmp_path / "after")


def test_each_job_has_its_threads_and_the_lock(processes, tmp_path, lock):
    counts = (1, 3, 3, 2)
    jobs = [job(jobs_made.tell_environment, f"{place}", threads=count, lock=lock) for place, count in enumerate(counts)]
    assert not any(outcome.error for outcome in processes(1).run(jobs, tmp_path))
    told = [text_of(tmp_path / str(place)).split() for place in range(4)]
    assert told == [[str(count), str(os.fstat(lock).st_ino)] for count in counts]


def test_closed_it_ends_them_at_once(processes, tmp_path):
    jobs = [job(jobs_made.linger), job(jobs_made.write), job(jobs_made.linger, "second"), job(jobs_made.write, "third")]
    outcomes = processes(2).run(jobs, tmp_path)
    assert next(outcomes).job.name == "write"
    files = [tmp_path / name / "text.txt" for name in ("linger", "second")]
    while not all(file.exists() and file.read_text() for file in files):
        time.sleep(0.02)
    begun = time.monotonic()
    outcomes.close()
    assert time.monotonic() - begun < 60  # they would take ten minutes
    for file in files:
        with pytest.raises(ProcessLookupError):
            os.kill(int(file.read_text()), 0)
    assert not (tmp_path / "third").exists()
