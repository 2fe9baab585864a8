"""How much memory there is: that of the machine, or what its container may take."""

import os

import pytest

from sayso.training import hardware
from sayso.training.hardware import memory_bytes


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(None, 4_096_000), ("max\n", 4_096_000), (f"{2**63}\n", 4_096_000), ("1000000\n", 1_000_000)],
)
def test_memory_is_that_of_the_machine_or_less_in_a_container(tmp_path, monkeypatch, limit, expected):
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 1000}.__getitem__)
    path = tmp_path / "memory.max"
    if limit:
        path.write_text(limit)
    monkeypatch.setattr(hardware, "_LIMITS", (path,))
    assert memory_bytes() == expected


def test_of_a_system_that_does_not_tell_nothing_is_known(monkeypatch):
    monkeypatch.delattr(os, "sysconf")
    assert memory_bytes() is None
