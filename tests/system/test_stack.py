"""Deep calls fetch no memory from the system, once there is room on Python's stack."""

import sys
import threading

import pytest

from sayso.system.stack import call_with_room

resource = pytest.importorskip("resource", reason="needs a system that counts page faults")
DEEPEST, CALLS = 600, 200


def faults_of_calls() -> int:
    """How many pages this thread was given while something was called again and again, at every depth."""

    def leaf() -> None:
        pass

    def descend(depth: int) -> None:
        for _ in range(CALLS):
            leaf()
        if depth:
            descend(depth - 1)

    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    descend(DEEPEST)
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux, which counts for each thread")
def test_what_is_called_again_and_again_stays_where_it_is() -> None:
    counted: list[int] = []

    def count() -> None:
        counted.append(faults_of_calls())

    # Each thread has a stack of its own, which begins with chunks of the usual size.
    for target in (count, lambda: call_with_room(count)):
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()
    without, with_room = counted
    assert with_room < CALLS <= without


def test_it_gives_what_is_given_and_raises_what_is_raised() -> None:
    assert call_with_room(lambda: 7) == 7
    with pytest.raises(KeyError):
        call_with_room({}.popitem)
