"""One process among several: which it is, what it does alone, and what it says when another is lost.

Trainings by torchrun are in `tests/training/test_distributed.py`; here others are played.
"""

import os
import signal
import time
from collections.abc import Iterator

import pytest
import torch
from torch import distributed as torch_distributed

from sayso.errors import LostProcessError
from sayso.system import distributed
from sayso.system.distributed import (
    Processes,
    TerminatedError,
    agree_everywhere,
    end_on_request,
    join_processes,
    let_one_per_machine_go_first,
    make_once,
    sum_over_processes,
    tell_lost_processes,
    this_process,
    wait,
)

TORCHRUN = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No torchrun around the test, and requests to end are met afterwards as they were before."""
    for key in TORCHRUN:
        monkeypatch.delenv(key, raising=False)
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> object:
    """Set what torchrun sets, for a process of a given rank among others on two machines."""

    def as_rank(rank: int, *, count: int = 4, local_count: int = 2) -> Processes:
        values = (rank, count, rank % local_count, local_count, "localhost", 29_500)
        for key, value in zip(TORCHRUN, values, strict=True):
            monkeypatch.setenv(key, str(value))
        return this_process()

    return as_rank


def test_the_environment_of_torchrun_says_which_process_this_is(play, monkeypatch: pytest.MonkeyPatch) -> None:
    assert this_process() == Processes(rank=0, count=1, local_rank=0, local_count=1)
    third = play(3)
    assert third == Processes(rank=3, count=4, local_rank=1, local_count=2)
    assert (third.leads, third.machines) == (False, 2)
    assert play(0).leads
    # An environment that only looks like torchrun's, such as a scheduler's, counts for nothing.
    monkeypatch.delenv("MASTER_PORT")
    assert this_process() == Processes()


def test_alone_there_is_nobody_to_join_or_to_agree_with(monkeypatch: pytest.MonkeyPatch) -> None:
    for call in ("init_process_group", "all_gather_object", "all_reduce", "broadcast_object_list"):
        monkeypatch.setattr(torch_distributed, call, lambda *_, **__: pytest.fail("asked others"))
    before = signal.getsignal(signal.SIGTERM)
    with join_processes() as processes, let_one_per_machine_go_first():
        assert processes == Processes()
        assert signal.getsignal(signal.SIGTERM) is before
    wait()
    values = torch.tensor([1.0, 2.0])
    assert sum_over_processes(values) is values
    assert agree_everywhere({"epochs": 3})
    made: list[int] = []
    assert make_once(lambda: made.append(1) or len(made)) == 1
    assert made == [1]


def test_the_leader_makes_and_the_others_are_given(play, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[object] = []

    def broadcast(values: list[object], src: int) -> None:
        assert src == 0
        if this_process().leads:
            sent.extend(values)
        else:
            values[:] = sent

    monkeypatch.setattr(torch_distributed, "broadcast_object_list", broadcast)
    play(0)
    assert make_once(lambda: "runs/digits-2") == "runs/digits-2"
    play(3)
    assert make_once(lambda: pytest.fail("made twice")) == "runs/digits-2"


@pytest.mark.parametrize(("others", "agreed"), [("one", "one"), ("one", "another")])
def test_one_other_value_is_no_agreement(play, monkeypatch, others: str, agreed: str) -> None:
    def gather(values: list[object], own: object) -> None:
        values[:] = [own, own, agreed, own]

    monkeypatch.setattr(torch_distributed, "all_gather_object", gather)
    play(1)
    assert agree_everywhere(others) is (others == agreed)


def test_a_sum_over_processes_leaves_the_own_values_as_they_were(play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_distributed, "all_reduce", lambda total: total.mul_(4))
    play(2)
    own = torch.tensor([1.0, 2.5])
    assert sum_over_processes(own).tolist() == [4.0, 10.0]
    assert own.tolist() == [1.0, 2.5]


@pytest.mark.parametrize(("rank", "order"), [(0, ["work", "wait"]), (2, ["work", "wait"]), (3, ["wait", "work"])])
def test_the_first_of_each_machine_works_before_the_others(play, monkeypatch, rank: int, order: list[str]) -> None:
    done: list[str] = []
    monkeypatch.setattr(distributed, "wait", lambda: done.append("wait"))
    play(rank)
    with let_one_per_machine_go_first():
        done.append("work")
    assert done == order


def test_a_lost_process_becomes_one_line_with_advice(play) -> None:
    play(1)
    lost = pytest.raises(LostProcessError, match=r"another process of this training died; start it again$")
    with lost, tell_lost_processes("start it again"):
        raise RuntimeError("[gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]:4711")
    # Torchrun is about to end this one too, which has said all.
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


def test_a_request_to_end_becomes_one_line_too(play) -> None:
    play(1)
    lost = pytest.raises(LostProcessError, match=r"ended, or this one was told to; start it again$")
    with lost, tell_lost_processes("start it again"):
        end_on_request()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)


def test_other_errors_stay_what_they_are(play) -> None:
    with pytest.raises(RuntimeError, match="closed by peer"), tell_lost_processes("start it again"):
        raise RuntimeError("closed by peer, but there is only one process")
    play(1)
    with pytest.raises(RuntimeError, match="shapes") as raised, tell_lost_processes("start it again"):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    assert not isinstance(raised.value, LostProcessError)
    with pytest.raises(KeyError), tell_lost_processes("start it again"):
        raise KeyError("gloo")


def test_who_is_asked_to_end_closes_what_is_open() -> None:
    closed: list[str] = []
    end_on_request()
    with pytest.raises(TerminatedError) as raised:  # noqa: PT012
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        finally:
            closed.append("file")
    assert (raised.value.code, closed) == (2, ["file"])
