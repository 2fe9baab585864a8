"""Ctrl-C that comes while a package is loaded."""

import signal
import subprocess
import sys

import pytest

from sayso.system.interrupts import interrupted_by_any_end

PACKAGE = """
import os, signal
try:
    os.kill(os.getpid(), signal.SIGINT)
    for _ in range(1000):
        pass
except BaseException:
    print("swallowed")
"""
PROGRAM = """
import signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore it
{first}
try:
    import package
    print("loaded")
    {then}
    time.sleep({seconds})
    print("went on")
except KeyboardInterrupt:
    print("stopped")
"""


def run(folder, first, seconds, then=""):
    (folder / "package.py").write_text(PACKAGE)
    (folder / "program.py").write_text(PROGRAM.format(first=first, seconds=seconds, then=then))
    done = subprocess.run([sys.executable, "program.py"], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.split("\n")[:-1]


def test_it_acts_once_the_package_is_loaded(tmp_path):
    told = run(tmp_path, "from sayso.system.interrupts import keep_interrupts; keep_interrupts()", 20)
    assert told == ["loaded", "stopped"]


def test_without_that_such_a_package_swallows_it(tmp_path):
    assert run(tmp_path, "", 0) == ["swallowed", "loaded", "went on"]


def test_one_that_still_waits_is_dropped_where_the_program_ends_by_itself(tmp_path):
    first = "from sayso.system.interrupts import forget_interrupts, keep_interrupts; keep_interrupts()"
    assert run(tmp_path, first, 0.3) == ["loaded", "stopped"]
    assert run(tmp_path, first, 0.3, "forget_interrupts()") == ["loaded", "went on"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_ends_interrupt_a_block_and_are_what_they_were_behind_it(number):
    before = signal.getsignal(number)
    for handler in (signal.SIG_DFL, signal.SIG_IGN):
        signal.signal(number, handler)
        try:
            with interrupted_by_any_end():
                caught = False
                try:
                    signal.raise_signal(number)
                except KeyboardInterrupt:
                    caught = True
            assert caught == (handler is signal.SIG_DFL)
            assert signal.getsignal(number) is handler
        finally:
            signal.signal(number, before)
