"""Ctrl-C that comes while a package is loaded."""

import subprocess
import sys

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
    time.sleep({seconds})
    print("went on")
except KeyboardInterrupt:
    print("stopped")
"""


def run(folder, first, seconds):
    (folder / "package.py").write_text(PACKAGE)
    (folder / "program.py").write_text(PROGRAM.format(first=first, seconds=seconds))
    done = subprocess.run([sys.executable, "program.py"], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.split("\n")[:-1]


def test_it_acts_once_the_package_is_loaded(tmp_path):
    told = run(tmp_path, "from sayso.system.interrupts import keep_interrupts; keep_interrupts()", 20)
    assert told == ["loaded", "stopped"]


def test_without_that_such_a_package_swallows_it(tmp_path):
    assert run(tmp_path, "", 0) == ["swallowed", "loaded", "went on"]
