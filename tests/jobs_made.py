"""Jobs that are no trainings, for executors: each leaves `text.txt`, or does not."""

import os
import signal
import time

from sayso.errors import RunError

__all__ = ["die", "leave_nothing", "linger", "refuse", "stumble", "tell_environment", "write"]


def write(values, folder):
    """Write the given text and the number of this process."""
    folder.mkdir(parents=True)
    (folder / "text.txt").write_text(str(values.get("text", os.getpid())))


def tell_environment(values, folder):
    """Write the threads that were set, and which file has the number of the lock."""
    write({"text": f"{os.environ['OMP_NUM_THREADS']} {os.fstat(values['lock']).st_ino}"}, folder)


def leave_nothing(values, folder):
    """End well without the file."""


def refuse(values, folder):
    """Meet an error that a person can mend."""
    raise RunError("not today")


def stumble(values, folder):
    """Meet one that nobody has thought of."""
    raise ValueError("two\nlines")


def die(values, folder):
    """Be killed."""
    os.kill(os.getpid(), signal.SIGKILL)


def linger(values, folder):
    """Begin, and come to no end."""
    write({}, folder)
    time.sleep(600)
